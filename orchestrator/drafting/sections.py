"""Values of a policy in the notation of one line, as the loader reads them back: rules, probes, steps, windows, stages."""

from __future__ import annotations

from typing import assert_never

from orchestrator.drafting.text import listed, mapping, scalar, selector
from orchestrator.errors import Defect
from orchestrator.policy.change import Enrolment, PinnedBy, Rollback
from orchestrator.policy.defaults import COMMAND_TIMEOUT, MAXIMUM_DURATION
from orchestrator.policy.model import (
    EVERYTHING,
    Around,
    Change,
    Days,
    Each,
    Freeze,
    GroupProbe,
    Growth,
    MaxUnavailable,
    MinAvailable,
    Notify,
    OneAtATime,
    OrderRule,
    Patches,
    Probe,
    ProbeKind,
    Restart,
    Rule,
    RunCommand,
    Schedule,
    Selector,
    Singletons,
    Stage,
    Step,
    StepWhen,
    Window,
    Zone,
)
from orchestrator.policy.time_values import EVERY_DAY, WEEKDAYS
from orchestrator.policy.values import SELECTION
from orchestrator.policy.words import duration, weekday


def rule(one: Rule) -> str:
    """`{max_unavailable: 25%, per: "tag:tier"}`."""
    match one:
        case MaxUnavailable():
            entries = {"max_unavailable": str(one.limit), **_of(one.of), **_per(one.per), **_widened(one)}
        case MinAvailable():
            floor = "majority" if one.floor is None else str(one.floor)
            alone = {} if one.singletons is Singletons.LEAVE_OUT else {"singletons": str(one.singletons)}
            entries = {"min_available": floor, **_of(one.of), **_per(one.per), **alone, **_widened(one)}
        case OneAtATime():
            within = {} if one.within == SELECTION else {"within": scalar(one.within)}
            entries = {"one_at_a_time": scalar(one.domain), **within, **_of(one.of)}
        case OrderRule():
            order = "[" + ", ".join(map(selector, one.sequence)) + "]"
            entries = {"order": order, **_per(one.per)}
        case _:
            assert_never(one)
    return mapping(entries)


def probe(one: Probe) -> str:
    """`app_health`, or `{tcp: {port: 5432}, of: {os: linux}}`."""
    named = one.kind in {ProbeKind.APP_HEALTH, ProbeKind.VM_AGENT}
    if named and one.of == EVERYTHING:
        return str(one.kind)
    return mapping({str(one.kind): "{}" if named else _asked(one), **_of(one.of)})


def group_probe(one: GroupProbe) -> str:
    """`{http: {url: "http://status.shop.example/quorum"}, per: region}`."""
    return mapping({str(one.probe.kind): _asked(one.probe), **_of(one.probe.of), **_per(one.per)})


def _asked(one: Probe) -> str:
    silent = Probe(one.kind)
    entries: dict[str, str] = {}
    if one.kind is ProbeKind.HTTP:
        entries["url"] = scalar(one.url)
        if one.expect_status != silent.expect_status:
            entries["expect_status"] = listed([str(status) for status in one.expect_status])
    else:
        entries |= {"port": str(one.port), "host": scalar(one.host)}
    if one.timeout != silent.timeout:
        entries["timeout"] = duration(one.timeout)
    return mapping(entries)


def around(one: Around) -> str:
    """`{of: {os: linux}, before: {webhook: lb-drain, timeout: 10m}}`."""
    each = {} if one.each is Each.MACHINE else {"each": str(one.each)}
    sides = {"before": one.before, "after": one.after}
    steps = {side: _several([_step(step) for step in steps]) for side, steps in sides.items() if steps}
    return mapping({**each, **_of(one.of), **steps})


def _step(one: Step) -> str:
    when = {} if one.when is StepWhen.HEALTHY else {"when": str(one.when)}
    if one.command is not None:
        return mapping({"run_command": _command(one.command), **when})
    return mapping({"webhook": scalar(one.webhook), "timeout": duration(one.timeout), **when})


def _command(one: RunCommand) -> str:
    """With the script as it is found from here: a policy in this folder names it so."""
    entries = {"script": scalar(one.script.file), "os": str(one.os)}
    if one.timeout != COMMAND_TIMEOUT:
        entries["timeout"] = duration(one.timeout)
    if one.parameters:
        entries["parameters"] = mapping({scalar(name): scalar(value) for name, value in one.parameters})
    return mapping(entries)


