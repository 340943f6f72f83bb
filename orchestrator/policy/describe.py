"""A machine's policy, value by value, with the file and line of each: what `wavekeeper policy show` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.inventory.model import Machine
from orchestrator.policy import words
from orchestrator.policy.defaults import FLOOR
from orchestrator.policy.effective import Effective, effective
from orchestrator.policy.hours import Hours, machine_zone
from orchestrator.policy.model import EVERYTHING, OrderRule, Origin, Policy, Rule
from orchestrator.policy.select import matches

_DEFAULT = Origin("defaults")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that holds for a machine, in words, and where it was written."""

    key: str
    value: str
    origin: Origin


def describe(
    machine: Machine, policies: Sequence[Policy], floor: Policy | None = None
) -> tuple[Setting, ...]:
    """Everything that holds for a machine: policies, rules, health, probes, steps, and what its campaigns do.

    The floor's rules are last; they aren't there if a policy of the machine replaces them.

    Raises:
        PolicyError: if its policies contradict each other.
    """
    held = effective(machine, policies)
    replaced = any(FLOOR in policy.replaces for policy in held.policies)
    under_floor = [floor] if floor is not None and not replaced else []
    return (
        *_policies(held.policies),
        *(setting for policy in held.campaigns for setting in _campaign(policy, held)),
        *_health(held),
        *(Setting("probe", words.probe(probe), probe.origin) for probe in held.probes),
        *(Setting("group_probe", words.group_probe(one), one.probe.origin) for one in held.group_probes),
        *(Setting("around", words.around(around), around.origin) for around in held.around),
        *_hours(machine, held.hours),
        *(Setting("notify", words.notify(entry), entry.origin) for entry in held.notify),
        *_rules(machine, (*held.policies, *under_floor)),
    )


def _policies(policies: Iterable[Policy]) -> Iterator[Setting]:
    for policy in policies:
        origins = dict(policy.origins)
        yield Setting("policy", policy.name, origins.get("name", Origin(policy.file)))
        if policy.replaces:
            yield Setting(
                "replaces", ", ".join(policy.replaces), origins.get("replaces", Origin(policy.file))
            )


def _campaign(policy: Policy, held: Effective) -> Iterator[Setting]:
    campaign = policy.campaign
    assert campaign is not None
    origins = dict(policy.origins)
    yield Setting("change", words.change(campaign.change), campaign.origin)
    for stage in campaign.stages:
        yield Setting("stage", words.stage(stage), stage.origin)
    for key, value in (("unhealthy", held.stop_when.unhealthy), ("not_changed", held.stop_when.not_changed)):
        yield Setting(f"stop_when.{key}", str(value), held.origins.get(f"stop_when.{key}", _DEFAULT))
    for entry in campaign.sooner:
        yield Setting("sooner", words.selector(entry.select), entry.origin)
    if campaign.schedule is not None:
        yield Setting("schedule", words.schedule(campaign.schedule), campaign.schedule.origin)
    yield Setting("deadline", words.duration(campaign.deadline), origins.get("deadline", _DEFAULT))
    limit = "no limit" if campaign.max_in_flight is None else str(campaign.max_in_flight)
    yield Setting("max_in_flight", limit, origins.get("max_in_flight", _DEFAULT))
    yield Setting("max_wait", words.duration(campaign.max_wait), origins.get("max_wait", _DEFAULT))


def _health(held: Effective) -> Iterator[Setting]:
    health = held.health
    for key, value in (
        ("min_healthy_time", words.duration(health.min_healthy_time)),
        ("healthy_deadline", words.duration(health.healthy_deadline)),
        ("interval", words.duration(health.interval)),
        ("fail_after", str(health.fail_after)),
        ("when_already_out", "repair" if health.repair else "leave"),
    ):
        yield Setting(f"health.{key}", value, held.origins.get(f"health.{key}", _DEFAULT))


def _hours(machine: Machine, hours: Hours) -> Iterator[Setting]:
    """Windows and freezes; where the machine's own time zone counts, which one that is."""
    told = f"`{machine.time_zone}`, which isn't known" if machine.time_zone else "not told by Azure"
    own = machine_zone(machine) or told
    for windows in hours.windows:
        for window in windows:
            where = f"; its own is {own}" if window.zone.machine else ""
            yield Setting("window", words.window(window) + where, window.origin)
    for freeze in hours.freezes:
        yield Setting("freeze", words.freeze(freeze), freeze.origin)


def _rules(machine: Machine, policies: Iterable[Policy]) -> Iterator[Setting]:
    for policy in policies:
        for rule in policy.rules:
            if concerns(rule, machine):
                of = (
                    ""
                    if isinstance(rule, OrderRule) or rule.of == EVERYTHING
                    else f", of {words.selector(rule.of)}"
                )
                yield Setting("rule", words.rule(rule) + of, rule.origin)


def concerns(rule: Rule, machine: Machine) -> bool:
    """Whether a rule of a policy that selects the machine has anything to do with it."""
    if isinstance(rule, OrderRule):
        return any(matches(selector, machine) for selector in rule.sequence)
    return matches(rule.of, machine)
