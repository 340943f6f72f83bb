"""What the witness saw, in order: when each machine was being worked on, and when it was out.

An audit is JSON lines: `{"at": "2026-11-22T01:00:00Z", "machine": "<ARM id>", "event": "...", "operation": "<id>"}`; entries
with `"by": "foreign"` are somebody else's doing. Of the events, these count:

- `install`, `restart`: we begin to work on a machine. Another one of the same operation is part of it.
- `out`, `back`: the machine stops serving, and serves again. It is our doing if the entry names an operation of ours,
  or names none while we work on the machine.
- `vanished`: the machine was deleted. It is out no more than one that never was, and nothing goes on at it.
- `install_end`, `restart_end`, or `end`: the operation is over. An audit that tells ends of one kind of work tells all of
  them: work of that kind without an end goes on for ever.

Anything else says nothing about what is out: whether an application that answers badly still serves, for one, is for the
product's own probes to say.

Where an audit tells no ends, work lasts until the first `back` after the `out` that it led to; work that took nothing out is
judged at the moment it began and no longer, since nobody saw how long it took. The product holds its grant longer than any
of this: until the machine has been healthy for a while. So what is judged here is the least that was out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from orchestrator.verify.document import id_of
from orchestrator.verify.model import Findings

READABLE = "audit"  # the rule that an audit nobody can read breaks

BEGINS = frozenset({"install", "restart"})
TOUCHES = BEGINS | {"run_command"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an audit."""

    at: datetime
    machine: str
    event: str
    operation: str
    foreign: bool


class What(Enum):
    """What a step is."""

    BEGIN = auto()
    OVER = auto()  # nothing of ours goes on at the machine any more
    OUT = auto()
    BACK = auto()
    ILL = auto()  # its application isn't well; it may be worked on to mend that
    WELL = auto()


_HEALTH: Final = {"unhealthy": What.ILL, "healthy": What.WELL}


@dataclass(frozen=True, slots=True)
class Step:
    """One change in the state of one machine. `ours`: an outage that our work led to."""

    at: datetime
    machine: str
    what: What
    ours: bool = False


@dataclass(slots=True, eq=False)
class Work:
    """One operation of ours. `over`: when it ended; `free`: when the machine, after it, was back too. None: never."""

    machine: str
    event: str
    operation: str
    begin: datetime
    over: datetime | None = None
    free: datetime | None = None


@dataclass(slots=True)
class Timeline:
    """All steps and all work, in the order of time."""

    steps: list[Step] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)


def read_audit(audit: Iterable[Mapping[str, object]], found: Findings) -> list[Entry]:
    """The lines in the order of time; those of one moment stay in the order they were written in."""
    entries: list[Entry] = []
    for number, line in enumerate(audit, start=1):
        if line.get("event") == "webhook":  # of no machine; `steps` reads them
            continue
        at, machine, event = line.get("at"), id_of(line.get("machine")), line.get("event")
        moment = _moment(at)
        if moment is None or not machine or not isinstance(event, str):
            what = f"line {number} of the audit has no `at`, `machine` or `event` that can be read"
            found.broken(READABLE, f"line {number}", (), what)
            continue
        operation = str(line.get("operation") or "")
        entries.append(Entry(moment, machine, event, operation, line.get("by") == "foreign"))
    return sorted(entries, key=lambda entry: entry.at)


def _moment(at: object) -> datetime | None:
    if not isinstance(at, str):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def follow(entries: list[Entry], begins: frozenset[str] = BEGINS) -> Timeline:
    """Walk through the audit once and say what each line means. `begins`: the events by which we begin to work on a machine."""
    told = {_ended(entry.event, begins) for entry in entries} - {None}
    later: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in reversed(entries):
        later[entry.machine].append(entry)  # the next one is last
    walk = _Walk()
    for entry in entries:
        later[entry.machine].pop()
        if entry.event in begins and not entry.foreign:
            ends_told = entry.event in told or "" in told
            goes_out = _goes_out(entry, later[entry.machine], begins)
            walk.begin(entry, ends_told=ends_told, goes_out=goes_out)
        elif entry.event == "out":
            walk.out(entry)
        elif entry.event == "back":
            walk.back(entry, ill=_is_ill(later[entry.machine]))
        elif entry.event in _HEALTH:
            walk.health(entry)
        elif entry.event == "vanished":
            walk.vanish(entry)
        elif _ended(entry.event, begins) is not None and not entry.foreign:
            walk.end(entry)
    return walk.timeline


