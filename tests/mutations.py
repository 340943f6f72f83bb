"""Would anybody notice? Take out one safeguard after the other, and see that a test fails for each.

    python tests/mutations.py [NAME ...]

Works on a copy of the tree in a temporary folder; this one isn't touched. A mutation whose text isn't found any more fails
too: then the safeguard has moved, and this script has to follow it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = (
    "orchestrator",
    "tests",
    "policies",
    "docs",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    ".importlinter",
)
EXPLORED = "tests/simulation/test_explored.py"


@dataclass(frozen=True)
class Mutation:
    """One safeguard: where it stands, and what stands there instead without it."""

    name: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        "the intent's append",
        "orchestrator/executor/log.py",
        "        body = encode(tuple(written), rollout)\n",
        "        body = encode(tuple(fact for fact in written if not isinstance(fact, e.Intended)), rollout)\n",
    ),
    Mutation(
        "the adoption of a run that shows",
        "orchestrator/executor/attempt.py",
        "            new = shown and shown != activity.baseline\n",
        "            new = False\n",
    ),
    Mutation(
        "the epoch and the sequence of an append",
        "orchestrator/store/memory.py",
        "        self._refuse(expected_seq, letters, moving)\n",
        "",
    ),
    Mutation(
        "admission's granted but not yet seen",
        "orchestrator/availability/ledger.py",
        "        return grant is not None or foreign, foreign or (grant is not None and grant.restarts)\n",
        "        return foreign, foreign\n",
    ),
    Mutation(
        "the write lock",
        "orchestrator/store/memory.py",
        "        if (holder := self._scope.holder) is not None:\n",
        "        if (holder := self._scope.holder) is not None and holder.who == 'nobody':\n",
    ),
    Mutation(
        "a hold on whom it means",
        "orchestrator/rollout/holding.py",
        "        if meant.holds(machine):\n",
        "        if meant.holds(machine) and name == 'h0':\n",
    ),
)


def noticed(mutation: Mutation, copy: Path) -> str:
    """The first test that fails without the safeguard; empty if none does."""
    path = copy / mutation.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutation.old) != 1:
        raise SystemExit(
            f"{mutation.file}: {mutation.old!r} stands there {whole.count(mutation.old)} times, not once"
        )
    path.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", EXPLORED],
            cwd=copy, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    finally:
        path.write_text(whole, encoding="utf-8")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return failed[0].split(" - ")[0].removeprefix("FAILED ") if failed else ""


def main() -> int:
    """Try all, or those whose name holds a word given; 0 if each was noticed."""
    wanted = [m for m in MUTATIONS if not sys.argv[1:] or any(word in m.name for word in sys.argv[1:])]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        for mutation in wanted:
            test = noticed(mutation, copy)
            missed += not test
            print(f"without {mutation.name}: {test or 'NOBODY NOTICED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
