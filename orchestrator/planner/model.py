"""The nouns of a plan: lanes of waves, what they keep, how near to optimal they are, and who was left out.

A plan is a document: reviewed, attached to a pull request, and then exactly what runs. It carries all that a rollout
needs (change, probes, steps, gates), so that no policy file is read again between review and run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.availability.model import Constraint
from orchestrator.hotpatch.model import Restarts, Told
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.durations import Durations
from orchestrator.planner.hotpatching import Hotpatching
from orchestrator.policy import defaults
from orchestrator.policy.model import (
    Change,
    Each,
    Health,
    Notify,
    Origin,
    Probe,
    Reboot,
    Schedule,
    Step,
    StopWhen,
)
from orchestrator.policy.windows import Calendar


@dataclass(frozen=True, slots=True)
class Wave:
    """Machines of one lane that may be out together; sorted."""

    machines: tuple[MachineId, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """No plan of this lane can have fewer waves, and the reason, which a person can check by hand."""

    waves: int
    because: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Waves that run one after another. May start when every lane in `after` is finished."""

    id: str
    stage: str
    after: tuple[str, ...]  # ids of lanes of the same stage
    waves: tuple[Wave, ...]
    bound: Bound
    what: str = ""  # for people: "westeurope / zone 1 / app=shop"

    @property
    def optimal(self) -> bool:
        """Whether the lane is as short as its bound."""
        return len(self.waves) == self.bound.waves


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A machine that the campaign selects and the plan doesn't change. `constraint` names the rule, if one is to blame."""

    machine: MachineId
    reason: str
    constraint: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the plan took as the careful case, or that its reader should know."""

    what: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Exposed:
    """An entry of the campaign's `sooner`, in words: whom it selects goes earlier where rules leave a choice."""

    what: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class StageGate:
    """What must hold between a stage and the next: `bake` after its last machine is verified, then a person's yes."""

    name: str
    bake: timedelta
    approve: bool


@dataclass(frozen=True, slots=True)
class PlannedMachine:
    """What a rollout must know of a machine: where it is, how it is asked, what is done around its change.

    `probes` and `around` are indexes into the plan's tables, and so is `calendar`: None may be changed at any time. Machines that only count in a budget are here too, with
    `change` False: they are watched and never touched.
    """

    id: MachineId
    arm_id: str
    name: str
    subscription: str
    location: str
    kind: Kind
    os: Os
    change: bool
    policies: tuple[str, ...]
    probes: tuple[int, ...]
    around: tuple[int, ...]
    health: int = 0  # index into the plan's `health` table
    private_ip: str = ""
    computer_name: str = ""
    tags: Mapping[str, str] | None = None  # those that a probe's url names, only
    facts: str = (
        ""  # digest of what constraints read (zone, set, domains, tags): a change means planning anew
    )
    groups: tuple[
        int, ...
    ] = ()  # of the plan's `group_probes`: what is asked before it is granted, and after
    calendar: int | None = None
    takes: timedelta = timedelta(0)  # what 19 of 20 disruptions stay below; told where there is a calendar
    restart: Restarts = Restarts.UNKNOWN  # whether the change restarts it
    restart_by: Told = Told.NOTHING  # by what that is known: its own assessment, or the hotpatch calendar
    restart_because: tuple[
        str, ...
    ] = ()  # what restarts it, as its assessment says: ".NET", "driver or firmware"
    hotpatched: bool = False  # it would restart but for hotpatching
    hotpatch: int | None = None  # index into the plan's standings: where it stands in hotpatching
    reboot: Reboot | None = (
        None  # its own, where the change's doesn't hold: one that is to stay up isn't restarted
    )
    sooner: int | None = None  # index into the plan's `sooner`: the first entry that selects it
    outstanding: int | None = None  # critical and security patches; None: not known, or no matter here

    @property
    def stays_up(self) -> bool:
        """Whether its change takes it out of service for no moment: nothing restarts, and no steps are done around it."""
        return self.restart is Restarts.NEVER and not self.around


@dataclass(frozen=True, slots=True)
class AroundSteps:
    """Steps before and after, as the plan carries them: around the machines that name them, or each wave or stage of theirs."""

    before: tuple[Step, ...]
    after: tuple[Step, ...]
    each: Each = Each.MACHINE


@dataclass(frozen=True, slots=True)
class ProbedGroup:
    """A question about machines that belong together: those that name it."""

    name: str  # for people: "shop (tier=db), westeurope"
    value: str  # what `{group}` stands for: "westeurope"
    probe: Probe


@dataclass(frozen=True, slots=True)
class Plan:
    """The reviewed object and the executed one.

    `inventory_fingerprint` and `policies_fingerprint` say of what it was made; `digest` (of the file's bytes) names it.
    """

    name: str  # the campaign's
    taken_at: datetime | None  # of the inventory; a plan knows no other time
    inventory_fingerprint: str
    policies_fingerprint: str
    machines: tuple[PlannedMachine, ...]  # sorted by id: a machine's place is its index in the journal
    constraints: tuple[Constraint, ...]  # sorted by id
    stages: tuple[StageGate, ...]
    lanes: tuple[Lane, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[Warned, ...]
    change: Change
    stop_when: StopWhen
    probes: tuple[Probe, ...]
    health: tuple[Health, ...]
    around: tuple[AroundSteps, ...]
    max_in_flight: int | None
    max_wait: timedelta
    replaces: tuple[str, ...] = ()  # rules of the floor that a policy loosened
    group_probes: tuple[ProbedGroup, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    deadline: timedelta = defaults.DEADLINE  # from start to end
    schedule: Schedule | None = None  # when the campaign is due; a rollout runs when it is started
    notify: tuple[Notify, ...] = ()  # sorted by webhook
    read_tags: tuple[str, ...] = ()  # in lower case; those that decide which rules hold, digested in `facts`
    solver: str = ""  # what searched lanes to the end, with its version; empty: nothing was asked to
    sooner: tuple[Exposed, ...] = ()  # the most exposed first
    durations: Durations = field(default_factory=Durations)  # of the classes it changes, where not assumed
    hotpatching: Hotpatching | None = (
        None  # for people and counts; None: it has nothing to do with these machines
    )
