"""When everything happened in a rollout, off its journal: for pictures and reports, and for whoever asks afterwards.

The state of a rollout forgets: it says where things stand, not how they came there. The rows remember.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import Rollout
from orchestrator.service.narrate import sentence
from orchestrator.store.port import Journal

ITSELF = "the rollout"
"""Who did what nobody asked for."""

OPEN = ""
"""The outcome of a disruption that is not over and of which nothing bad is known."""


@dataclass(frozen=True, slots=True)
class Disruption:
    """A machine from its grant until the grant was returned (`until` None: it is held still).

    `begun`: when the cloud took the request; `changed`: when the change ended, for good or ill. `outcome` is the status that
    the machine came to: done, not_changed, pending (to be tried again), unhealthy, undecided, gone, written_off.
    """

    machine: int
    granted: datetime
    begun: datetime | None = None
    changed: datetime | None = None
    until: datetime | None = None
    outcome: str = OPEN
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A machine that was out of nobody's grant, from when that was seen until it was seen back (None: it is out still)."""

    machine: int
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaveSpan:
    """A wave of a lane, both by number, from when it opened until its gate was passed (None: it wasn't)."""

    lane: int
    wave: int
    opened: datetime
    passed: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A stage from when it opened until the next did, or the rollout ended. `baking`: from when it baked."""

    stage: int
    opened: datetime
    baking: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that somebody did, or that the rollout did of itself, in a sentence."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A rollout from its start to its last fact. Disruptions and outages are in the order in which they began."""

    started: datetime
    last: datetime
    disruptions: tuple[Disruption, ...]
    outages: tuple[Outage, ...]
    waves: tuple[WaveSpan, ...]
    stages: tuple[StageSpan, ...]
    turns: tuple[Turn, ...]


async def timeline(journal: Journal, rollout: Rollout) -> Timeline:
    """What the journal remembers of a rollout."""
    tracing = Tracing(rollout)
    async for at, facts in _decisions(journal, rollout.id):
        for fact in facts:
            tracing.add(at, fact)
    return tracing.timeline()


async def _decisions(journal: Journal, rollout: str) -> AsyncIterator[tuple[datetime, tuple[e.Event, ...]]]:
    async for row in journal.read():
        if row.rollout == rollout:
            yield row.at, decode(row.body, row.seq, row.rollout)


_TURNS = (
    e.RolloutStarted,
    e.Prepared,
    e.RolloutRefused,
    e.RolloutPaused,
    e.RolloutResumed,
    e.RolloutStopped,
    e.RolloutAborted,
    e.RolloutFinished,
    e.StageOpened,
    e.StageBaking,
    e.StageAwaiting,
    e.StageApproved,
    e.LaneGaveUp,
    e.MachineUnhealthy,
    e.MachineRetried,
    e.MachineSkipped,
    e.MachineWrittenOff,
    e.Undecided,
    e.FleetSeen,
    e.CommandRefused,
)
"""Facts that are somebody's turn; the rest is the work of machines."""


