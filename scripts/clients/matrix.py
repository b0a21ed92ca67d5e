"""Runs the cells and prints the matrix; ends with 1 where one fails."""

import importlib
import importlib.metadata
import os
import sys
import traceback

os.environ.update(
    ANONYMIZED_TELEMETRY="False", HAYSTACK_TELEMETRY_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1",
    LITELLM_LOCAL_MODEL_COST_MAP="True", HF_HUB_OFFLINE="0", TOKENIZERS_PARALLELISM="false")

from world import CELLS, HERE, World  # noqa: E402

PAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "clients.md")


def run(world):
    """The rows, and how many failed."""
    rows, failed = ["| client | call | told | |", "|---|---|---|---|"], 0
    for package, call, setup, function in CELLS:
        try:
            said = function(world) or "works"
        except Exception:  # noqa: BLE001
            failed += 1
            said = "FAILS"
            print(f"--- {package}: {call}\n{traceback.format_exc()[-3000:]}", file=sys.stderr)
        version = importlib.metadata.version(package)
        rows.append(f"| {package} {version} | {call} | {setup} | {said} |")
        print(rows[-1], file=sys.stderr, flush=True)
    return rows, failed


def main(arguments):
    check = "--check" in arguments
    if only := next((word.removeprefix("--only=") for word in arguments if word.startswith("--only=")), None):
        packages = only.split(",")
    else:
        packages = None
    names = [name for name in arguments if not name.startswith("--")]
    names = names or sorted(name for name in os.listdir(HERE) if name.endswith("_cells.py"))
    for name in names:
        importlib.import_module(name.removesuffix(".py"))
    if packages:
        CELLS[:] = [one for one in CELLS if one[0] in packages]
    with World() as world:
        rows, failed = run(world)
    print("\n".join(rows))
    if check:
        with open(PAGE) as file:
            told = file.read().splitlines()
        for row in rows:
            if row not in told:
                failed += 1
                print(f"docs/clients.md does not say: {row}", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
