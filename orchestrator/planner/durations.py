"""How long one disruption takes, from its grant until the machine was seen well again: given, learned from history, or assumed.

Durations are told by their median and by what 19 of 20 stay below, of machines of a class: what is changed, what kind of machine, which
system. What is known of a class is its change alone, from the request until the machine was seen well. The steps around it and the time to
stay well are the policy's, and are added by it: whoever asks for a longer time to stay well isn't told that of before. Between and beyond the two they are taken to be spread log-normally, as times of work usually are: never below nought, with a long
tail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from math import exp, log
from statistics import NormalDist, quantiles
from types import MappingProxyType
from typing import Final, Protocol

from orchestrator.inventory.model import Kind, Os
from orchestrator.policy.change import Enrolment, Rollback, Script
from orchestrator.policy.model import Change, Health, Patches, Reboot, Restart, RunCommand, Step
from orchestrator.policy.values import read_positive_duration

LATE: Final = 0.95
"""The share of disruptions that end within `Duration.late`."""

ENOUGH: Final = 20
"""A class is learned from so many samples on: of fewer, nobody knows what 19 of 20 stay below."""

STEP_MEDIAN: Final = timedelta(seconds=30)
"""What a step around a machine takes, mostly. What 19 of 20 stay below is its own timeout."""

_NORMAL: Final = NormalDist()


class Surrounding(Protocol):
    """Steps before and after a change."""

    @property
    def before(self) -> tuple[Step, ...]:
        """Those before."""
        ...

    @property
    def after(self) -> tuple[Step, ...]:
        """Those after."""
        ...


class Source(StrEnum):
    """Where a duration comes from."""

    LEARNED = "learned"  # from the rollouts of a journal
    GIVEN = "given"  # by a person
    ASSUMED = "assumed"  # from recordings of other people's machines


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a disruption takes. `samples` is how many were seen; 0 means that nobody has looked."""

    median: timedelta
    late: timedelta
    samples: int = 0

    def quantile(self, share: float) -> timedelta:
        """What this share of disruptions stays below; 0 < share < 1."""
        middle, late = self.median.total_seconds(), max(self.late, self.median).total_seconds()
        if middle <= 0:
            return self.late
        spread = log(late / middle) / _NORMAL.inv_cdf(LATE)
        return timedelta(seconds=round(middle * exp(spread * _NORMAL.inv_cdf(share))))


def read_duration(text: str) -> Duration:
    """What a person gives: how long mostly, and 19 times of 20, such as "20m/1h"; the one alone is both. Raises ValueError."""
    median, _, late = text.partition("/")
    takes = Duration(read_positive_duration(median), read_positive_duration(late or median))
    if takes.late < takes.median:
        raise ValueError("what 19 of 20 stay below isn't shorter than the median")
    return takes


INSTALLED: Final = Duration(timedelta(seconds=300), timedelta(seconds=425))
"""A patch run in which nothing restarts: 122 to 425 s in recordings of Azure VMs, 188 to 362 s of Arc machines."""

INSTALLED_AND_RESTARTED: Final = Duration(timedelta(seconds=1240), timedelta(seconds=3769))
"""A patch run with a restart: 1,240 s (32 packages) and 3,769 s (36 packages) were recorded. Two are few, so they are the middle and the
long end until this fleet's own history is known."""

RESTARTED: Final = Duration(timedelta(seconds=120), timedelta(seconds=784))
"""A restart. Recorded are 30 to 743 s to power off and 1 to 41 s to start, mostly the short end of both."""


RAN: Final = Duration(timedelta(seconds=60), timedelta(minutes=30))
"""A script. Azure's documentation has 20 s as the least that any takes; the most is what its policy gives it."""

SET: Final = Duration(timedelta(seconds=10), timedelta(minutes=5))
"""Settings of a machine. Azure answers an update of a machine's model within seconds, unless another operation is in its way."""

TAKEN_BACK: Final = Duration(timedelta(minutes=25), timedelta(minutes=90))
"""An uninstallation, a restart and a look. Nobody has published how long Windows takes for that: until this fleet's history is known, as
long as an installation with its restart, and half as much again."""


@dataclass(frozen=True, slots=True)
class Durations:
    """What is known of this fleet, by class (`class_of`): changes, without the steps around them and the time to stay well."""

    known: Mapping[str, Duration] = field(default_factory=lambda: MappingProxyType({}))

    def of(
        self, change: Change, kind: Kind, os: Os, health: Health, around: Sequence[Surrounding] = ()
    ) -> Duration:
        """What a machine's disruption takes: its change, as known of its class or assumed, steps and `min_healthy_time` together."""
        of_change = self.of_class(change, kind, os)
        steps = [step for entry in around for step in (*entry.before, *entry.after)]
        return Duration(
            of_change.median + len(steps) * STEP_MEDIAN + health.min_healthy_time,
            of_change.late + sum((step.timeout for step in steps), timedelta()) + health.min_healthy_time,
            of_change.samples,
        )

    def of_class(self, change: Change, kind: Kind, os: Os) -> Duration:
        """What the change alone takes."""
        known = self.known.get(class_of(change, kind, os))
        return known if known is not None else _default(change)

    def source(self, change: Change, kind: Kind, os: Os) -> Source:
        """Where that comes from."""
        known = self.known.get(class_of(change, kind, os))
        if known is None:
            return Source.ASSUMED
        return Source.LEARNED if known.samples else Source.GIVEN


def class_of(change: Change, kind: Kind, os: Os) -> str:
    """The class whose disruptions are alike: `patches azure_vm windows`."""
    match change:
        case Restart():
            what = "restart"
        case RunCommand():
            what = "run-command"
        case Rollback():
            what = "rollback"
        case Enrolment():
            what = "settings"
        case Patches(reboot=Reboot.NEVER):
            what = "patches-without-restart"
        case Patches():
            what = "patches"
    return f"{what} {kind} {os}"


CLASSES: Final = frozenset(
    class_of(change, kind, os)
    for change in (
        Patches(),
        Patches(reboot=Reboot.NEVER),
        Restart(),
        RunCommand(Script(""), Os.UNKNOWN),
        Rollback("", ()),
        Enrolment(()),
    )
    for kind in Kind
    for os in Os
)
"""All there are."""


def learn(samples: Iterable[tuple[str, float]], before: Durations | None = None) -> Durations:
    """Durations from history: (class, seconds) of changes that ended well. What there are too few of stays as `before`."""
    by_class: dict[str, list[float]] = {}
    for name, seconds in samples:
        by_class.setdefault(name, []).append(seconds)
    known = dict(before.known) if before is not None else {}
    for name, seen in sorted(by_class.items()):
        if len(seen) >= ENOUGH:
            twentieths = quantiles(seen, n=20, method="inclusive")
            known[name] = Duration(
                timedelta(seconds=round(twentieths[9])), timedelta(seconds=round(twentieths[18])), len(seen)
            )
    return Durations(MappingProxyType(known))


def _default(change: Change) -> Duration:
    match change:
        case Restart():
            return RESTARTED
        case RunCommand():
            return Duration(min(RAN.median, change.timeout), change.timeout)
        case Rollback():
            return TAKEN_BACK
        case Enrolment():
            return SET
        case Patches(reboot=Reboot.NEVER):
            return _within(INSTALLED, change.maximum_duration)
        case Patches():
            return _within(INSTALLED_AND_RESTARTED, change.maximum_duration)


def _within(duration: Duration, most: timedelta) -> Duration:
    """No installation takes longer than it is allowed to."""
    return Duration(min(duration.median, most), min(duration.late, most))
