"""What a well-formed policy file may still get wrong: keys that don't fit together, stages that nobody reaches.

Each check looks at one thing and yields its problems; nothing here needs an inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import defaults, words
from orchestrator.policy.asking import group_probe_nonsense, probe_nonsense
from orchestrator.policy.document import Document, Path
from orchestrator.policy.model import Growth, Share
from orchestrator.policy.patch_meaning import patches_nonsense
from orchestrator.policy.schema.campaign import CHANGE_KINDS, GrowingSection, StageSection
from orchestrator.policy.schema.file import CAMPAIGN_KEYS, PolicyFile
from orchestrator.policy.schema.health import HealthSection
from orchestrator.policy.schema.hours import ZoneSection
from orchestrator.policy.schema.rules import (
    MaxUnavailableRule,
    MinAvailableRule,
    OneAtATimeRule,
    OrderRule,
)
from orchestrator.policy.schema.section import Select
from orchestrator.policy.scripts import command_nonsense
from orchestrator.policy.step_meaning import step_nonsense
from orchestrator.policy.values import LONGEST, SELECTION
from orchestrator.topology.model import GroupKind

MOST_ORDERED: Final = 16
"""The longest `order`: each two of it become a constraint."""


def nonsense(document: Document, file: PolicyFile) -> Iterator[Problem]:
    """Every problem of a file that the schema lets through."""
    yield from _whole(document, file)
    yield from _selectors(document, ("select",), file.select)
    for index, rule in enumerate(file.rules):
        at: Path = ("rules", index)
        match rule:
            case MaxUnavailableRule() | MinAvailableRule():
                yield from _counted(document, at, rule)
            case OneAtATimeRule():
                yield from _one_at_a_time(document, at, rule)
            case OrderRule():
                yield from _order(document, at, rule)
    yield from _health(document, file.health)
    yield from _around(document, file)
    yield from _windows(document, file)
    yield from _freezes(document, file)
    yield from _schedule(document, file)
    yield from _notify(document, file)
    yield from _change(document, file)
    yield from _stages(document, file.stages)
    yield from _sooner(document, file)


def _whole(document: Document, file: PolicyFile) -> Iterator[Problem]:
    for name in file.replaces:
        if name != defaults.FLOOR:
            yield document.problem(
                ("replaces",),
                f"`{name}` can't be replaced: the rules of other policies always hold",
                f"write {defaults.FLOOR}, the built-in rules, or take the key out",
            )
    if file.change is None:
        for key in CAMPAIGN_KEYS:
            if getattr(file, key) is not None:
                what = f"`{key}` belongs to a campaign, and this policy changes nothing"
                yield document.problem((key,), what, "add `change`, or take it out", key=True)
        said = (
            file.rules,
            file.health,
            file.around,
            file.windows,
            file.freezes,
            file.notify,
            file.stop_when,
            file.replaces,
        )
        if not any(part not in (None, []) for part in said):
            yield document.problem(
                (), "the policy says nothing", "add `rules`, or `change` if it is a campaign"
            )
    elif file.select is None or not file.select.model_fields_set:
        yield document.problem(
            ("select",) if file.select else ("change",),
            "a campaign changes only what it selects, and this one doesn't say what",
            'write `select`; select: {names: "*"} is every machine',
            key=True,
        )


def _selectors(document: Document, at: Path, select: Select | None) -> Iterator[Problem]:
    """Empty selectors where they turn the meaning around, and what no machine can be."""
    if select is None:
        return
    wanted = {name.lower() for name in select.tags}
    for place, name in enumerate(select.without_tags):
        if name.lower() in wanted:
            what = f"no machine has a value of the tag `{name}` and lacks it"
            instead = "take it out of `tags` or of `without_tags`"
            yield document.problem((*at, "without_tags", place), what, instead)
    for index, excluded in enumerate(select.none_of):
        here: Path = (*at, "not", index)
        if not excluded.model_fields_set:
            yield document.problem(here, "`not: {}` excludes every machine", "say which machines not")
        yield from _selectors(document, here, excluded)
    for index, option in enumerate(select.any_of):
        here = (*at, "any", index)
        if not option.model_fields_set:
            yield document.problem(
                here, "`{}` in `any` selects every machine", "say which machines, or take it out"
            )
        yield from _selectors(document, here, option)


def _counted(document: Document, at: Path, rule: MaxUnavailableRule | MinAvailableRule) -> Iterator[Problem]:
    yield from _selectors(document, (*at, "of"), rule.of)
    yield from _per(document, at, rule.per)
    yield from _rebootless(document, at, rule)
    if not isinstance(rule, MinAvailableRule) or rule.singletons is None:
        return
    if rule.min_available is not None and rule.min_available.percent is not None:
        what = "a percentage always lets one machine of a group go, so `singletons` changes nothing"
        yield document.problem(
            (*at, "singletons"), what, "take it out, or write a count or `majority`", key=True
        )


def _rebootless(
    document: Document, at: Path, rule: MaxUnavailableRule | MinAvailableRule
) -> Iterator[Problem]:
    """What is for machines that don't restart must be more than what is for all."""
    if rule.rebootless is None:
        return
    if isinstance(rule, MaxUnavailableRule):
        limit = rule.max_unavailable
    elif rule.min_available is not None and rule.min_available.percent is not None:
        limit = Share(percent=100 - rule.min_available.percent)
    else:
        return
    wider = rule.rebootless.max_unavailable
    if not _grows(limit, wider):
        yield document.problem(
            (*at, "rebootless", "max_unavailable"),
            f"{wider} where nothing restarts is no more than the {limit} that may be out anyway",
            f"write more than {limit}, or take `rebootless` out",
        )


