"""Everything that a plan lays down besides machines, constraints and lanes: what is changed, stages, when it stops, health.

What holds for each machine by itself (health, probes, steps, where it stands) is compared for machines that both plans change,
and told once for all to which the same happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.planner.diff_model import TermChange
from orchestrator.planner.model import Plan, PlannedMachine, StageGate
from orchestrator.policy import words
from orchestrator.policy.model import EVERYTHING, Around, Health, Origin, Patches
from orchestrator.policy.windows import Calendar

NOTHING: Final = "nothing"
"""What is written for a side that lays nothing down."""


def term_changes(old: Plan, new: Plan) -> tuple[TermChange, ...]:
    """What is laid down otherwise: first for the plan as a whole, then for machines."""
    return (*_whole(old, new), *_of_machines(old, new))


def _whole(old: Plan, new: Plan) -> Iterator[TermChange]:
    was, now = _terms(old), _terms(new)
    for what in dict.fromkeys((*was, *now)):
        before, after = was.get(what, NOTHING), now.get(what, NOTHING)
        if before != after:
            yield TermChange(what, before, after)


def _terms(plan: Plan) -> Mapping[str, str]:
    """By what it is called, in the order in which it is told."""
    terms = {
        "the campaign": plan.name,
        "the change": words.change(plan.change),
        "it stops at unhealthy": str(plan.stop_when.unhealthy),
        "it stops at not changed": str(plan.stop_when.not_changed),
        "built-in rules replaced": ", ".join(plan.replaces) or NOTHING,
        "in flight at most": "any number" if plan.max_in_flight is None else str(plan.max_in_flight),
        "longest wait": words.duration(plan.max_wait),
        "deadline": words.duration(plan.deadline),
        "it is due": NOTHING if plan.schedule is None else words.schedule(plan.schedule),
        "told": "; ".join(map(words.notify, plan.notify)) or NOTHING,
        "lanes searched to the end by": plan.solver or NOTHING,
        "who goes sooner": "; ".join(entry.what for entry in plan.sooner) or NOTHING,
        "the stages": ", ".join(stage.name for stage in plan.stages),
    }
    if isinstance(plan.change, Patches):
        terms["patches published until"] = _moment(plan.change.published_until)
        terms |= {
            f"{what} that assessments found": ", ".join(only) or "none"
            for what, only in (("KBs", plan.change.only_kbs), ("packages", plan.change.only_packages))
            if only is not None
        }
    return {**terms, **{f"after stage {stage.name}": _gate(stage) for stage in plan.stages}}


def _gate(stage: StageGate) -> str:
    bakes = f"bakes {words.duration(stage.bake)}" if stage.bake else ""
    return ", ".join(filter(None, (bakes, "waits for approval" if stage.approve else ""))) or NOTHING


def _moment(at: datetime | None) -> str:
    return "any time" if at is None else f"{at:%Y-%m-%d %H:%M %Z}".rstrip()


# Machine by machine ---------------------------------------------------------------------------------------------

_EACH_ITS_OWN: Final = frozenset(
    {"name, address or tags that probes read", "zone, set, domains or tags that rules read"}
)
"""What is different for each machine, so that only the fact of the change is told, once for all."""


def _of_machines(old: Plan, new: Plan) -> Iterator[TermChange]:
    before: Mapping[MachineId, PlannedMachine] = {m.id: m for m in old.machines if m.change}
    same_tags = old.read_tags == new.read_tags
    tables_before, tables = _Tables(old, facts=same_tags), _Tables(new, facts=same_tags)
    alike: dict[tuple[str, str, str], list[str]] = {}
    for machine in new.machines:
        was = before.get(machine.id)
        if was is None or not machine.change:
            continue
        for (what, one), (_, other) in zip(tables_before.of(was), tables.of(machine), strict=True):
            if one != other:
                key = (what, "", "changed") if what in _EACH_ITS_OWN else (what, one, other)
                alike.setdefault(key, []).append(machine.name)
    for (what, one, other), names in alike.items():
        yield TermChange(what, one, other, tuple(sorted(names)))


class _Tables:
    """What a plan's tables say, in words made once. `facts` of plans that read different tags can't be compared."""

    def __init__(self, plan: Plan, *, facts: bool) -> None:
        self._facts = facts
        self._probes = [words.probe(probe) for probe in plan.probes]
        self._health = [_health(health) for health in plan.health]
        self._around = [
            words.around(Around(EVERYTHING, steps.before, steps.after, Origin(""), steps.each))
            for steps in plan.around
        ]
        self._calendars = [_calendar(calendar) for calendar in plan.calendars]

    def of(self, machine: PlannedMachine) -> Iterator[tuple[str, str]]:
        """What is laid down for a machine, always in the same order."""
        tags = sorted((machine.tags or {}).items())
        own = [
            machine.name,
            machine.private_ip,
            machine.computer_name,
            *(f"{name}={value}" for name, value in tags),
        ]
        yield "health", self._health[machine.health]
        yield "probes", _listed(self._probes[place] for place in machine.probes)
        yield "steps around", _listed(self._around[place] for place in machine.around)
        yield (
            "windows and freezes",
            NOTHING if machine.calendar is None else self._calendars[machine.calendar],
        )
        yield "expected time", words.duration(machine.takes)
        yield "restart", machine.restart.value
        yield "policies", _listed(machine.policies)
        yield "kind", f"{machine.kind.value}, {machine.os.value}, {machine.location}"
        yield "name, address or tags that probes read", "\n".join(own)
        yield "zone, set, domains or tags that rules read", machine.facts if self._facts else ""


def _listed(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part) or NOTHING


def _health(health: Health) -> str:
    return (
        f"well for {words.duration(health.min_healthy_time)} within {words.duration(health.healthy_deadline)}, "
        f"asked every {words.duration(health.interval)}, unwell after {health.fail_after}"
        + (", repaired if it is out already" if health.repair else "")
    )


def _calendar(calendar: Calendar) -> str:
    windows = (" or ".join(map(words.window, policys)) for policys in calendar.windows)
    freezes = (f"not {_moment(one.start)} to {_moment(one.end)}: {one.reason}" for one in calendar.freezes)
    return _listed((*windows, *freezes))
