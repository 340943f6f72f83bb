"""From a checked file to the policy: defaults filled in, origins kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.inventory.ids import region_name
from orchestrator.inventory.model import Os
from orchestrator.policy import defaults
from orchestrator.policy.change import Reboot, Script
from orchestrator.policy.document import Document, Path, Value
from orchestrator.policy.model import (
    Around,
    Campaign,
    Change,
    Days,
    Freeze,
    GroupProbe,
    Growth,
    Health,
    MaxUnavailable,
    MinAvailable,
    Notify,
    Occasion,
    OneAtATime,
    OrderRule,
    Origin,
    Patches,
    Policy,
    Probe,
    ProbeKind,
    Restart,
    Rule,
    RunCommand,
    Schedule,
    Selector,
    Share,
    Singletons,
    Sooner,
    Stage,
    Step,
    StepWhen,
    StopWhen,
    Window,
    Zone,
)
from orchestrator.policy.schema import rules
from orchestrator.policy.schema.campaign import ChangeSection, GrowingSection, StageSection, StopWhenSection
from orchestrator.policy.schema.command import RunCommandSection
from orchestrator.policy.schema.file import PolicyFile
from orchestrator.policy.schema.health import (
    AfterStepSection,
    AroundSection,
    GroupProbeSection,
    HealthSection,
    ProbeSection,
    StepSection,
)
from orchestrator.policy.schema.hours import FreezeSection, ScheduleSection, WindowSection, ZoneSection
from orchestrator.policy.schema.notify import NotifySection
from orchestrator.policy.schema.section import Select
from orchestrator.policy.scripts import os_of, script_file


def build(document: Document, file: PolicyFile) -> Policy:
    """The policy of a file that has no problems."""
    return Policy(
        name=file.name,
        file=document.file,
        select=selector(file.select or Select()),
        rules=tuple(_rule(rule, document.origin(("rules", index))) for index, rule in enumerate(file.rules)),
        probes=_probes(document, file.health),
        group_probes=_group_probes(document, file.health),
        health=_health(file.health),
        stop_when=_stop_when(file.stop_when) if file.stop_when else None,
        around=tuple(_around(document, ("around", index), a) for index, a in enumerate(file.around)),
        windows=tuple(
            window(section, document.origin(("windows", index)))
            for index, section in enumerate(file.windows or ())
        ),
        freezes=tuple(
            _freeze(freeze, document.origin(("freezes", index)))
            for index, freeze in enumerate(file.freezes or ())
        ),
        notify=tuple(
            _notify(entry, document.origin(("notify", index))) for index, entry in enumerate(file.notify)
        ),
        campaign=_campaign(document, file, file.change) if file.change else None,
        replaces=tuple(file.replaces),
        origins=tuple(_origins(document, document.data, ())),
    )


def default_stages() -> tuple[Stage, ...]:
    """The stages of a campaign that names none."""
    return (
        Stage(
            name="canary",
            count=defaults.CANARY_COUNT,
            per_region=defaults.CANARY_PER_REGION,
            bake=defaults.CANARY_BAKE,
        ),
        Stage(name="pilot", up_to=Share(percent=defaults.PILOT_PERCENT), bake=defaults.PILOT_BAKE),
        Stage(name="broad"),
    )


def selector(select: Select) -> Selector:
    """A selector in the one spelling that matching compares by; equal selections written alike are equal."""
    return Selector(
        tags=tuple(sorted((name.lower(), _lower(values)) for name, values in select.tags.items())),
        without_tags=_lower(select.without_tags),
        names=_lower(select.names),
        regions=tuple(sorted({region_name(region) for region in select.regions})),
        zones=_lower(select.zones),
        subscriptions=_lower(select.subscriptions),
        resource_groups=_lower(select.resource_groups),
        os=_lower(select.os),
        kinds=_lower(select.kinds),
        availability_sets=_lower(select.availability_sets),
        scale_sets=_lower(select.scale_sets),
        none_of=tuple(selector(excluded) for excluded in select.none_of),
        any_of=tuple(selector(option) for option in select.any_of),
    )


def _lower(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({str(value).lower() for value in values}))


def _rule(rule: rules.AnyRule, origin: Origin) -> Rule:
    match rule:
        case rules.MaxUnavailableRule():
            of, per, wider = selector(rule.of), _per(rule.per), _rebootless(rule)
            return MaxUnavailable(rule.max_unavailable, of, per, rule.cap, origin, wider)
        case rules.MinAvailableRule():
            singletons = rule.singletons or Singletons.LEAVE_OUT
            of, per, wider = selector(rule.of), _per(rule.per), _rebootless(rule)
            return MinAvailable(rule.min_available, of, per, rule.cap, singletons, origin, wider)
        case rules.OneAtATimeRule():
            return OneAtATime(rule.one_at_a_time, rule.within, selector(rule.of), origin)
        case rules.OrderRule():
            return OrderRule(tuple(selector(select) for select in rule.order), _per(rule.per), origin)


def _rebootless(rule: rules.MaxUnavailableRule | rules.MinAvailableRule) -> Share | None:
    return rule.rebootless.max_unavailable if rule.rebootless else None


def _per(per: Sequence[str]) -> tuple[str, ...]:
    """`selection` alone is the same as nothing: one group."""
    return tuple(kind for kind in per if kind != "selection")


def _probes(document: Document, health: HealthSection | None) -> tuple[Probe, ...]:
    sections = health.probes if health else []
    return tuple(_probe(p, document.origin(("health", "probes", index))) for index, p in enumerate(sections))


def _group_probes(document: Document, health: HealthSection | None) -> tuple[GroupProbe, ...]:
    sections = health.group_probes if health else []
    return tuple(
        GroupProbe(_asked(p, document.origin(("health", "group_probes", index))), _per(p.per))
        for index, p in enumerate(sections)
    )


def _probe(section: ProbeSection, origin: Origin) -> Probe:
    if section.http or section.tcp:
        return _asked(section, origin)
    kind = ProbeKind.APP_HEALTH if section.app_health else ProbeKind.VM_AGENT
    return Probe(kind=kind, of=selector(section.of), origin=origin)


def _asked(section: ProbeSection | GroupProbeSection, origin: Origin) -> Probe:
    """A probe over the network."""
    of = selector(section.of)
    if section.http:
        return Probe(
            kind=ProbeKind.HTTP,
            of=of,
            url=section.http.url,
            expect_status=tuple(section.http.expect_status) or defaults.HTTP_EXPECT_STATUS,
            timeout=section.http.timeout or defaults.PROBE_TIMEOUT,
            origin=origin,
        )
    assert section.tcp
    return Probe(
        kind=ProbeKind.TCP,
        of=of,
        host=section.tcp.host or defaults.TCP_HOST,
        port=section.tcp.port,
        timeout=section.tcp.timeout or defaults.PROBE_TIMEOUT,
        origin=origin,
    )


def _health(section: HealthSection | None) -> Health | None:
    if section is None:
        return None
    silent = Health()
    return Health(
        min_healthy_time=section.min_healthy_time or silent.min_healthy_time,
        healthy_deadline=section.healthy_deadline or silent.healthy_deadline,
        interval=section.interval or silent.interval,
        fail_after=section.fail_after or silent.fail_after,
        repair=section.when_already_out == "repair",
    )


def _stop_when(section: StopWhenSection) -> StopWhen:
    silent = StopWhen()
    return StopWhen(section.unhealthy or silent.unhealthy, section.not_changed or silent.not_changed)


def _around(document: Document, at: Path, section: AroundSection) -> Around:
    return Around(
        of=selector(section.of),
        before=tuple(
            _step(document, (*at, "before", index), step) for index, step in enumerate(section.before)
        ),
        after=tuple(_step(document, (*at, "after", index), step) for index, step in enumerate(section.after)),
        origin=document.origin(at),
        each=section.each,
    )


def _step(document: Document, at: Path, section: StepSection) -> Step:
    when = section.when if isinstance(section, AfterStepSection) else None
    command = _command(document, section.run_command) if section.run_command else None
    return Step(
        webhook=section.webhook or "",
        timeout=command.timeout if command else section.timeout or defaults.STEP_TIMEOUT,
        when=when or StepWhen.HEALTHY,
        origin=document.origin(at),
        command=command,
    )


def _command(document: Document, section: RunCommandSection) -> RunCommand:
    """The command without its script's text, which whoever reads files puts in (`scripts`)."""
    return RunCommand(
        Script(script_file(document.file, section.script)),
        Os(section.os) if section.os else os_of(section.script),
        section.timeout or defaults.COMMAND_TIMEOUT,
        tuple(sorted(section.parameters.items())),
    )


