"""Which machines a change restarts, as far as it is known, and which it leaves serving throughout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.availability.model import Budget, Constraint
from orchestrator.hotpatch.calendar import Calendar
from orchestrator.hotpatch.foresee import Foreseen, foresee
from orchestrator.hotpatch.model import Installation, Month, Restarts, Standing, Told, Track
from orchestrator.hotpatch.predict import restart_of
from orchestrator.hotpatch.surprise import surprises
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import Change, MaxUnavailable, MinAvailable, Patches, Policy, Reboot
from orchestrator.policy.select import matcher
from orchestrator.topology.graph import Topology

_Rule = TypeVar("_Rule", bound=Constraint)


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is foreseen before a change, by assessments first and by the hotpatch calendar where there is none.

    `stay_up` are those of `Restarts.NEVER` around which no steps are done either; `unrestarted` are those which are sent with
    `reboot: never` though the campaign may restart others. `tracks` is None where no month is known.
    """

    of: Mapping[MachineId, Foreseen]
    stay_up: frozenset[MachineId]
    unrestarted: frozenset[MachineId] = frozenset()
    tracks: Tracks | None = None
    surprises: tuple[str, ...] = ()  # of the month: that it may not be what the calendar says


def predict(
    topology: Topology,
    machines: Iterable[MachineId],
    change: Change,
    policies: Sequence[Policy],
    calendar: Calendar,
) -> Predicted:
    """What the change does to each of these machines.

    Where the campaign restarts machines if required, those that need no restart are sent with `reboot: never`, if a rule gives
    such machines room of their own (`rebootless`): so one plan has two speeds, and nobody is taken for one that stays up who might be restarted.
    """
    if isinstance(change, Enrolment):
        return _settings(topology, machines, policies)
    if not isinstance(change, Patches):
        return Predicted({}, frozenset())
    taken_at = topology.inventory.taken_at
    tracks = None if taken_at is None else Tracks(calendar, Month.at(taken_at.date()))
    asked = installation_of(change)
    held = list(map(topology.machine, machines))
    found = {machine.id: foresee(machine, asked, tracks) for machine in held}
    unrestarted = frozenset[MachineId]()
    if change.reboot is Reboot.IF_REQUIRED:
        unrestarted = _unrestarted(held, replace(asked, may_restart=False), policies)
        found.update({one: replace(found[one], restarts=Restarts.NEVER) for one in sorted(unrestarted)})
    never = [machine for machine, foreseen in found.items() if foreseen.restarts is Restarts.NEVER]
    up = frozenset(never) - _with_steps(topology, never, policies)
    stands = [(machine, found[machine.id].standing) for machine in held]
    told = () if tracks is None else tuple(surprises(tracks, stands))
    return Predicted(found, up, unrestarted, tracks, told)


def _settings(topology: Topology, machines: Iterable[MachineId], policies: Sequence[Policy]) -> Predicted:
    """A setting takes nobody down, whatever month it is."""
    chosen = sorted(machines)
    foreseen = Foreseen(Restarts.NEVER, Told.SETTINGS, Standing(Track.UNKNOWN, Told.NOTHING, "nobody asked"))
    up = frozenset(chosen) - _with_steps(topology, chosen, policies)
    return Predicted(dict.fromkeys(chosen, foreseen), up)


def _unrestarted(
    machines: Iterable[Machine], asked: Installation, policies: Sequence[Policy]
) -> frozenset[MachineId]:
    """Those that need no restart, and to which a rule gives room for that."""
    tests = [
        (matcher(policy.select), matcher(rule.of))
        for policy in policies
        for rule in policy.rules
        if isinstance(rule, MaxUnavailable | MinAvailable) and rule.rebootless is not None
    ]
    return frozenset(
        machine.id
        for machine in machines
        if any(selected(machine) and of(machine) for selected, of in tests)
        and restart_of(machine, asked) is Restarts.NEVER
    )


def installation_of(change: Patches) -> Installation:
    """The change in the words of a prediction."""
    return Installation(
        classifications=change.classifications,
        include_kbs=change.include_kbs,
        exclude_kbs=change.exclude_kbs,
        may_restart=change.reboot is not Reboot.NEVER,
        always_restarts=change.reboot is Reboot.ALWAYS,
        published_until=change.published_until,
        include_names=change.include_names,
        exclude_names=change.exclude_names,
        include_packages=change.include_packages,
        exclude_packages=change.exclude_packages,
        never_reboots_only=change.hotpatch_only,
        only_kbs=change.only_kbs,
        only_packages=change.only_packages,
    )


def _with_steps(
    topology: Topology, machines: Sequence[MachineId], policies: Sequence[Policy]
) -> frozenset[MachineId]:
    """Those around which steps are done: they drain a machine, or a whole wave, so that it counts as out whatever its updates do."""
    tests = [(matcher(policy.select), matcher(around.of)) for policy in policies for around in policy.around]
    return frozenset(
        machine
        for machine in machines
        if any(selected(held) and of(held) for selected, of in tests for held in (topology.machine(machine),))
    )


def sparing(rule: _Rule, stay_up: frozenset[MachineId]) -> _Rule:
    """The constraint as a change takes places of it that leaves these machines serving. Only budgets of restarts know the difference.

    The id stays: another rollout may restart who is spared here.
    """
    if not (isinstance(rule, Budget) and rule.restarts):
        return rule
    counted = tuple(machine for machine in rule.members if machine not in stay_up)
    return replace(
        rule, machines=counted, spared=tuple(machine for machine in rule.members if machine in stay_up)
    )
