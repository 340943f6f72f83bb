"""Did a rollout keep the rules? Judged from what the emulator, as the witness, wrote down: its audit.

Held against it are the plan's budgets with its caps, its exclusions, orders and stages, and the floor off the inventory with
the share of a subscription; that nothing was touched that the plan doesn't change; that nothing was done twice; and the steps
around machines, waves, stages and the rollout, where their receiver wrote down when it was called.
Waves are not: while it runs, a rollout may split and delay them, and the rules are what they are for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.verify.constraints import Budget, Exclusion, Order
from orchestrator.verify.document import Document, id_of, read
from orchestrator.verify.finishing import Nesting, unfinished
from orchestrator.verify.fleet import read_fleet
from orchestrator.verify.floor import note_replaced, replaced
from orchestrator.verify.floor_rules import floor_of
from orchestrator.verify.model import Findings, Verdict, machines
from orchestrator.verify.moments import Moments
from orchestrator.verify.steps import hold_to_steps, read_calls
from orchestrator.verify.timeline import BEGINS, TOUCHES, Entry, Timeline, Work, follow, read_audit

TOUCHED, ONCE, STAGE, COMPLETE = "touched", "once", "stage", "complete"

_NEVER = datetime.max.replace(tzinfo=UTC)


def judge_audit(
    audit: Iterable[Mapping[str, Any]],
    plan: Mapping[str, Any],
    inventory: Mapping[str, Any],
    *,
    retried: Collection[str] = (),
    written_off: Collection[str] = (),
    complete: bool = False,
    over: bool = False,
    notice: timedelta = timedelta(0),
) -> Verdict:
    """Hold what really happened to the plan and the floor.

    Args:
        audit: The lines of the audit, parsed.
        plan: The JSON of the plan file that ran.
        inventory: The JSON of the inventory that it was made from.
        retried: Ids of machines that may have been worked on more than once.
        written_off: Ids of machines that a person took over (written off, skipped): what they are still out for holds no
            domain, order or stage back. They go on counting in budgets while they are out.
        complete: Whether every machine that the plan changes must have been worked on.
        over: Whether the rollout has ended, however, so that no step may be left undone that has to be done always.
        notice: How long an outage that isn't our doing can go unnoticed by health checks. One younger than that is not
            held against a beginning.

    Raises:
        InventoryError: If the inventory isn't one.
    """
    fleet = read_fleet(inventory)
    found = Findings({machine.id: machine.name for machine in fleet.machines.values()})
    document = read(plan, found)
    if document is None:
        found.note("without its plan the audit was not judged")
        return found.verdict()
    lines = list(audit)
    entries = read_audit(lines, found)
    found.judged("entries", len(entries))
    run = _Run(document, follow(entries, _begins(plan, found)), frozenset(map(id_of, written_off)))

    _hold_to_selection(entries, run, frozenset(map(id_of, retried)), found, complete=complete)
    most = document.max_in_flight
    _hold_to_rules(document.budgets, document.exclusions, run, found, notice=notice, most_in_flight=most)
    for order in document.orders:
        _hold_to_order(order, run, found)
    _hold_to_stages(run, found)
    hold_to_steps(
        plan,
        document.lanes,
        read_calls(lines),
        run.timeline.steps,
        found,
        complete=complete,
        over=over,
    )

    rules = floor_of(fleet, run.stages.keys())
    of_floor = Findings(found.names) if replaced(document) else found
    for note in rules.notes:
        of_floor.note(note)
    _hold_to_rules(rules.budgets, rules.exclusions, run, of_floor, notice=notice)
    if of_floor is not found:
        note_replaced(of_floor.verdict(), found)
    return found.verdict()


def _begins(plan: Mapping[str, Any], found: Findings) -> frozenset[str]:
    """What counts as work on a machine: a script, too, where that is the change, and none is run around it that looks the same."""
    if (plan.get("change") or {}).get("kind") != "run_command":
        return BEGINS
    rows = plan.get("around") or []
    if any("command" in step for row in rows for side in ("before", "after") for step in row.get(side) or ()):
        found.note("scripts around machines look like those that are the change, so these were not judged")
        return BEGINS
    return TOUCHES


class _Run:
    """A plan and what became of it. `first` is the first work at each machine: the later ones are retries."""

    def __init__(self, document: Document, timeline: Timeline, written_off: frozenset[str]) -> None:
        self.document = document
        self.timeline = timeline
        self.written_off = written_off
        self.stages = {m: lane.stage for lane in document.lanes for wave in lane.waves for m in wave}
        self.first: dict[str, Work] = {}
        for work in timeline.works:
            if work.machine in self.stages:
                self.first.setdefault(work.machine, work)

    def over(self, machine: str) -> datetime:
        """When the first work at a machine was over."""
        if machine in self.written_off:
            return self.first[machine].begin
        return self.first[machine].over or _NEVER

    def free(self, machine: str) -> datetime:
        """When the machine served again after it."""
        if machine in self.written_off:
            return self.first[machine].begin
        return self.first[machine].free or _NEVER


def _hold_to_selection(
    entries: Sequence[Entry], run: _Run, retried: Collection[str], found: Findings, *, complete: bool
) -> None:
    """Only what the plan changes is touched, once; and, of a run that says it is complete, all of it."""
    told: set[str] = set()
    for entry in entries:
        if entry.event in TOUCHES and not entry.foreign and entry.machine not in run.stages:
            if entry.machine not in told:
                name = found.name(entry.machine)
                what = f"{name} is not changed by the plan, and {entry.event} was begun on it {_at(entry.at)}"
                found.broken(TOUCHED, entry.machine, [entry.machine], what)
            told.add(entry.machine)
    done: defaultdict[tuple[str, str], list[Work]] = defaultdict(list)
    for work in run.timeline.works:
        done[work.machine, work.event].append(work)
    for (machine, event), works in sorted(done.items()):
        found.judged(f"machines with {event}")
        if len(works) > 1 and machine in run.stages and machine not in retried:
            when = ", ".join(_at(work.begin) for work in works[:3])
            what = f"{event} was begun {len(works)} times on {found.name(machine)}, which the plan changes once: {when}"
            found.broken(ONCE, machine, [machine], what)
    missing = run.stages.keys() - run.first.keys()
    if complete:
        for machine in sorted(missing):
            what = f"{found.name(machine)} is changed by the plan, and nothing was done to it"
            found.broken(COMPLETE, machine, [machine], what)
    elif missing:
        found.note(f"{len(missing)} of {machines(len(run.stages))} that the plan changes were not worked on")


def _hold_to_rules(
    budgets: Sequence[Budget],
    exclusions: Sequence[Exclusion],
    run: _Run,
    found: Findings,
    *,
    notice: timedelta,
    most_in_flight: int | None = None,
) -> None:
    """Budgets, caps among them, and exclusions: at each moment that work began, and over each stage as a whole."""
    found.judged("budgets", len(budgets))
    found.judged("exclusions", len(exclusions))
    moments = Moments(
        budgets,
        exclusions,
        released=run.written_off,
        notice=notice,
        most_in_flight=most_in_flight,
        found=found,
    )
    moments.walk(run.timeline.steps)
    _hold_to_finishing(exclusions, run, Nesting(exclusions, run.document.orders, run.stages), found)


@dataclass(frozen=True, slots=True)
class _Interval:
    """From the first beginning to the last end of some work."""

    begin: datetime
    over: datetime

    @property
    def end(self) -> tuple[datetime, datetime]:
        """The end; of those that end together, what began earlier comes first."""
        return self.over, self.begin

    def before(self, other: _Interval) -> bool:
        return self.over <= other.begin


def _hold_to_finishing(exclusions: Sequence[Exclusion], run: _Run, nesting: Nesting, found: Findings) -> None:
    """Within a stage a domain begun was finished before the next began, or as near to it as the rules above allow."""
    for exclusion in exclusions:
        for stage in run.document.stages:
            inside = _worked_on(nesting.inside(exclusion, stage), run)
            if not unfinished(_intervals(inside, run)):
                continue
            parts, excuse = nesting.parts(exclusion, stage)
            for part in parts:
                done = _worked_on(part, run)
                for pair in unfinished(_intervals(done, run)):
                    _tell_unfinished(exclusion, stage, {name: done[name] for name in pair}, run, found)
            if excuse:
                found.note(
                    f"{exclusion.title}: in stage {stage} its domains were finished part by part, because of {excuse}"
                )


def _tell_unfinished(
    exclusion: Exclusion, stage: str, domains: Mapping[str, Collection[str]], run: _Run, found: Findings
) -> None:
    """Of two domains, the one begun first should have been done when work on the other began."""
    if found.enough(exclusion.rule):
        found.broken(exclusion.rule, exclusion.id, (), "")
        return
    begun, other = sorted(domains, key=lambda name: (min(run.first[m].begin for m in domains[name]), name))
    early = min(domains[other], key=lambda m: (run.first[m].begin, m))
    late = max(domains[begun], key=lambda m: (run.over(m), m))
    what = (
        f"{exclusion.title}: work on {found.name(early)} ({other}) began {_at(run.first[early].begin)}, when "
        f"{found.name(late)} ({begun}) of the same stage {stage} was still to be done; a domain begun is finished first"
    )
    found.broken(exclusion.rule, exclusion.id, (early, late), what)


def _worked_on(domains: Mapping[str, Collection[str]], run: _Run) -> dict[str, list[str]]:
    """The machines of each domain that were worked on; domains without any are left away."""
    done = {name: [m for m in members if m in run.first] for name, members in domains.items()}
    return {name: members for name, members in done.items() if members}


def _intervals(domains: Mapping[str, Collection[str]], run: _Run) -> dict[str, _Interval]:
    return {
        name: _Interval(min(run.first[m].begin for m in members), max(run.over(m) for m in members))
        for name, members in domains.items()
    }


def _hold_to_order(order: Order, run: _Run, found: Findings) -> None:
    """In each stage, whoever comes first was done, and served again, before anyone who comes after began.

    One that was never worked on was left out, skipped or gone, for all the witness can tell, and holds nobody back.
    """
    for stage in run.document.stages:
        first = [m for m in order.first if m in run.first and run.stages[m] == stage]
        then = [m for m in order.then if m in run.first and run.stages[m] == stage]
        if not first or not then:
            continue
        found.judged("orders")
        late = max(first, key=lambda m: (run.free(m), m))
        early = min(then, key=lambda m: (run.first[m].begin, m))
        if run.free(late) > run.first[early].begin:
            until = "never was" if run.free(late) == _NEVER else f"was {_at(run.free(late))}"
            what = (
                f"{order.title}: work on {found.name(early)} began {_at(run.first[early].begin)}; "
                f"{found.name(late)} had to be done and well before, and {until}"
            )
            found.broken(order.rule, order.id, (early, late), what)


def _hold_to_stages(run: _Run, found: Findings) -> None:
    """A stage begins when all work of the stages before it is over.

    A machine of an earlier stage that was never worked on doesn't count: it may have been left out. Neither does one whose
    operation is over and that stays out: whether that stops a rollout is for its `stop_when` to say.
    """
    latest: str | None = None  # the machine of all stages so far whose work was over last
    for stage in run.document.stages:
        members = [m for m in run.first if run.stages[m] == stage]
        if not members:
            continue
        found.judged("stages")
        early = min(members, key=lambda m: (run.first[m].begin, m))
        if latest is not None and run.over(latest) > run.first[early].begin:
            what = (
                f"stage {stage} began {_at(run.first[early].begin)} with {found.name(early)}, when work on "
                f"{found.name(latest)} of stage {run.stages[latest]} was not over"
            )
            found.broken(STAGE, stage, (early, latest), what)
        latest = max([*members, *([latest] if latest is not None else [])], key=lambda m: (run.over(m), m))


def _at(moment: datetime) -> str:
    return f"at {moment.isoformat().replace('+00:00', 'Z')}"
