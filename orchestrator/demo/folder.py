"""The folder that the demonstration leaves behind. It replaces one of its own from before, and never anything else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.wiring.files import write_bytes

MARK: Final = ".made-by-wavekeeper-demo"
"""A file by whose presence a folder is ours to empty."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of a demonstration goes. `bad` holds what belongs to the rollout of the bad update."""

    root: Path

    @property
    def company(self) -> Path:
        """The fleet as the emulator is given it."""
        return self.root / "company.json"

    @property
    def inventory(self) -> Path:
        """The fleet as it was read through the Azure SDK."""
        return self.root / "inventory.json"

    @property
    def policies(self) -> Path:
        """The policies, to read and to copy."""
        return self.root / "policies"

    @property
    def plan(self) -> Path:
        """The plan that both rollouts run."""
        return self.root / "plan.json"

    @property
    def topology(self) -> Path:
        """The fleet, coloured by state."""
        return self.root / "topology.svg"

    @property
    def waves(self) -> Path:
        """The fleet, coloured by wave."""
        return self.root / "waves.svg"

    @property
    def audit(self) -> Path:
        """What the emulator saw of the first rollout."""
        return self.root / "audit.jsonl"

    @property
    def journal(self) -> Path:
        """The first rollout's journal."""
        return self.root / "journal.db"

    @property
    def bad(self) -> Folder:
        """The same for the second rollout."""
        return Folder(self.root / "bad-update")

    @property
    def faults(self) -> Path:
        """What the emulator is told to do wrong."""
        return self.root / "faults.yaml"

    @property
    def report(self) -> Path:
        """The page."""
        return self.root / "report.html"


def claim(root: Path) -> Folder:
    """An empty folder of ours at `root`; one from before is emptied.

    Raises:
        UsageError: if there is something else, which is left as it is.
    """
    mark = root / MARK
    try:
        if root.exists() and not mark.is_file() and not _is_empty(root):
            raise UsageError(
                f"{root} is there already, and not from an earlier demonstration; "
                "name another folder with --out, or move it away"
            )
        if mark.is_file():
            shutil.rmtree(root)
        folder = Folder(root)
        folder.policies.mkdir(parents=True)
        folder.bad.root.mkdir()
        mark.write_text("This folder is made anew by each `wavekeeper demo`.\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the folder {root} can't be made: {error.strerror or error}") from None
    return folder


def _is_empty(root: Path) -> bool:
    return root.is_dir() and not any(root.iterdir())


def write_policies(folder: Folder, port: int) -> None:
    """The policies of this package, with the emulator's port in the addresses that they ask."""
    for held in sorted(files("orchestrator.demo").joinpath("policies").iterdir(), key=lambda f: f.name):
        text = held.read_text(encoding="utf-8").replace("127.0.0.1:{port}/", f"127.0.0.1:{port}/")
        write_bytes(folder.policies / held.name, text.encode())