def _per(document: Document, at: Path, per: list[str]) -> Iterator[Problem]:
    for place, kind in enumerate(per):
        if kind in per[:place]:
            yield document.problem((*at, "per", place), f"`{kind}` stands twice in `per`", "write it once")
    if SELECTION in per and len(per) > 1:
        yield document.problem(
            (*at, "per"), "`selection` is everything, so it divides nothing", "take it out of `per`"
        )


def _one_at_a_time(document: Document, at: Path, rule: OneAtATimeRule) -> Iterator[Problem]:
    yield from _selectors(document, (*at, "of"), rule.of)
    if rule.one_at_a_time == SELECTION:
        what = "`selection` is one domain, so it excludes nothing"
        yield document.problem((*at, "one_at_a_time"), what, "write a kind of group such as zone")
    elif rule.one_at_a_time == GroupKind.REGION_PAIR:
        what = "a region may stand in two pairs, so pairs don't divide the machines"
        instead = "write one_at_a_time: region, within: region_pair"
        yield document.problem((*at, "one_at_a_time"), what, instead)
    elif rule.one_at_a_time == rule.within:
        what = f"a {rule.within} within a {rule.within} is always just one"
        yield document.problem(
            (*at, "within"), what, "write the larger group, such as region, or leave it out"
        )


def _order(document: Document, at: Path, rule: OrderRule) -> Iterator[Problem]:
    yield from _per(document, at, rule.per)
    if len(rule.order) < 2:
        yield document.problem(
            (*at, "order"), "an order of fewer than two", "write what comes first, then what follows"
        )
    if len(rule.order) > MOST_ORDERED:
        yield document.problem((*at, "order"), f"an order of more than {MOST_ORDERED}", "join or split it")
    for place, select in enumerate(rule.order):
        yield from _selectors(document, (*at, "order", place), select)
        if select in rule.order[:place]:
            first = rule.order.index(select)
            what = f"the order loops: entry {place + 1} is the same as entry {first + 1}, and can't come after itself"
            yield document.problem((*at, "order", place), what, "take one of the two out")


