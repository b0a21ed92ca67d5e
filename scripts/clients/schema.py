"""Asks a server of its own whatever its document allows, and what it forbids, with schemathesis: no 5xx, and no answer that
the document does not describe. `schema.py [--examples N]`, of each route; SCHEMATHESIS names the program."""

import argparse
import os
import subprocess
import sys

from world import World

# Not of the document: requests it allows may still be refused (a vBERT that is not there), and the other way.
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "ignored_auth", "unsupported_method", "use_after_free",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    told, more = parser.parse_known_args()
    program = os.environ.get("SCHEMATHESIS") or os.path.join(os.path.dirname(sys.executable), "st")
    with World() as world:
        key = world.make_key("all", scope="admin")
        return subprocess.run([
            program, "run", f"{world.url}/openapi.json", "--header", f"Authorization: Bearer {key}",
            "--checks", ",".join(CHECKS), "--max-examples", str(told.examples), "--seed", str(told.seed),
            # Archives are nothing that it can make, and links between routes the document has none.
            "--phases", "coverage,fuzzing", "--exclude-path", "/v1/vberts/import", "--request-timeout", "30", "--suppress-health-check", "all", "--no-shrink", "--warnings", "off",
            "--continue-on-failure", *more]).returncode


if __name__ == "__main__":
    sys.exit(main())
