"""The policy language in sentences: what a rule, a probe or a duration is called in plans, errors and `policy show`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, assert_never

from orchestrator.policy.change import Enrolment, PinnedBy, Rollback
from orchestrator.policy.model import (
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
    Share,
    Singletons,
    Stage,
    Weekday,
    Window,
    Zone,
)
from orchestrator.policy.time_values import EVERY_DAY, ORDINALS, WEEKDAYS
from orchestrator.policy.values import SELECTION
from orchestrator.topology.model import GroupKind


def counted(number: int, noun: str) -> str:
    """`1 machine`, `1,200 machines`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def duration(length: timedelta) -> str:
    """A duration as policies write it: `1h30m`."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if unit != "d" or seconds >= 172800:  # up to two days in hours: 24h is what people write
            count, seconds = divmod(seconds, size)
            if count:
                parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


_LABELS: Final = (
    ("names", ""),
    ("os", ""),
    ("kinds", "kind "),
    ("regions", ""),
    ("zones", "zone "),
    ("subscriptions", "subscription "),
    ("resource_groups", "resource group "),
    ("availability_sets", "availability set "),
    ("scale_sets", "scale set "),
)
"""Fields of a selector and what stands before their values in a sentence."""


def selector(one: Selector) -> str:
    """A selector in a sentence: `tier=api,web and westeurope`; "all" for the one that selects everything."""
    parts = [name if values == ("*",) else f"{name}={','.join(values)}" for name, values in one.tags]
    parts += [f"no tag {name}" for name in one.without_tags]
    for field, label in _LABELS:
        values = getattr(one, field)
        if values:
            parts.append(label + ",".join(values))
    if one.any_of:
        parts.append("(" + " or ".join(selector(option) for option in one.any_of) + ")")
    parts.extend(f"not ({selector(excluded)})" for excluded in one.none_of)
    return " and ".join(parts) or "all"


def group_kind(kind: str) -> str:
    """`update domain`, or `tag tier`. A load balancer's group is its back-end pool."""
    if kind == GroupKind.LOAD_BALANCER:
        return "back-end pool"
    return f"tag {kind.removeprefix('tag:')}" if kind.startswith("tag:") else kind.replace("_", " ")


def rule(one: Rule) -> str:
    """`at most 25% unavailable per tag tier`."""
    match one:
        case MaxUnavailable():
            return f"at most {one.limit} unavailable{_per(one.per)}{_rebootless(one.rebootless)}{_cap(cap=one.cap)}"
        case MinAvailable():
            alone = _ALONE[one.singletons]
            least = f"at least {one.floor or 'a majority'} available{_per(one.per)}"
            return f"{least}{_rebootless(one.rebootless)}{alone}{_cap(cap=one.cap)}"
        case OneAtATime():
            within = "" if one.within == SELECTION else f" within {group_kind(one.within)}"
            return f"one {group_kind(one.domain)} at a time{within}"
        case OrderRule():
            return f"{', then '.join(selector(entry) for entry in one.sequence)}{_per(one.per)}"
    assert_never(one)


def _rebootless(share: Share | None) -> str:
    return "" if share is None else f", {share} where nothing restarts"


def probe(one: Probe) -> str:
    """`http http://{private_ip}:8080/healthz, expecting 200`."""
    match one.kind:
        case ProbeKind.HTTP:
            statuses = " or ".join(str(status) for status in one.expect_status)
            return f"http {one.url}, expecting {statuses} within {duration(one.timeout)}"
        case ProbeKind.TCP:
            return f"tcp {one.host}:{one.port} within {duration(one.timeout)}"
        case ProbeKind.APP_HEALTH | ProbeKind.VM_AGENT:
            return one.kind.value
    assert_never(one.kind)


def group_probe(one: GroupProbe) -> str:
    """`http http://status.shop.example/quorum, expecting 200 within 5s, of tier=db per region`."""
    of = "" if one.probe.of == Selector() else f", of {selector(one.probe.of)}"
    return f"{probe(one.probe)}{of}{_per(one.per)}"


def around(one: Around) -> str:
    """`before: lb-drain (10m); after: lb-undrain (10m, when healthy)`, with what it is around unless that is a machine."""
    return ("" if one.each is Each.MACHINE else f"each {one.each}: ") + _steps(one)


def _steps(one: Around) -> str:
    before = ", ".join(f"{step.name} ({duration(step.timeout)})" for step in one.before)
    after = ", ".join(f"{step.name} ({duration(step.timeout)}, when {step.when})" for step in one.after)
    return "; ".join(part for part in (before and f"before: {before}", after and f"after: {after}") if part)


def days(one: Days) -> str:
    """`fri, sat and 4 days after the second tuesday`."""
    if {day.day for day in one.weekdays if not day.nth} == set(range(7)):
        return EVERY_DAY.replace("_", " ")
    after = ", ".join(str(number) for number in one.after_second_tuesday)
    counted = [f"{after} days after the second tuesday"] if after else []
    return " and ".join([*([", ".join(map(weekday, one.weekdays))] if one.weekdays else []), *counted])


def weekday(one: Weekday) -> str:
    """`fri`, or `second tue`."""
    nth = next((word for word, number in ORDINALS.items() if number == one.nth), "")
    return f"{nth} {WEEKDAYS[one.day]}".strip()


def zone(one: Zone) -> str:
    """`Europe/Amsterdam`, or `the machine's time zone, else Europe/Amsterdam`."""
    return f"the machine's time zone, else {one.name}" if one.machine else one.name