def window(section: WindowSection, origin: Origin) -> Window:
    """A window as calendars know it."""
    return Window(
        days=_days(section),
        at=section.at,
        length=section.length,
        zone=zone(section.time_zone),
        origin=origin,
    )


def _days(section: WindowSection | ScheduleSection) -> Days:
    days = {day for entry in section.start for day in entry}
    return Days(
        tuple(sorted(days, key=lambda day: (day.day, day.nth))),
        tuple(sorted(set(section.days_after_second_tuesday))),
    )


def _schedule(section: ScheduleSection, origin: Origin) -> Schedule:
    return Schedule(_days(section), section.at, section.time_zone, origin)


def _notify(section: NotifySection, origin: Origin) -> Notify:
    return Notify(section.webhook, tuple(sorted(set(section.on), key=list(Occasion).index)), origin)


def _freeze(section: FreezeSection, origin: Origin) -> Freeze:
    where = None if section.time_zone is None else zone(section.time_zone)
    return Freeze(section.first, section.last, section.reason, where, origin)


def zone(section: ZoneSection) -> Zone:
    """A zone by name, or each machine's own."""
    return Zone(section.otherwise, bool(section.machine))


def _campaign(document: Document, file: PolicyFile, change: ChangeSection) -> Campaign:
    return Campaign(
        change=_change(document, change),
        stages=_stages(document, file.stages),
        stop_when=_stop_when(file.stop_when or StopWhenSection()),
        deadline=file.deadline or defaults.DEADLINE,
        max_in_flight=file.max_in_flight,
        max_wait=file.max_wait or defaults.MAX_WAIT,
        origin=document.origin(("change",)),
        schedule=_schedule(file.schedule, document.origin(("schedule",))) if file.schedule else None,
        sooner=tuple(
            Sooner(selector(entry), document.origin(("sooner", index)))
            for index, entry in enumerate(file.sooner or ())
        ),
    )


