"""What a plan's file says of the campaign around the rollout: when it is due, and who is told of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.inventory.document import Convert, Problems, a_string, list_of, one_of, record
from orchestrator.planner.calendars import DAY_KEYS, encode_days
from orchestrator.planner.rows import rows_of
from orchestrator.policy.model import Days, Notify, Occasion, Origin, Schedule

Json = dict[str, Any]

_OCCASIONS = rows_of(one_of(Occasion))


def encode_schedule(schedule: Schedule) -> Json:
    """A schedule as plain JSON values."""
    return {
        **encode_days(schedule.days),
        "at": f"{schedule.at:%H:%M}",
        "time_zone": schedule.zone,
        "from": {"file": schedule.origin.file, "line": schedule.origin.line},
    }


def encode_notify(entry: Notify) -> Json:
    """One receiver as plain JSON values."""
    return {
        "webhook": entry.webhook,
        "on": [occasion.value for occasion in entry.on],
        "from": {"file": entry.origin.file, "line": entry.origin.line},
    }


def schedule_of_plan(origin: Convert) -> Convert:
    """What reads a plan's `schedule`."""
    return record({**DAY_KEYS, "from": origin})


def notify_of_plan(origin: Convert) -> Convert:
    """What reads a plan's `notify`."""
    return list_of({"webhook": a_string, "on": _occasions, "from": origin}, needs="webhook")


def _occasions(value: Any, place: str, problems: Problems) -> tuple[Occasion, ...] | None:
    found = _OCCASIONS(value, place, problems)
    return None if found is None else tuple(occasion for occasion in found if occasion is not None)


def decode_schedule(row: Mapping[str, Any] | None, problems: Problems) -> Schedule | None:
    """The schedule of a row that was read; None if there is none, or if something is missing, which is noted."""
    if row is None:
        return None
    days = Days(tuple(row.get("start", ())), tuple(row.get("days_after_second_tuesday", ())))
    missing = [key for key in ("at", "time_zone") if key not in row]
    problems.extend(f"schedule has no `{key}`" for key in missing)
    if not (days.weekdays or days.after_second_tuesday):
        problems.append("schedule is due on no day")
    elif not missing:
        return Schedule(days, row["at"], row["time_zone"], row.get("from", Origin("")))
    return None


def decode_notify(row: Mapping[str, Any]) -> Notify:
    """The receiver of a row that was read."""
    return Notify(row["webhook"], row.get("on", ()), row.get("from", Origin("")))
