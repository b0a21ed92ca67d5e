# Two commands on a fresh machine: `make demo` shows the main job, `make test` runs every check.
# Both install what they need (and say so), and both may be run again at any time.
.PHONY: help demo test check test-large attack clients many build setup base base-large bench format lint release clean

SWIFT_BUILD = swift build -c release

help:
	@echo "make demo     set up everything, train five vBERTs, serve six, ask them all"
	@echo "make test     build and run all tests (VBERT_FUZZ_SECONDS=60 fuzzes longer)"
	@echo "make check ROOM=Scheduler  build and test one room (any folder of Sources)"
	@echo "make test-large  the checks that need the large base (405 MB)"
	@echo "make build    build .build/release/vbert"
	@echo "make release  one stripped file to copy: .build-static/release/vbert"
	@echo "make bench    speed beside PyTorch and ONNX Runtime (fetches them from PyPI)"
	@echo "make attack   what hostile clients can do to a server, bound by bound (some minutes)"
	@echo "make clients  clients from PyPI, unchanged, against a server: the matrix of docs/clients.md"
	@echo "make many     train 300 vBERTs at once in 1 GB of memory, and say what was resident"
	@echo "make format   format the sources; make lint checks them"

setup:
	@scripts/setup

base: setup
	@scripts/fetch-base

# The large base, all-mpnet-base-v2 (405 MB).
base-large: setup
	@scripts/fetch-base mpnet

build: setup
	$(SWIFT_BUILD) --product vbert

demo: build base
	@scripts/demo

test: base lint
	@scripts/test

# One room while working on it: its tests, and those that hold who knows whom.
check:
	@scripts/check $(ROOM)

attack:
	@scripts/attack/run

# Needs PyPI and some 1.1 GB below .home.
clients:
	@scripts/clients/run --check

# What needs the large base's own weights; `make test` does without.
test-large: base-large
	VBERT_UPTO=engine swift test --filter MPNet

bench: build base
	@scripts/bench

many: build base
	python3 Benchmarks/many.py --device cpu --vberts 300 --epochs 1 --memory 1G --alone 0

release: setup
	@scripts/release

format:
	swift format -i -r --parallel Sources Tests Benchmarks Package.swift

lint:
	swift format lint -s -r --parallel Sources Tests Benchmarks Package.swift

clean:
	rm -rf .build .build-static .home
