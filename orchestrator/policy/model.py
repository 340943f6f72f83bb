"""The nouns of policies, after they were read and checked: rules, campaigns, probes, steps.

A policy is either rules alone (they hold whoever changes the machines) or a campaign: rules plus what to change, in which stages.
Everything here is settled: percentages are still percentages (of a group's size), all else has its default filled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from orchestrator.errors import Problem
from orchestrator.policy import defaults
from orchestrator.policy.change import Change, Patches, Reboot, Restart, RunCommand
from orchestrator.policy.kinds import Each, ProbeKind, StepWhen

__all__ = ["Change", "Each", "Patches", "ProbeKind", "Reboot", "Restart", "RunCommand", "StepWhen"]


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a rule or a value was written; line 0 means a default that no file says.

    Two that differ in their columns only are the same: plans don't tell columns.
    """

    file: str
    line: int = 0
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """`policies/shop.yaml:7`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def problem(self, what: str, instead: str = "", code: str = "") -> Problem:
        """Something wrong there."""
        return Problem(self.file, self.line, what, instead, self.column, code)


@dataclass(frozen=True, slots=True)
class Share:
    """A number of machines: exact and never softened, or a percentage of a group that rounds down, to at least 1; one of the two is set."""

    count: int | None = None
    percent: float | None = None

    def of(self, size: int) -> int:
        """How many machines of a group of `size` this is."""
        if self.count is not None:
            return self.count
        assert self.percent is not None
        return max(1, int(size * self.percent / 100 + 1e-9)) if size and self.percent else 0

    def __str__(self) -> str:
        """`3` or `25%`."""
        return str(self.count) if self.count is not None else f"{self.percent:g}%"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which machines. All that is said must hold; a value with several entries holds if any of them does.

    Empty selects every machine. `tags` maps a name (compared without regard to case, as Azure does) to accepted
    values, where `*` means present; `without_tags` are names of tags of which the machine has none; all globs are case-insensitive. `none_of` excludes, `any_of` needs one of them to hold.
    """

    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    without_tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    availability_sets: tuple[str, ...] = ()
    scale_sets: tuple[str, ...] = ()
    none_of: tuple[Selector, ...] = ()
    any_of: tuple[Selector, ...] = ()


EVERYTHING = Selector()


class Singletons(StrEnum):
    """What `min_available` means for a group of one, which could never be taken down."""

    LEAVE_OUT = "leave_out"
    ALLOW = "allow"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class MaxUnavailable:
    """At most `limit` machines of each group are out at once. Becomes a Budget; with `rebootless`, the limit of all changed, two."""

    limit: Share
    of: Selector
    per: tuple[str, ...]  # kinds of group, such as ("subscription", "region"); empty: one group
    cap: bool
    origin: Origin
    rebootless: Share | None = None


@dataclass(frozen=True, slots=True)
class MinAvailable:
    """At least `floor` machines of each group serve; None means a majority. Becomes a Budget, or two, as `MaxUnavailable` does."""

    floor: Share | None
    of: Selector
    per: tuple[str, ...]
    cap: bool
    singletons: Singletons
    origin: Origin
    rebootless: Share | None = None


@dataclass(frozen=True, slots=True)
class OneAtATime:
    """Of each `within`, one `domain` at a time, finished before the next. Becomes an Exclusion."""

    domain: str
    within: str  # a kind of group; "selection" is the policy's whole selection
    of: Selector
    origin: Origin


@dataclass(frozen=True, slots=True)
class OrderRule:
    """These before those, within each `per`. Becomes an Order for each two of the list.

    A machine that several selectors of the list match stands where the first of them does.
    """

    sequence: tuple[Selector, ...]
    per: tuple[str, ...]
    origin: Origin


Rule = MaxUnavailable | MinAvailable | OneAtATime | OrderRule


@dataclass(frozen=True, slots=True)
class Probe:
    """One question, asked of each machine that `of` selects, before and after its change.

    `url` may hold `{private_ip}`, `{name}`, `{computer_name}` and `{tag:NAME}`; so may `host`.
    """

    kind: ProbeKind
    of: Selector = EVERYTHING
    url: str = ""
    expect_status: tuple[int, ...] = defaults.HTTP_EXPECT_STATUS
    host: str = ""
    port: int = 0
    timeout: timedelta = defaults.PROBE_TIMEOUT
    origin: Origin = Origin("defaults")


@dataclass(frozen=True, slots=True)
class GroupProbe:
    """One question about machines that belong together: those that `probe.of` selects, divided by `per`.

    Asked before any of them is granted, and after. `url` and `host` may hold `{group}`, the group's name, and nothing of a machine's.
    """

    probe: Probe
    per: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """How health is judged. Names and defaults follow Nomad's update block and Kubernetes' probes."""

    min_healthy_time: timedelta = defaults.MIN_HEALTHY_TIME
    healthy_deadline: timedelta = defaults.HEALTHY_DEADLINE
    interval: timedelta = defaults.PROBE_INTERVAL
    fail_after: int = (
        defaults.FAIL_AFTER
    )  # consecutive misses before a machine that was well counts as unwell
    repair: bool = False  # a machine that is out already is changed all the same