def window(one: Window) -> str:
    """`{start: [fri, sat], at: "22:00", for: 8h, time_zone: Europe/Amsterdam}`."""
    return mapping(
        {
            **_days(one.days),
            "at": f'"{one.at:%H:%M}"',
            "for": duration(one.length),
            "time_zone": _zone(one.zone),
        }
    )


def freeze(one: Freeze) -> str:
    """`{from: 2026-12-18, to: 2027-01-04, reason: year end}`."""
    where = {} if one.zone is None else {"time_zone": _zone(one.zone)}
    return mapping({"from": str(one.first), "to": str(one.last), "reason": scalar(one.reason), **where})


def schedule(one: Schedule) -> str:
    """`{start: "third sat", at: "20:00", time_zone: Europe/Amsterdam}`."""
    return mapping({**_days(one.days), "at": f'"{one.at:%H:%M}"', "time_zone": scalar(one.zone)})


def _days(one: Days) -> dict[str, str]:
    entries: dict[str, str] = {}
    named = [weekday(day) for day in one.weekdays]
    if named:
        entries["start"] = EVERY_DAY if named == list(WEEKDAYS) else listed(named)
    if one.after_second_tuesday:
        entries["days_after_second_tuesday"] = listed([str(day) for day in one.after_second_tuesday])
    return entries


def _zone(one: Zone) -> str:
    return mapping({"machine": "true", "else": scalar(one.name)}) if one.machine else scalar(one.name)


def notify(one: Notify) -> str:
    """`{webhook: platform-team, on: [stopped, finished]}`."""
    return mapping({"webhook": scalar(one.webhook), "on": listed([str(occasion) for occasion in one.on])})


def change(one: Change) -> str:
    """`{patches: {classifications: [critical, security], reboot: if_required}}`."""
    match one:
        case Restart():
            return "{restart: {only: pending}}" if one.only_pending else "{restart: {}}"
        case RunCommand():
            return mapping({"run_command": _command(one)})
        case Rollback():
            raise Defect("a rollback is planned from a journal; no policy says it")
        case Enrolment():
            raise Defect("an enrolment is planned from an inventory; no policy says it")
        case Patches():
            classes = "[" + ", ".join(map(scalar, one.classifications)) + "]"
            entries = {"classifications": classes}
            if one.include_kbs:
                entries["include_kbs"] = f"[{', '.join(one.include_kbs)}]"
            if one.exclude_kbs:
                entries["exclude_kbs"] = f"[{', '.join(one.exclude_kbs)}]"
            for key in ("include_names", "exclude_names", "include_packages", "exclude_packages"):
                if masks := getattr(one, key):
                    entries[key] = f"[{', '.join(map(scalar, masks))}]"
            if one.hotpatch_only:
                entries["hotpatch_only"] = "true"
            entries["reboot"] = str(one.reboot)
            if one.maximum_duration != MAXIMUM_DURATION:
                entries["maximum_duration"] = duration(one.maximum_duration)
            if one.pinned_by is not PinnedBy.PUBLICATION:
                entries["pinned_by"] = str(one.pinned_by)
            return mapping({"patches": mapping(entries)})
    assert_never(one)


def stage(one: Stage) -> str:
    """`{name: pilot, up_to: 10%, bake: 24h, then: approve}`."""
    entries = {"name": scalar(one.name)}
    if one.select != EVERYTHING:
        entries["select"] = selector(one.select)
    if one.count is not None:
        entries["count"] = str(one.count)
    if one.per_region is not None:
        entries["per_region"] = str(one.per_region)
    if one.up_to is not None:
        entries["up_to"] = str(one.up_to)
    if one.growing is not None:
        entries["growing"] = _growing(one.growing)
    if one.bake:
        entries["bake"] = duration(one.bake)
    if one.approve:
        entries["then"] = "approve"
    return mapping(entries)


def _growing(one: Growth) -> str:
    most = {} if one.most is None else {"most": str(one.most)}
    return mapping({"first": str(one.first), "factor": str(one.factor), **most})


def _of(one: Selector) -> dict[str, str]:
    return {} if one == EVERYTHING else {"of": selector(one)}


def _per(kinds: tuple[str, ...]) -> dict[str, str]:
    return {"per": listed(kinds)} if kinds else {}


def _widened(one: MaxUnavailable | MinAvailable) -> dict[str, str]:
    """Where a budget is kept otherwise than by every wave: as a cap, or wider for machines that aren't restarted."""
    cap = {"cap": "true"} if one.cap else {}
    if one.rebootless is None:
        return cap
    return {**cap, "rebootless": mapping({"max_unavailable": str(one.rebootless)})}


def _several(values: list[str]) -> str:
    return values[0] if len(values) == 1 else "[" + ", ".join(values) + "]"
