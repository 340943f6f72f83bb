"""Both judgements of a plan, of a file that is read once: its own word, and the floor.

A plan of 100,000 machines is half a gigabyte as plain values, and so is its inventory. Each is let go as soon as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.verify.document import read
from orchestrator.verify.fleet import read_fleet
from orchestrator.verify.floor import hold_document, names_of
from orchestrator.verify.model import Findings, Verdict
from orchestrator.verify.plan import judge_document


def judge_whole(
    plan: Callable[[], object], inventory: Callable[[], Mapping[str, Any]]
) -> tuple[Verdict, Verdict]:
    """What `judge_plan` says of a plan, and what `judge_floor` says of it and the inventory; each is asked for once, the plan first.

    Raises:
        InventoryError: If the inventory isn't one.
    """
    reading = Findings()
    document = read(plan(), reading)
    own = judge_document(document, reading.apart({}))
    fleet = read_fleet(inventory())
    return own, hold_document(document, fleet, reading.apart(names_of(fleet)))
