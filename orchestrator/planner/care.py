"""What a plan's file says of how machines are asked and judged, and of what is done around them: rows of its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from orchestrator.inventory.document import (
    Problems,
    a_boolean,
    a_string,
    a_whole_number,
    list_of,
    one_of,
    record,
)
from orchestrator.planner.change_rows import COMMAND, decode_command, encode_command
from orchestrator.planner.model import AroundSteps, ProbedGroup
from orchestrator.planner.rows import Row, duration, named, numbers, origin, rows_of, seconds, without_s
from orchestrator.policy.model import Each, Health, Origin, Probe, ProbeKind, Step, StepWhen

Json = dict[str, Any]

# To the file ----------------------------------------------------------------------------------------------------


def encode_probe(probe: Probe) -> Json:
    """One question."""
    return {
        "kind": probe.kind.value,
        "url": probe.url,
        "expect_status": list(probe.expect_status),
        "host": probe.host,
        "port": probe.port,
        "timeout_s": seconds(probe.timeout),
        "from": encode_origin(probe.origin),
    }


def encode_group(group: ProbedGroup) -> Json:
    """One question about a group."""
    return {"name": group.name, "value": group.value, "probe": encode_probe(group.probe)}


def encode_health(health: Health) -> Json:
    """One way of judging health."""
    told: Json = {
        "min_healthy_time_s": seconds(health.min_healthy_time),
        "healthy_deadline_s": seconds(health.healthy_deadline),
        "interval_s": seconds(health.interval),
        "fail_after": health.fail_after,
    }
    return {**told, "repair": True} if health.repair else told


def encode_around(around: AroundSteps) -> Json:
    """Steps before and after."""
    told: Json = {"before": _steps(around.before), "after": _steps(around.after)}
    return told if around.each is Each.MACHINE else {**told, "each": around.each.value}


def _steps(steps: Iterable[Step]) -> list[Json]:
    return [
        {
            **(
                {"webhook": step.webhook}
                if step.command is None
                else {"command": encode_command(step.command)}
            ),
            "timeout_s": seconds(step.timeout),
            "when": step.when.value,
            "from": encode_origin(step.origin),
        }
        for step in steps
    ]


def encode_origin(written: Origin) -> Json:
    """Where something was written."""
    return {"file": written.file, "line": written.line}


# From the file --------------------------------------------------------------------------------------------------

_PROBE: Final = {
    "kind": one_of(ProbeKind),
    "url": a_string,
    "expect_status": numbers,
    "host": a_string,
    "port": a_whole_number,
    "timeout_s": duration,
    "from": origin,
}

PROBES: Final = list_of(_PROBE, needs="kind")
GROUP_PROBES: Final = list_of({"name": a_string, "value": a_string, "probe": record(_PROBE)}, needs="probe")

HEALTH: Final = rows_of(
    record(
        {
            "min_healthy_time_s": duration,
            "healthy_deadline_s": duration,
            "interval_s": duration,
            "fail_after": a_whole_number,
            "repair": a_boolean,
        }
    )
)

_STEPS: Final = list_of(
    {
        "webhook": a_string,
        "command": COMMAND,
        "timeout_s": duration,
        "when": one_of(StepWhen),
        "from": origin,
    },
    needs="timeout_s",
)
AROUND: Final = rows_of(record({"before": _STEPS, "after": _STEPS, "each": one_of(Each)}))


def decode_probe(row: Row) -> Probe:
    """The question of a row that was read."""
    return Probe(**named(row, timeout_s="timeout", **{"from": "origin"}))


def decode_group(row: Row) -> ProbedGroup:
    """The same about a group."""
    return ProbedGroup(row.get("name", ""), row.get("value", ""), decode_probe(row["probe"]))


def decode_health(row: Row) -> Health:
    """How a row says that health is judged."""
    return Health(**without_s(row))


def decode_around(row: Mapping[str, Any], problems: Problems) -> AroundSteps:
    """The steps of a row that was read; what is wrong with one is noted."""
    before, after = (
        tuple(_step(step, f"around.{key}", problems) for step in row.get(key, ()))
        for key in ("before", "after")
    )
    return AroundSteps(before, after, row.get("each", Each.MACHINE))


def _step(row: Row, where: str, problems: Problems) -> Step:
    if ("webhook" in row) == ("command" in row):
        problems.append(f"{where}: a step is a webhook or a command, one of the two")
    told = {"webhook": "", **row}
    if "command" in row:
        told["command"] = decode_command(row["command"], f"{where}.command", problems)
    return Step(**named(told, timeout_s="timeout", **{"from": "origin"}))