def _is_ill(later: Iterable[Entry]) -> bool:
    """Whether a machine that comes back is told to be healthy only later: until then its application isn't. `later`: as of `follow`."""
    return any(x.event == "healthy" for x in later)


def _ended(event: str, begins: frozenset[str] = TOUCHES) -> str | None:
    """The kind of work that an event is the end of; empty for any kind; None if it is no end."""
    if event == "end":
        return ""
    kind = event.removesuffix("_end")
    return kind if kind != event and kind in begins else None


def _goes_out(begin: Entry, later: list[Entry], begins: frozenset[str]) -> bool:
    """Whether the machine goes out before we begin something else there. `later` has the next entry last."""
    for entry in reversed(later):
        if entry.event in begins and not entry.foreign and entry.operation != begin.operation:
            return False
        if entry.event == "out" and not entry.foreign and entry.operation in {"", begin.operation}:
            return True
    return False


class _Walk:
    """The state of every machine while the audit is walked through."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._going: defaultdict[str, list[Work]] = defaultdict(list)
        self._until_back: set[int] = set()  # work whose end is not told, by identity
        self._out: dict[str, bool] = {}  # machine -> whether by us
        self._operations: defaultdict[str, set[str]] = defaultdict(set)  # machine -> ours so far
        self._held: defaultdict[str, list[Work]] = defaultdict(list)  # machine -> work that isn't free yet

    def begin(self, entry: Entry, *, ends_told: bool, goes_out: bool) -> None:
        machine = entry.machine
        if entry.operation and any(work.operation == entry.operation for work in self._going[machine]):
            return
        work = Work(machine, entry.event, entry.operation, entry.at)
        self.timeline.works.append(work)
        self._step(entry, What.BEGIN)
        self._operations[machine].add(entry.operation)
        self._going[machine].append(work)
        self._held[machine].append(work)
        if ends_told:
            return
        if goes_out or machine in self._out:
            self._until_back.add(id(work))
        else:
            self._over(entry, work)

    def end(self, entry: Entry) -> None:
        kind = _ended(entry.event)
        for work in list(self._going[entry.machine]):
            if kind in {"", work.event} and entry.operation in {"", work.operation}:
                self._over(entry, work)

    def out(self, entry: Entry) -> None:
        ours = not entry.foreign and (
            entry.operation in self._operations[entry.machine]
            if entry.operation
            else bool(self._going[entry.machine])
        )
        self._out[entry.machine] = ours
        self._step(entry, What.OUT, ours=ours)

    def back(self, entry: Entry, *, ill: bool = False) -> None:
        self._out.pop(entry.machine, None)
        self._step(entry, What.BACK)
        if ill:
            self._step(entry, What.ILL)
        for work in list(self._going[entry.machine]):
            if id(work) in self._until_back:
                self._over(entry, work)
        self._free(entry)

    def health(self, entry: Entry) -> None:
        self._step(entry, _HEALTH[entry.event])

    def vanish(self, entry: Entry) -> None:
        """Nothing is left that could be worked on, or be out."""
        for work in list(self._going[entry.machine]):
            self._over(entry, work)
        self.back(entry)

    def _over(self, entry: Entry, work: Work) -> None:
        work.over = entry.at
        self._going[entry.machine].remove(work)
        if not self._going[entry.machine]:
            self._step(entry, What.OVER)
        self._free(entry)

    def _free(self, entry: Entry) -> None:
        if self._going[entry.machine] or self._out.get(entry.machine):
            return
        for work in self._held.pop(entry.machine, ()):
            work.free = entry.at

    def _step(self, entry: Entry, what: What, *, ours: bool = False) -> None:
        self.timeline.steps.append(Step(entry.at, entry.machine, what, ours=ours))