def window(one: Window) -> str:
    """`fri, sat at 22:00 for 8h, Europe/Amsterdam`."""
    return f"{days(one.days)} at {one.at:%H:%M} for {duration(one.length)}, {zone(one.zone)}"


def freeze(one: Freeze) -> str:
    """`2026-12-18 to 2027-01-04: year end`."""
    where = f", {zone(one.zone)}" if one.zone is not None else ""
    return f"{one.first} to {one.last}{where}: {one.reason}"


def schedule(one: Schedule) -> str:
    """`third sat at 20:00, Europe/Amsterdam`."""
    return f"{days(one.days)} at {one.at:%H:%M}, {one.zone}"


def notify(one: Notify) -> str:
    """`platform-team of stopped, finished`."""
    return f"{one.webhook} of {', '.join(one.on)}"


def change(one: Change) -> str:
    """`install critical, security patches, reboot if_required, at most 2h`."""
    match one:
        case Restart():
            return "restart, where a restart is pending" if one.only_pending else "restart"
        case Patches():
            return ", ".join(_patches(one))
        case RunCommand():
            return f"run {command(one)}"
        case Rollback():
            return rollback(one)
        case Enrolment():
            return enrolment(one)
    assert_never(one)


def command(one: RunCommand) -> str:
    """`scripts/clear-cache.ps1 (3f2a91c07d44) on windows, at most 30m`, with its parameters and how its digest begins."""
    pinned = f" ({one.script.sha256[:12]})" if one.script.sha256 else ""
    given = ", ".join(f"{name}={value}" for name, value in one.parameters)
    return f"{one.script.file}{pinned} on {one.os}, at most {duration(one.timeout)}" + (
        f", with {given}" if given else ""
    )


def enrolment(one: Enrolment) -> str:
    """`set patchMode, bypassPlatformSafetyChecksOnUserSchedule of 12 machines`."""
    keys = sorted({key.rpartition(".")[2] for settings in one.settings for key, _ in settings.wanted})
    whose = f", as they were before rollout {one.undoes}" if one.undoes else ""
    return f"set {', '.join(keys)} of {counted(len(one.settings), 'machine')}{whose}"


def rollback(one: Rollback) -> str:
    """`take back KB 5087423 of rollout monthly-20261124-0100, restart, check`."""
    kbs = ", ".join(sorted({kb for undo in one.undo for kb in undo.kbs}))
    install = f"install baseline KB {', '.join(one.baseline)}, " if one.baseline else ""
    return f"take back KB {kbs} of rollout {one.rollout}, {install}restart, check"


def pinned(one: Change) -> str:
    """How a plan's set of patches is pinned: `Windows updates published until 2026-11-29 10:00 UTC`; empty if it isn't, or needn't be."""
    if not isinstance(one, Patches):
        return ""
    parts = []
    if one.only_kbs is not None:
        parts.append(f"{counted(len(one.only_kbs), 'KB')} that assessments found")
    if one.published_until is not None:
        at = f"{one.published_until:%Y-%m-%d %H:%M %Z}".rstrip()
        parts.append(f"Windows updates published until {at}")
    if one.only_packages is not None:
        found = counted(len(one.only_packages), "Linux package")
        parts.append(f"{found} in the versions that assessments found")
    return ", ".join(parts)


def _patches(one: Patches) -> Iterator[str]:
    yield f"install {', '.join(one.classifications) or 'no class of'} patches"
    for word, kbs, names, packages in (
        ("with", one.include_kbs, one.include_names, one.include_packages),
        ("without", one.exclude_kbs, one.exclude_names, one.exclude_packages),
    ):
        if kbs:
            yield f"{word} KB {', '.join(kbs)}"
        if names:
            yield f"{word} updates named {', '.join(names)}"
        if packages:
            yield f"{word} packages {', '.join(packages)}"
    if one.hotpatch_only:
        yield "hotpatches only"
    yield f"reboot {one.reboot}"
    yield f"at most {duration(one.maximum_duration)}"
    if one.pinned_by is PinnedBy.ASSESSMENT:
        yield "pinned by assessment"


def stage(one: Stage) -> str:
    """`canary: at most 5, 1 a region; bake 4h`."""
    bounds = [] if one.select == Selector() else [selector(one.select)]
    if one.count is not None:
        bounds.append(f"at most {one.count}")
    if one.per_region is not None:
        bounds.append(f"{one.per_region} a region")
    if one.up_to is not None:
        bounds.append(f"up to {one.up_to}")
    then = [growth(one.growing)] if one.growing is not None else []
    then += [f"bake {duration(one.bake)}"] if one.bake else []
    then += ["then a person's approval"] if one.approve else []
    return f"{one.name}: " + "; ".join([", ".join(bounds) or "all that are left", *then])


_ALONE: Final = {
    Singletons.LEAVE_OUT: "",
    Singletons.ALLOW: ", groups of one allowed",
    Singletons.APPROVE: ", groups of one with a person's yes",
}


def growth(one: Growth) -> str:
    """`in steps of 1, 2, 4, ..., at most 64`."""
    if one.first.count is not None:
        sizes = ", ".join(str(one.first.count * one.factor**step) for step in range(3))
        said = f"in steps of {sizes}, ..."
    else:
        said = f"in steps of {one.first}, each {one.factor} times the one before"
    return said + (f", at most {one.most}" if one.most is not None else "")


def _per(per: tuple[str, ...]) -> str:
    return f" per {' and '.join(group_kind(kind) for kind in per)}" if per else ""


def _cap(*, cap: bool) -> str:
    return ", as a cap" if cap else ""
