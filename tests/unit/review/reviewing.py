"""Short ways to review policies in tests."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.errors import Problem
from orchestrator.inventory.model import Inventory
from orchestrator.policy.load import read_all
from orchestrator.review.review import Review, review
from orchestrator.wiring.files import floor

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def reviewed(*texts: str, fleet: Inventory | None = None) -> Review:
    """The review of files `0.yaml`, `1.yaml` and so on; each text may leave out its first two lines."""
    files = [
        (f"{n}.yaml", text if "version:" in text else f"version: 1\nname: p{n}\n{text}\n")
        for n, text in enumerate(texts)
    ]
    return review(read_all(files), floor(), NOW, fleet)


def found(*texts: str, fleet: Inventory | None = None) -> list[str]:
    """Its findings as `file:line:column: code`."""
    return [placed(problem) for problem in reviewed(*texts, fleet=fleet).problems]


def placed(problem: Problem) -> str:
    """`0.yaml:3:1: WK201`."""
    return f"{str(problem).partition(': ')[0]}: {problem.code}"


def said(*texts: str, fleet: Inventory | None = None) -> list[str]:
    """Its findings in words, without their places."""
    return [
        f"{problem.code}: {problem.what}; {problem.instead}"
        for problem in reviewed(*texts, fleet=fleet).problems
    ]
