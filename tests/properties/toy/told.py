"""A plan told in words, so that a failing case can be read, and pasted back to see it fail again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestrator.availability.model import Constraint
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Each, Freeze, Health, Origin, Share, StopWhen, Zone
from orchestrator.policy.windows import calendar
from tests.builders import (
    always,
    budget,
    exclusion,
    grouped,
    lane,
    order,
    plan_of,
    stage,
    step,
    surrounded,
    under,
)

AROUND = {
    "nothing": ((), ()),
    "drain": ((step("drain"),), (step("undrain"),)),
    "silence and drain": ((step("silence"), step("drain")), (step("undrain"), always("unsilence"))),
}

WIDER = {
    "nothing": (),
    "waves": ((Each.WAVE, (step("hold"),), (step("free"),)),),
    "everything": (
        (Each.WAVE, (step("hold"),), (always("free"),)),
        (Each.STAGE, (step("announce"), step("hold")), (always("tell"), step("free"))),
        (Each.ROLLOUT, (step("hold"),), (step("free"), step("report"))),
    ),
    "stages, for some": ((Each.STAGE, (step("hold"),), (step("free"),)),),
}
"""Steps around more than one machine: a stretch is held from `hold` to `free`."""

STOPS = {
    "never": StopWhen(Share(count=1000), Share(count=1000)),
    "default": StopWhen(),
    "second": StopWhen(Share(count=2), Share(count=3)),
}


FROZEN = calendar(
    [], [Freeze(date(2026, 11, 20), date(2026, 11, 23), "sale", Zone("UTC"), Origin("f.yaml", 1))], None
)


@dataclass(frozen=True)
class Told:
    """A plan. `lanes`: (id, stage, after, waves), a wave being names; `rules`: ("budget", 1, "a b") and the like."""

    lanes: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]
    stages: tuple[tuple[str, int, bool], ...]  # name, minutes of bake, approve
    rules: tuple[tuple[Any, ...], ...] = ()
    around: str = "nothing"
    wider: str = "nothing"
    repair: bool = False  # machines that are out already are changed all the same
    group: str = ""  # machines that are asked about together
    stop: str = "never"
    in_flight: int | None = None
    frozen: bool = False  # for the first two days, unless somebody declares an emergency

    def plan(self) -> Plan:
        """The plan itself."""
        before, after = AROUND[self.around]
        made = plan_of(
            *(lane(name, *waves, stage=s, after=after) for name, s, after, waves in self.lanes),
            rules=list({rule.id: rule for rule in map(_rule, self.rules)}.values()),
            stages=[
                stage(name, bake=timedelta(minutes=bake), approve=yes) for name, bake, yes in self.stages
            ],
            before=before,
            after=after,
            stop_when=STOPS[self.stop],
            max_in_flight=self.in_flight,
            max_wait=timedelta(hours=2),
            health=Health(repair=self.repair),
        )
        for each, earlier, later in WIDER[self.wider]:
            only = self.lanes[0][3][0] if self.wider.endswith("for some") else ""
            made = surrounded(made, each, earlier, later, only)
        if self.frozen:
            made = under(made, FROZEN)
        return grouped(made, "db", self.group) if self.group else made


def _rule(told: tuple[Any, ...]) -> Constraint:
    match told:
        case ("budget", int(limit), str(names)):
            return budget(limit, names)
        case ("exclusion", *domains):
            return exclusion(dict(domains))
        case ("order", str(first), str(then)):
            return order(first, then)
        case _:
            raise AssertionError(f"no rule: {told}")
