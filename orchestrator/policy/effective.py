"""What holds for a machine under several policies, and where each value of it was written.

Rules, probes and steps add up. Of what can hold only once, the strictest that any policy *wrote* holds; defaults are
filled in after that, so that a silent file never conflicts:

    min_healthy_time   the longest: every owner sees the machine well for as long as they asked
    healthy_deadline   the longest: whoever knows that the machine takes an hour to come back is right; it counts as out
                       meanwhile, so waiting breaks nobody's rule
    interval           the shortest, and fail_after the smallest: whoever wants to know sooner does
    when_already_out   leave, if any policy writes it: whoever wants a machine left alone has a reason
    windows            of each policy one must be open; freezes add up
    notify             adds up, by receiver
    stop_when          the smallest of each; a count and a percentage can't be compared, and must be written alike

A machine without a probe from any policy is asked `DEFAULT_PROBES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.policy import codes, words
from orchestrator.policy.campaigns import overlapping
from orchestrator.policy.hours import Hours, Meetings, hours
from orchestrator.policy.index import Index
from orchestrator.policy.model import (
    EVERYTHING,
    Around,
    GroupProbe,
    Health,
    Notify,
    Occasion,
    Origin,
    Policy,
    Probe,
    ProbeKind,
    Share,
    StopWhen,
)
from orchestrator.policy.select import matcher

DEFAULT_PROBES: Final = (Probe(ProbeKind.VM_AGENT), Probe(ProbeKind.APP_HEALTH))
"""What a machine is asked where no policy says: the guest agent, which every machine that can be changed has, and the Application Health
extension. The latter counts only where the extension is: `AppHealth.NONE` means not asked, never unwell."""


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for a machine, all policies taken together.

    `origins` says where `health.*` and `stop_when.*` were written; probes and steps carry their own origins.
    """

    policies: tuple[Policy, ...]  # those that select it, in the order of their files
    probes: tuple[Probe, ...]
    group_probes: tuple[GroupProbe, ...]  # with the policy's own `select` left out: they concern this machine
    health: Health
    around: tuple[Around, ...]
    hours: Hours
    notify: tuple[Notify, ...]
    stop_when: StopWhen
    origins: Mapping[str, Origin]

    @property
    def campaigns(self) -> tuple[Policy, ...]:
        """The campaigns among its policies."""
        return tuple(policy for policy in self.policies if policy.campaign)


def effective(machine: Machine, policies: Sequence[Policy]) -> Effective:
    """What holds for one machine; `settle` for many.

    Raises:
        PolicyError: if its policies contradict each other, naming both files and lines.
    """
    return settle([machine], policies)[machine.id]


def settle(machines: Iterable[Machine] | Index, policies: Sequence[Policy]) -> Mapping[MachineId, Effective]:
    """What holds for each machine. Machines under the same rules share one value.

    Raises:
        PolicyError: with every contradiction of the policies on these machines, each once.
    """
    ordered = sorted(policies, key=lambda policy: (policy.file, policy.name))
    known: dict[tuple[int, ...], Effective] = {}
    settled: dict[MachineId, Effective] = {}
    problems: dict[Problem, None] = {}
    together: dict[tuple[int, ...], list[Machine]] = {}
    meetings = Meetings()
    index = machines if isinstance(machines, Index) else Index(machines)
    for machine, key in zip(index.machines, _keys(index, ordered), strict=True):
        places = [-part - 1 for part in key if part < 0]
        if key not in known:
            known[key] = _merged([ordered[place] for place in places], machine, problems)
        settled[machine.id] = known[key]
        meetings.see(known[key].hours, machine)
        if len(places) > 1 and sum(ordered[place].campaign is not None for place in places) > 1:
            together.setdefault(tuple(places), []).append(machine)
    problems |= dict.fromkeys(overlapping(ordered, together))
    problems |= dict.fromkeys(meetings.problems())
    if problems:
        raise PolicyError(list(problems))
    return MappingProxyType(settled)


def stop_when(policies: Iterable[Policy]) -> StopWhen:
    """When a rollout stops whose machines are under these policies.

    Raises:
        PolicyError: if one says a count and another a percentage.
    """
    problems: dict[Problem, None] = {}
    merged, _ = _stop_when(sorted(policies, key=lambda policy: (policy.file, policy.name)), problems)
    if problems:
        raise PolicyError(list(problems))
    return merged


def notifications(policies: Iterable[Policy]) -> tuple[Notify, ...]:
    """Who is told of what, by name; of what several policies say of one receiver, all. The first says where it was written."""
    told: dict[str, Notify] = {}
    for policy in sorted(policies, key=lambda policy: (policy.file, policy.name)):
        for entry in policy.notify:
            known = told.setdefault(entry.webhook, entry)
            on = tuple(occasion for occasion in Occasion if occasion in {*known.on, *entry.on})
            told[entry.webhook] = replace(known, on=on)
    return tuple(told[webhook] for webhook in sorted(told))