@dataclass(slots=True)
class Tracing:
    """Facts added one after another, in the order of the journal."""

    rollout: Rollout
    _started: datetime | None = None
    _last: datetime | None = None
    _disruptions: list[Disruption] = field(default_factory=list)
    _held: dict[int, int] = field(default_factory=dict)  # machine -> its open disruption
    _outages: list[Outage] = field(default_factory=list)
    _out: dict[int, int] = field(default_factory=dict)  # machine -> its open outage
    _waves: list[WaveSpan] = field(default_factory=list)
    _stages: list[StageSpan] = field(default_factory=list)
    _turns: list[Turn] = field(default_factory=list)

    def add(self, at: datetime, fact: e.Event) -> None:
        """One fact and when it was written down."""
        self._started = self._started or at
        self._last = at
        if isinstance(fact, _TURNS):
            self._turns.append(Turn(at, getattr(fact, "who", "") or ITSELF, sentence(self.rollout, fact)))
        self._of_rollout(at, fact)
        self._of_disruption(at, fact)

    def timeline(self) -> Timeline:
        """What all of them come to."""
        started = self._started or self.rollout.started_at
        return Timeline(
            started,
            self._last or started,
            tuple(self._disruptions),
            tuple(self._outages),
            tuple(self._waves),
            tuple(self._stages),
            tuple(self._turns),
        )

    def _of_rollout(self, at: datetime, fact: e.Event) -> None:
        match fact:
            case e.RolloutStarted(dropped=out) | e.Prepared(out):
                self._go_out(at, out)
            case e.FleetSeen(out, back):
                self._come_back(at, back)
                self._go_out(at, out)
            case e.StageOpened(stage):
                self._end_stage(at)
                self._stages.append(StageSpan(stage, at))
            case e.StageBaking():
                self._stages[-1] = replace(self._stages[-1], baking=at)
            case e.RolloutFinished() | e.RolloutAborted():
                self._end_stage(at)
            case e.WaveOpened(lane, wave):
                self._waves.append(WaveSpan(lane, wave, at))
            case e.WavePassed(lane, wave):
                place = next(
                    i for i in reversed(range(len(self._waves))) if self._is(self._waves[i], lane, wave)
                )
                self._waves[place] = replace(self._waves[place], passed=at)

    def _of_disruption(self, at: datetime, fact: e.Event) -> None:
        match fact:
            case e.Granted(machine):
                self._come_back(at, (machine,))
                if (
                    machine in self._held
                ):  # a retried machine whose disruption was open: a fresh one takes it over
                    self._close(machine, until=at)
                self._open(Disruption(machine, at))
            case e.Started(machine) | e.Adopted(machine):
                self._note(machine, begun=at)
            case e.ChangeEnded(machine, detail=detail):
                self._note(machine, changed=at, detail=detail)
            case e.MachineEnded(machine, outcome, detail):
                self._close(machine, until=at, outcome=str(outcome), **({"detail": detail} if detail else {}))
            case e.MachineUnhealthy(machine, evidence):
                if machine not in self._held:  # well when verified, and not now
                    self._open(Disruption(machine, at))
                self._note(machine, outcome="unhealthy", detail=evidence)
            case e.Undecided(machine, why):
                self._note(machine, outcome="undecided", detail=why)
            case e.MachineGone(machine):
                self._close(machine, until=at, outcome="gone")
            case e.MachineWrittenOff(machine):
                self._close(machine, until=at, outcome="written_off")
            case e.ForeignRunSeen(machine):
                self._go_out(at, (machine,))

    @staticmethod
    def _is(span: WaveSpan, lane: int, wave: int) -> bool:
        return (span.lane, span.wave) == (lane, wave)

    def _end_stage(self, at: datetime) -> None:
        if self._stages and self._stages[-1].ended is None:
            self._stages[-1] = replace(self._stages[-1], ended=at)

    def _open(self, disruption: Disruption) -> None:
        self._held[disruption.machine] = len(self._disruptions)
        self._disruptions.append(disruption)

    def _note(self, machine: int, **what: object) -> None:
        place = self._held.get(machine)
        if place is not None:
            self._disruptions[place] = replace(self._disruptions[place], **what)  # type: ignore[arg-type]  # its fields

    def _close(self, machine: int, **what: object) -> None:
        self._note(machine, **what)
        self._held.pop(machine, None)

    def _go_out(self, at: datetime, machines: tuple[int, ...]) -> None:
        for machine in machines:
            if machine not in self._out and machine not in self._held:
                self._out[machine] = len(self._outages)
                self._outages.append(Outage(machine, at))

    def _come_back(self, at: datetime, machines: tuple[int, ...]) -> None:
        for machine in machines:
            place = self._out.pop(machine, None)
            if place is not None:
                self._outages[place] = replace(self._outages[place], until=at)
