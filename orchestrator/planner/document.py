"""The plan file, `wavekeeper.plan/1`: JSON, the same bytes for the same plan, fit to be reviewed.

The digest of its bytes names it. It is read strictly; whether its waves keep its constraints is `verify`'s to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import orjson

from orchestrator.errors import UsageError
from orchestrator.inventory.document import Problems
from orchestrator.inventory.model import MachineId
from orchestrator.planner import quick_rows
from orchestrator.planner.decode import decode
from orchestrator.planner.encode import SCHEMA, encode
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.pieces import Split, write
from orchestrator.planner.rules import named

MOST_PROBLEMS: Final = 20
"""Problems told of one file; whoever has more needs another file, not a longer list."""

LARGE: Final = {"machines": True, "constraints": False, "lanes": False}
"""The parts of a plan that grow with the fleet, with whether each is an object."""

_FAMILY: Final = SCHEMA.partition("/")[0]


def dump(plan: Plan) -> bytes:
    """The file of a plan."""
    return write(encode(plan))


def digest(text: bytes) -> str:
    """The name of a plan: a digest of its file's bytes."""
    return sha256(text).hexdigest()


def parse(text: bytes, name: str) -> Plan:
    """Read a plan file; `name` is what errors call it.

    Raises:
        UsageError: with everything that is wrong with it.
    """
    try:
        split = Split(text, LARGE)
    except orjson.JSONDecodeError as error:
        raise UsageError(_no_json(name, error)) from None
    if not isinstance(split.head, dict) or split.head.get("schema") != SCHEMA:
        raise UsageError(_other_schema(split.head, name))
    return _quickly(split) or _strictly(text, name)


def _quickly(split: Split) -> Plan | None:
    """The plan of a file that is as it should be; None if there is anything that the strict reader has to look at."""
    problems: Problems = []
    small = decode({**split.head, "machines": {}, "constraints": [], "lanes": []}, problems)
    if small is None or _unlike_stages(split.head, small):
        return None
    try:
        plan = replace(
            small,
            machines=quick_rows.machines(split.pieces("machines")),
            constraints=quick_rows.constraints(split.pieces("constraints")),
            lanes=quick_rows.lanes(split.pieces("lanes")),
        )
    except (quick_rows.Unusual, orjson.JSONDecodeError):
        return None
    return None if problems or any(_broken(plan)) else plan


def _strictly(text: bytes, name: str) -> Plan:
    """The plan of a file, or everything that is wrong with it."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(_no_json(name, error)) from None
    problems: Problems = []
    plan = decode(document, problems)
    if plan is not None:
        if _unlike_stages(document, plan):
            problems.append("stages and stage_gates name different stages")
        problems += _broken(plan)
    if plan is None or problems:
        raise UsageError(_told(name, problems))
    return plan


def _unlike_stages(document: Mapping[str, Any], plan: Plan) -> bool:
    return bool(document["stages"] != [stage.name for stage in plan.stages])


def _no_json(name: str, error: orjson.JSONDecodeError) -> str:
    return f"{name} is not JSON: {error}; a plan is written by `wavekeeper plan -o FILE`"


def _other_schema(document: object, name: str) -> str:
    schema = document.get("schema") if isinstance(document, dict) else None
    family, _, version = str(schema).partition("/")
    if family == _FAMILY and version.isdigit() and version != SCHEMA.partition("/")[2]:
        return f"{name} is of a newer form, {schema}; this program reads {SCHEMA}: update it, or plan again"
    if isinstance(schema, str) and schema.startswith("wavekeeper."):
        return f"{name} is no plan but a {schema}; a plan is written by `wavekeeper plan -o FILE`"
    return f"{name} is no plan: its schema is not {SCHEMA}; a plan is written by `wavekeeper plan -o FILE`"


def _told(name: str, problems: Sequence[str]) -> str:
    shown = [f"{name}: {problem}" for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        shown.append(f"{name}: and {len(problems) - MOST_PROBLEMS} problems more")
    return "\n".join(shown)


# References -----------------------------------------------------------------------------------------------------


def _broken(plan: Plan) -> Iterator[str]:
    """Whatever names something that isn't there. A rollout indexes a plan once and relies on it from then on."""
    known = {machine.id for machine in plan.machines}
    for rule in plan.constraints:
        if not known.issuperset(named(rule)):
            strange = sorted(set(named(rule)) - known)
            yield f"constraint {rule.id} names {_some(strange)}, which `machines` doesn't hold"
    yield from _broken_lanes(plan, known)
    yield from _broken_places(plan)


def _broken_places(plan: Plan) -> Iterator[str]:
    """Machines that name rows of the plan's tables which aren't there. Many machines name the same ones."""
    good: set[tuple[object, ...]] = set()
    standings = 0 if plan.hotpatching is None else len(plan.hotpatching.standings)
    for machine in plan.machines:
        named = (
            machine.probes,
            machine.around,
            machine.groups,
            machine.health,
            machine.calendar,
            machine.sooner,
            machine.hotpatch,
        )
        if named in good:
            continue
        wrong = False
        for what, places, rows in (
            ("probe", machine.probes, len(plan.probes)),
            ("step", machine.around, len(plan.around)),
            ("group", machine.groups, len(plan.group_probes)),
            ("health", (machine.health,), len(plan.health)),
            ("calendar", () if machine.calendar is None else (machine.calendar,), len(plan.calendars)),
            ("standing", () if machine.hotpatch is None else (machine.hotpatch,), standings),
            ("entry of `sooner`", () if machine.sooner is None else (machine.sooner,), len(plan.sooner)),
        ):
            if any(not 0 <= place < rows for place in places):
                yield f"machine {machine.name} names {what} {max(places)}, and there are {rows}"
                wrong = True
        if not wrong:
            good.add(named)


def _broken_lanes(plan: Plan, known: set[MachineId]) -> Iterator[str]:
    stages = {stage.name for stage in plan.stages}
    stage_of: dict[str, str] = {}
    for lane in plan.lanes:
        if lane.id in stage_of:
            yield f"there are two lanes {lane.id}"
        stage_of[lane.id] = lane.stage
        if lane.stage not in stages:
            yield f"lane {lane.id} is in stage {lane.stage}, which the plan doesn't have"
    seen: set[MachineId] = set()
    for lane in plan.lanes:
        yield from _broken_lane(lane, known, seen, stage_of)


def _broken_lane(
    lane: Lane, known: set[MachineId], seen: set[MachineId], stage_of: dict[str, str]
) -> Iterator[str]:
    for other in lane.after:
        if stage_of.get(other) != lane.stage:
            yield f"lane {lane.id} waits for {other}, which is no lane of its stage"
    if not lane.waves:
        yield f"lane {lane.id} has no waves"
    for wave in lane.waves:
        if not wave.machines:
            yield f"lane {lane.id} has an empty wave"
        if not known.issuperset(wave.machines):
            strange = [machine for machine in wave.machines if machine not in known]
            yield f"lane {lane.id} changes {_some(strange)}, which `machines` doesn't hold"
        if not seen.isdisjoint(wave.machines):
            twice = [machine for machine in wave.machines if machine in seen]
            yield f"{_some(twice)} is in two waves; a plan changes a machine once"
        seen.update(wave.machines)


def _some(machines: Sequence[MachineId]) -> str:
    more = f" and {len(machines) - 1} more" if len(machines) > 1 else ""
    return f"{machines[0]}{more}"