@dataclass(frozen=True, slots=True)
class Step:
    """Something done before or after: a `webhook`, which is a name that configuration resolves, or a script on the machine.

    With a `command` the webhook is empty, and the timeout is the command's.
    """

    webhook: str
    timeout: timedelta = defaults.STEP_TIMEOUT
    when: StepWhen = StepWhen.HEALTHY
    origin: Origin = Origin("defaults")
    command: RunCommand | None = None

    @property
    def name(self) -> str:
        """What people call it: the webhook, or the script's file."""
        return self.webhook if self.command is None else self.command.script.file


@dataclass(frozen=True, slots=True)
class Around:
    """Steps before and after each machine that `of` selects, which counts as out meanwhile; or before and after each wave or stage
    with such a machine, or the rollout.
    """

    of: Selector
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    origin: Origin
    each: Each = Each.MACHINE


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, 0 being Monday: each one, or the `nth` of its month (1 to 4; -1 is the last; 0 each)."""

    day: int
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Days:
    """The days on which a window starts: any of these. `after_second_tuesday` counts from the second Tuesday of a month, patch day."""

    weekdays: tuple[Weekday, ...] = ()
    after_second_tuesday: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its IANA name; with `machine` the machine's own, and `name` where that isn't known."""

    name: str
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """When machines may be changed: it starts on `days` when clocks of the zone show `at`, and stays open for `length`.

    The length is elapsed time, not a difference of clock readings: a window of 8 h leaves 8 h for work in the nights in which
    clocks are changed, too.
    """

    days: Days
    at: time
    length: timedelta
    zone: Zone
    origin: Origin = Origin("defaults")


@dataclass(frozen=True, slots=True)
class Freeze:
    """No change from the beginning of the day `first` to the end of the day `last`, in the zone.

    Without a zone: the days of the machine's own; where that isn't known, from their beginning at the first place on Earth to
    their end at the last.
    """

    first: date
    last: date
    reason: str
    zone: Zone | None = None
    origin: Origin = Origin("defaults")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a campaign is due: on `days`, when clocks of the zone (IANA's name) show `at`. It says nothing of when machines may be changed."""

    days: Days
    at: time = defaults.SCHEDULE_AT
    zone: str = defaults.SCHEDULE_ZONE
    origin: Origin = Origin("defaults")


class Occasion(StrEnum):
    """What people want to be told of a rollout."""

    STARTED = "started"
    STAGE = "stage"  # the machines of a stage are all verified
    APPROVAL = "approval"  # a stage waits for a person's yes
    UNHEALTHY = "unhealthy"  # a machine that was well is not, or nobody knows what became of its change
    STOPPED = "stopped"
    PAUSED = "paused"  # by a person, or resumed
    FINISHED = "finished"  # or aborted


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom to tell of what; `webhook` is a name that configuration resolves."""

    webhook: str
    on: tuple[Occasion, ...] = (Occasion.STOPPED, Occasion.APPROVAL, Occasion.FINISHED)
    origin: Origin = Origin("defaults")


@dataclass(frozen=True, slots=True)
class StopWhen:
    """How many failures stop a rollout: reached, not exceeded. A percentage is of the machines attempted."""

    unhealthy: Share = Share(percent=defaults.STOP_UNHEALTHY_PERCENT)
    not_changed: Share = Share(percent=defaults.STOP_NOT_CHANGED_PERCENT)


@dataclass(frozen=True, slots=True)
class Growth:
    """A stage in steps: `first` machines, then each time `factor` times as many, at most `most`. Shares are of the stage's machines."""

    first: Share = Share(count=1)
    factor: int = 2
    most: Share | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A barrier over all lanes of a campaign.

    Takes from what earlier stages left: `select` narrows; `count` (with `per_region`, in each region) or
    `up_to` (cumulative share of the campaign's machines) bounds; neither: all. With `growing` it goes in steps.
    """

    name: str
    select: Selector = EVERYTHING
    count: int | None = None
    per_region: int | None = None
    up_to: Share | None = None
    bake: timedelta = timedelta(0)
    approve: bool = False
    growing: Growth | None = None
    origin: Origin = Origin("defaults")


@dataclass(frozen=True, slots=True)
class Sooner:
    """Machines that are more exposed than others of the campaign: they go earlier where rules leave a choice."""

    select: Selector
    origin: Origin


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a campaign adds to rules."""

    change: Change
    stages: tuple[Stage, ...]
    stop_when: StopWhen
    deadline: timedelta
    max_in_flight: int | None
    max_wait: timedelta
    origin: Origin
    schedule: Schedule | None = None
    sooner: tuple[Sooner, ...] = ()  # the most exposed first


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file, read and checked. `health` and `stop_when` are None where the file is silent.

    Fields of theirs that the file doesn't name hold the default; `origins` tells which were written. What holds for
    a machine under several policies, or for a rollout over several, is `effective.py`'s to say.
    """

    name: str
    file: str
    select: Selector
    rules: tuple[Rule, ...] = ()
    probes: tuple[Probe, ...] = ()
    group_probes: tuple[GroupProbe, ...] = ()
    health: Health | None = None
    stop_when: StopWhen | None = None
    around: tuple[Around, ...] = ()
    windows: tuple[Window, ...] = ()  # any of them; of several policies, those of each
    freezes: tuple[Freeze, ...] = ()
    notify: tuple[Notify, ...] = ()
    campaign: Campaign | None = None
    replaces: tuple[str, ...] = ()
    origins: tuple[tuple[str, Origin], ...] = field(default=())  # dotted key -> where it was written