def _keys(index: Index, policies: Sequence[Policy]) -> list[tuple[int, ...]]:
    """For each machine what tells whether the same holds for it as for another: its policies, as -1, -2 and so on, each followed by the
    numbers of its entries that concern the machine.
    """
    parts: list[int] = []
    places: list[Any] = []
    for number, policy in enumerate(policies):
        selected = index.mask(policy.select)
        of_groups = (one.probe for one in policy.group_probes)
        entries: list[Probe | Around] = [*policy.probes, *of_groups, *policy.around]
        narrower = (entry.of for entry in entries if entry.of != EVERYTHING)
        for part, mask in enumerate((selected, *(selected & index.mask(of) for of in narrower)), -1):
            parts.append(-number - 1 if part < 0 else part)
            places.append(index.places(mask))
    if not places:
        return [()] * len(index.machines)
    lengths = [len(some) for some in places]
    machines = np.concatenate(places)
    order = np.argsort(machines, kind="stable")
    sorted_parts = np.repeat(np.array(parts), lengths)[order].tolist()
    ends = np.cumsum(np.bincount(machines, minlength=len(index.machines))).tolist()
    return [tuple(sorted_parts[start:end]) for start, end in pairwise([0, *ends])]


def _merged(policies: Sequence[Policy], machine: Machine, problems: dict[Problem, None]) -> Effective:
    probes: dict[tuple[Any, ...], Probe] = {}
    for policy in policies:
        for probe in policy.probes:
            if matcher(probe.of)(machine):
                same = (probe.kind, probe.url, probe.expect_status, probe.host, probe.port, probe.timeout)
                probes.setdefault(same, probe)
    health, health_origins = _health(policies, problems)
    stop, stop_origins = _stop_when(policies, problems)
    return Effective(
        policies=tuple(policies),
        probes=tuple(probes.values()) or DEFAULT_PROBES,
        group_probes=tuple(
            one for policy in policies for one in policy.group_probes if matcher(one.probe.of)(machine)
        ),
        health=health,
        around=tuple(a for policy in policies for a in policy.around if matcher(a.of)(machine)),
        hours=hours(policies),
        notify=notifications(policies),
        stop_when=stop,
        origins=MappingProxyType({**health_origins, **stop_origins}),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """A value that a file says, and where."""

    value: Any
    origin: Origin


def _written(policies: Iterable[Policy], section: str, key: str, field: str = "") -> list[_Written]:
    """What policies say of a key of `health` or `stop_when`; the silent ones aren't here. `field`: its name in the model, if another."""
    found = []
    for policy in policies:
        origin = dict(policy.origins).get(f"{section}.{key}")
        if origin is not None:
            found.append(_Written(getattr(getattr(policy, section), field or key), origin))
    return found


def _health(policies: Sequence[Policy], problems: dict[Problem, None]) -> tuple[Health, dict[str, Origin]]:
    silent = Health()
    choose = {"min_healthy_time": max, "healthy_deadline": max, "interval": min, "fail_after": min}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, strictest in choose.items():
        written = _written(policies, "health", name)
        if written:
            chosen = strictest(written, key=lambda one: one.value)
            values[name], origins[f"health.{name}"] = chosen.value, chosen.origin
        else:
            values[name] = getattr(silent, name)
    told = _written(policies, "health", "when_already_out", field="repair")
    if told:
        chosen = min(told, key=lambda one: one.value)
        values["repair"], origins["health.when_already_out"] = chosen.value, chosen.origin
    health = Health(**values)
    _check_health(health, origins, problems)
    return health, origins


def _check_health(health: Health, origins: Mapping[str, Origin], problems: dict[Problem, None]) -> None:
    """Values of several files that can't hold together; each file by itself was checked when it was loaded."""
    well = origins.get("health.min_healthy_time", Origin("defaults"))
    for key, wrong, length in (
        ("healthy_deadline", health.healthy_deadline < health.min_healthy_time, health.healthy_deadline),
        ("interval", health.interval > health.min_healthy_time, health.interval),
    ):
        if wrong:
            other = origins.get(f"health.{key}", Origin("defaults"))
            at = well if well.line else other
            what = (
                f"min_healthy_time is {words.duration(health.min_healthy_time)} ({well}), "
                f"and {key} {words.duration(length)} ({other}), for machines that both policies select"
            )
            instead = f"write a {key} that fits" if well.line else "write a min_healthy_time that fits"
            problems[at.problem(what, instead, codes.CONTRADICTION)] = None


def _stop_when(
    policies: Sequence[Policy], problems: dict[Problem, None]
) -> tuple[StopWhen, dict[str, Origin]]:
    silent = StopWhen()
    shares: dict[str, Share] = {"unhealthy": silent.unhealthy, "not_changed": silent.not_changed}
    origins: dict[str, Origin] = {}
    for name in shares:
        written = _written(policies, "stop_when", name)
        counts = [one for one in written if one.value.count is not None]
        percents = [one for one in written if one.value.percent is not None]
        if counts and percents:
            count, percent = counts[0], percents[0]
            what = (
                f"stop_when.{name} is {count.value} here and {percent.value} in {percent.origin}: "
                "a count and a percentage can't be compared"
            )
            instead = "write both as counts or both as percentages"
            problems[count.origin.problem(what, instead, codes.CONTRADICTION)] = None
        if written:
            chosen = min(written, key=lambda one: (one.value.count or 0, one.value.percent or 0))
            shares[name], origins[f"stop_when.{name}"] = chosen.value, chosen.origin
    return StopWhen(shares["unhealthy"], shares["not_changed"]), origins