def _health(document: Document, health: HealthSection | None) -> Iterator[Problem]:
    if health is None:
        return
    at: Path = ("health",)
    if not health.model_fields_set:
        yield document.problem(
            at, "`health` says nothing", "write what differs from the defaults, or take it out", key=True
        )
    well = health.min_healthy_time or defaults.MIN_HEALTHY_TIME
    deadline = health.healthy_deadline or defaults.HEALTHY_DEADLINE
    interval = health.interval or defaults.PROBE_INTERVAL
    if deadline < well:
        key = "healthy_deadline" if health.healthy_deadline else "min_healthy_time"
        what = f"a machine must be well for {words.duration(well)} (min_healthy_time) within {words.duration(deadline)} (healthy_deadline)"
        yield document.problem(
            (*at, key), what, "write a longer healthy_deadline, or a shorter min_healthy_time"
        )
    if interval > well:
        key = "interval" if health.interval else "min_healthy_time"
        what = f"asked each {words.duration(interval)}, a machine may not be asked at all in {words.duration(well)}"
        yield document.problem((*at, key), what, "write an interval shorter than min_healthy_time")
    for index, probe in enumerate(health.probes):
        here = (*at, "probes", index)
        yield from _selectors(document, (*here, "of"), probe.of)
        yield from probe_nonsense(document, here, probe)
    for index, group_probe in enumerate(health.group_probes):
        here = (*at, "group_probes", index)
        yield from _selectors(document, (*here, "of"), group_probe.of)
        yield from _per(document, here, group_probe.per)
        yield from group_probe_nonsense(document, here, group_probe)


def _around(document: Document, file: PolicyFile) -> Iterator[Problem]:
    for index, around in enumerate(file.around):
        at: Path = ("around", index)
        yield from _selectors(document, (*at, "of"), around.of)
        if not (around.before or around.after):
            yield document.problem(at, "no step, neither before nor after", "write `before` or `after`")
        for side in ("before", "after"):
            alone = getattr(around, side) and document.is_mapping((*at, side))
            for place, step in enumerate(getattr(around, side)):
                here: Path = (*at, side) if alone else (*at, side, place)
                yield from step_nonsense(document, here, step, around.each)


def _windows(document: Document, file: PolicyFile) -> Iterator[Problem]:
    if file.windows == []:
        yield document.problem(
            ("windows",), "no windows", "write at least one, or take the key out", key=True
        )
    for index, window in enumerate(file.windows or ()):
        at: Path = ("windows", index)
        if not (window.start or window.days_after_second_tuesday):
            what = "the window doesn't say on which days it starts"
            yield document.problem(at, what, "write `start`, such as start: [fri, sat], or start: every_day")
        yield from _zone(document, (*at, "time_zone"), window.time_zone)


def _freezes(document: Document, file: PolicyFile) -> Iterator[Problem]:
    if file.freezes == []:
        yield document.problem(
            ("freezes",), "no freezes", "write at least one, or take the key out", key=True
        )
    for index, freeze in enumerate(file.freezes or ()):
        at: Path = ("freezes", index)
        if freeze.last < freeze.first:
            what = f"the freeze ends on {freeze.last}, before it begins on {freeze.first}"
            yield document.problem((*at, "to"), what, "write the last day that is frozen")
        elif freeze.last - freeze.first > LONGEST:
            what = f"the freeze is longer than a year: {(freeze.last - freeze.first).days + 1} days"
            instead = "write the year that is meant, or leave the machines out of every campaign's `select`"
            yield document.problem((*at, "to"), what, instead)
        if freeze.time_zone is not None:
            yield from _zone(document, (*at, "time_zone"), freeze.time_zone)


def _schedule(document: Document, file: PolicyFile) -> Iterator[Problem]:
    schedule = file.schedule
    if schedule and not (schedule.start or schedule.days_after_second_tuesday):
        what = "the schedule doesn't say on which days the campaign is due"
        instead = "write `days_after_second_tuesday`, such as 4, or `start`, such as third sat"
        yield document.problem(("schedule",), what, instead, key=True)