def _change(document: Document, section: ChangeSection) -> Change:
    patches = section.patches
    if section.run_command is not None:
        return _command(document, section.run_command)
    if patches is None:
        return Restart(only_pending=section.restart is not None and section.restart.only == "pending")
    asked = patches.classifications
    return Patches(
        classifications=defaults.CLASSIFICATIONS if asked is None else tuple(sorted(set(asked))),
        include_kbs=tuple(sorted(set(patches.include_kbs))),
        exclude_kbs=tuple(sorted(set(patches.exclude_kbs))),
        include_names=tuple(sorted(set(patches.include_names))),
        exclude_names=tuple(sorted(set(patches.exclude_names))),
        include_packages=tuple(sorted(set(patches.include_packages))),
        exclude_packages=tuple(sorted(set(patches.exclude_packages))),
        hotpatch_only=patches.hotpatch_only,
        reboot=Reboot.NEVER if patches.hotpatch_only else patches.reboot,
        maximum_duration=patches.maximum_duration,
        pinned_by=patches.pinned_by,
    )


def _stages(document: Document, sections: Sequence[StageSection] | None) -> tuple[Stage, ...]:
    if sections is None:
        return default_stages()
    return tuple(
        Stage(
            name=section.name,
            select=selector(section.select),
            count=section.count,
            per_region=section.per_region,
            up_to=section.up_to,
            bake=section.bake or Stage(section.name).bake,
            approve=section.then == "approve",
            growing=_growth(section.growing) if section.growing else None,
            origin=document.origin(("stages", index)),
        )
        for index, section in enumerate(sections)
    )


def _growth(section: GrowingSection) -> Growth:
    silent = Growth()
    return Growth(section.first or silent.first, section.factor or silent.factor, section.most)


def _origins(document: Document, value: Value, at: Path) -> Iterator[tuple[str, Origin]]:
    """Every key that stands in mappings alone, dotted; what lists hold has an origin of its own."""
    if isinstance(value, dict):
        for key in sorted(value):
            here = (*at, key)
            yield ".".join(str(part) for part in here), document.origin(here)
            yield from _origins(document, value[key], here)
