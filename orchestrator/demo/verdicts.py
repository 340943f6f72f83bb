"""What the judge says of a rollout: its plan, the floor, and what the emulator saw. Read back from the files that were left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orchestrator.demo.folder import Folder
from orchestrator.verify.audit import judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.model import Verdict
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.files import read_bytes


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Three judgements, by what was judged, and the audit that the last of them rests on."""

    by_what: Mapping[str, Verdict]
    audit: tuple[Mapping[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Whether every rule was kept."""
        return all(verdict.ok for verdict in self.by_what.values())


def judge(folder: Folder, audit: Path, *, complete: bool) -> Verdicts:
    """Hold the plan, and what came of it, to the rules. `complete`: every machine of the plan must have been worked on."""
    plan = orjson.loads(read_bytes(folder.plan, "plan"))
    inventory = orjson.loads(read_bytes(folder.inventory, "inventory"))
    seen = tuple(orjson.loads(row) for row in read_bytes(audit, "audit").splitlines())
    return Verdicts(
        {
            "the plan, against its own constraints": judge_plan(plan),
            "the plan, against the built-in rules": judge_floor(plan, inventory),
            "what really happened, against both": judge_audit(seen, plan, inventory, complete=complete),
        },
        seen,
    )