def _notify(document: Document, file: PolicyFile) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, entry in enumerate(file.notify):
        if first.setdefault(entry.webhook, index) != index:
            what = f"`{entry.webhook}` is told twice"
            yield document.problem(("notify", index, "webhook"), what, "write one entry with all of `on`")


def _zone(document: Document, at: Path, zone: ZoneSection) -> Iterator[Problem]:
    if zone.machine is not True and document.is_mapping(at):
        what = "only `machine: true` makes a difference between a machine's own time zone and another"
        yield document.problem(at, what, f"write machine: true besides, or time_zone: {zone.otherwise}")


def _change(document: Document, file: PolicyFile) -> Iterator[Problem]:
    if file.change is None:
        return
    at: Path = ("change",)
    kinds = [kind for kind in CHANGE_KINDS if kind in file.change.model_fields_set]
    if len(kinds) != 1:
        found = "none" if not kinds else " and ".join(kinds)
        what = f"a campaign makes exactly one kind of change, and this one {found}"
        yield document.problem(at, what, f"write one of {', '.join(CHANGE_KINDS)}")
    patches = file.change.patches
    if patches is not None:
        yield from patches_nonsense(document, (*at, "patches"), patches)
    if file.change.run_command is not None:
        yield from command_nonsense(document, (*at, "run_command"), file.change.run_command)


def _stages(document: Document, stages: list[StageSection] | None) -> Iterator[Problem]:
    if stages is None:
        return
    if not stages:
        yield document.problem(("stages",), "no stages", "write at least {name: broad}, or take the key out")
    names: dict[str, int] = {}
    all_taken: str | None = None
    reached: Share | None = None
    for index, stage in enumerate(stages):
        at: Path = ("stages", index)
        yield from _selectors(document, (*at, "select"), stage.select)
        if stage.name in names:
            what = f"two stages are named `{stage.name}`"
            yield document.problem((*at, "name"), what, "give each a name of its own")
        names.setdefault(stage.name, index)
        if all_taken:
            what = f"stage `{stage.name}` gets no machine: `{all_taken}` before it takes all that are left"
            yield document.problem(
                at, what, "put it earlier, or bound the stage before it by `count`, `up_to` or `select`"
            )
        elif _takes_all(stage):
            all_taken = stage.name
        if stage.up_to and reached and not _grows(reached, stage.up_to):
            what = f"`up_to` counts earlier stages in, and {reached} of the machines are done by then"
            yield document.problem((*at, "up_to"), what, f"write more than {reached}")
        reached = stage.up_to or reached
        if stage.growing is not None:
            yield from _growing(document, (*at, "growing"), stage.growing)


def _growing(document: Document, at: Path, growing: GrowingSection) -> Iterator[Problem]:
    if growing.factor == 1:
        what = "steps that are each as large as the one before don't grow"
        yield document.problem((*at, "factor"), what, "write 2 or more")
    first = growing.first or Growth().first
    if growing.most is not None and growing.most != first and not _grows(first, growing.most):
        what = f"the first step takes {first}, more than {growing.most} (`most`)"
        yield document.problem((*at, "most"), what, f"write {first} or more")


def _takes_all(stage: StageSection) -> bool:
    bounded = stage.count or stage.per_region or (stage.up_to and stage.up_to.percent != 100)
    return not bounded and not stage.select.model_fields_set


def _grows(before: Share, now: Share) -> bool:
    """Whether `now` is more than `before`; a count and a percentage can't be compared without a fleet."""
    if before.count is not None and now.count is not None:
        return now.count > before.count
    if before.percent is not None and now.percent is not None:
        return now.percent > before.percent
    return True


def _sooner(document: Document, file: PolicyFile) -> Iterator[Problem]:
    for index, select in enumerate(file.sooner or ()):
        at: Path = ("sooner", index)
        yield from _selectors(document, at, select)
        if not select.model_fields_set:
            yield document.problem(
                at, "if all machines go sooner, none does", "say which, or take the entry out"
            )
        elif select in (file.sooner or ())[:index]:
            yield document.problem(at, "this selector stands in `sooner` already", "write it once")
