"""Every figure of the README, one benchmark after another.

    python benchmarks/run_all.py [--full] [--json]

By default fleets are small enough for some minutes in all; `--full` takes the sizes that the README names. With `--json` each line is
one benchmark: its command and what it found. Each is a process of its own, so that memory is its own too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson
from apparatus import arguments

HERE: Final = Path(__file__).parent

QUICK: Final = (
    ("planning.py", "--machines", "10000"),
    ("decision.py",),
    ("recovery.py", "--machines", "10000"),
    ("makespan.py",),
    ("peers.py",),
    ("discovery.py", "--machines", "10000", "--subscriptions", "20"),
    ("rolling.py", "--time-scale", "240"),
    ("year.py", "--machines", "200"),
    ("page.py",),
)

FULL: Final = (*QUICK, ("planning.py", "--machines", "100000", "--alone"), ("year.py",), ("in_flight.py",))


def main() -> None:
    """Run them; the exit code is 1 if one of them failed."""
    parser = arguments(__doc__)
    parser.add_argument("--full", action="store_true", help="with the sizes that the README names")
    given = parser.parse_args()
    failed = 0
    for script, *options in FULL if given.full else QUICK:
        command = [sys.executable, str(HERE / script), *options, *(["--json"] if given.json else [])]
        if not given.json:
            print(f"\n== {script} {' '.join(options)}".rstrip(), flush=True)
        ended = subprocess.run(command, check=False, stdout=subprocess.PIPE if given.json else None)
        failed += ended.returncode != 0
        if given.json:
            found = orjson.loads(ended.stdout) if ended.returncode == 0 else None
            line = {"benchmark": script, "options": options, "found": found}
            print(orjson.dumps(line).decode(), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
