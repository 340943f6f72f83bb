"""Azure's own history of patch runs, put before the rules: which of them were broken, when, by which schedule.

The policies are compiled for the fleet as it is now, as if all of it were changed, and what was down together is judged by
`verify`, which shares nothing with whoever compiles. Windows and freezes are asked of each machine's own calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from orchestrator.availability.model import Budget, Exclusion
from orchestrator.inventory.runs import PatchRun, RunsRead
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.compiled import Compiled
from orchestrator.policy import words
from orchestrator.policy.effective import settle
from orchestrator.policy.model import Origin, Policy
from orchestrator.policy.windows import Calendar, is_open
from orchestrator.reports.history_model import Broke, Finding, History
from orchestrator.topology.graph import Topology
from orchestrator.verify import constraints as judged
from orchestrator.verify.history import Broken, Run, judge_history

_RESTARTS = MappingProxyType({True: "yes", False: "no", None: "unknown"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a constraint is told."""

    kind: Broke
    what: str
    origin: Origin


def audit(
    topology: Topology,
    policies: Sequence[Policy],
    floor: Policy | None,
    read: RunsRead,
    since: datetime,
    until: datetime,
) -> History:
    """Hold the runs of a time to the rules. `until` is also the end of runs that go on.

    Raises:
        PolicyError: if rules can't hold together, naming each with its file and line.
    """
    told = [run for run in read.runs if run.began < until and (run.ended or until) > since]
    fleet = frozenset(topology.machines)
    held = [run for run in told if run.machine in fleet]
    compiled = compile_constraints(topology, policies, floor, fleet)
    budgets, exclusions, rules = _judged(compiled)
    by_run = {_key(run): run for run in held}
    broken = judge_history([_as_judged(run, until) for run in held], budgets, exclusions)
    findings = [_finding(one, rules[one.rule], by_run) for one in broken]
    findings += _hours(topology, policies, [run for run in held if run.began >= since])
    return History(
        since=since,
        until=until,
        runs=len(held),
        machines=len({run.machine for run in held}),
        fleet=len(fleet),
        by=_counts(run.by for run in held),
        restarts=_counts(_RESTARTS[run.restarted] for run in held),
        statuses=_counts(run.status for run in held),
        findings=tuple(sorted(findings, key=lambda one: (one.begin, one.kind, one.rule))),
        rules=MappingProxyType(
            {"budgets": len(budgets), "exclusions": len(exclusions), "frozen groups": len(compiled.frozen)}
        ),
        notes=tuple(_notes(read, told, held)),
    )


def _judged(
    compiled: Compiled,
) -> tuple[list[judged.Budget], list[judged.Exclusion], Mapping[str, _Rule]]:
    """The constraints in the judge's words, and how to tell of each. A group that admits nobody is a budget of nobody."""
    budgets, exclusions, rules = [], [], {}
    for rule in compiled.constraints:
        match rule:
            case Budget():
                budgets.append(
                    judged.Budget(rule.id, "budget", rule.what, frozenset(rule.members), rule.limit)
                )
                rules[rule.id] = _Rule(Broke.BUDGET, rule.what, rule.origin)
            case Exclusion():
                domains = {name: frozenset(held) for name, held in rule.domains.items()}
                exclusions.append(judged.Exclusion(rule.id, "exclusion", rule.what, domains, rule.level))
                rules[rule.id] = _Rule(Broke.EXCLUSION, rule.what, rule.origin)
    for frozen in compiled.frozen:
        budgets.append(
            judged.Budget(frozen.constraint, "budget", frozen.group, frozenset(frozen.machines), 0)
        )
        rules[frozen.constraint] = _Rule(
            Broke.FROZEN, f"nobody of {frozen.group}: {frozen.why}", frozen.origin
        )
    return budgets, exclusions, rules


def _as_judged(run: PatchRun, until: datetime) -> Run:
    return Run(_key(run), run.machine, run.began, run.ended or until, run.restarted)


def _key(run: PatchRun) -> str:
    return f"{run.machine}/{run.id}"


def _finding(broken: Broken, rule: _Rule, runs: Mapping[str, PatchRun]) -> Finding:
    concerned = [runs[name] for name in broken.runs]
    return Finding(
        kind=rule.kind,
        rule=rule.what,
        origin=str(rule.origin),
        begin=broken.begin,
        end=broken.end,
        machines=tuple(sorted({run.name for run in concerned})),
        by=tuple(sorted({run.by for run in concerned})),
        sure=broken.sure,
        peak=broken.peak,
        limit=broken.limit,
        domains=broken.domains,
    )


# Windows and freezes --------------------------------------------------------------------------------------------


def _hours(topology: Topology, policies: Sequence[Policy], runs: Sequence[PatchRun]) -> Iterator[Finding]:
    """Runs that began when their machine's calendar was closed, a finding for each rule and whoever began them."""
    machines = [topology.machine(machine) for machine in sorted({run.machine for run in runs})]
    settled = settle(machines, policies)
    known: dict[tuple[int, str], Calendar] = {}
    found: dict[tuple[Broke, str, str, str], list[PatchRun]] = {}
    for run in runs:
        hours = settled[run.machine].hours
        if not (hours.windows or hours.freezes):
            continue
        machine = topology.machine(run.machine)
        calendar = known.setdefault((id(hours), machine.time_zone), hours.of(machine))
        for kind, what, origin in _closed(calendar, run.began):
            found.setdefault((kind, what, str(origin), run.by), []).append(run)
    for (kind, what, where, by), begun in sorted(found.items()):
        yield Finding(
            kind=kind,
            rule=what,
            origin=where,
            begin=min(run.began for run in begun),
            end=max(run.began for run in begun),
            machines=tuple(sorted({run.name for run in begun})),
            by=(by,),
            sure=True,
        )


def _closed(calendar: Calendar, at: datetime) -> Iterator[tuple[Broke, str, Origin]]:
    """Each rule by which nothing may begin at a moment."""
    for freeze in calendar.freezes:
        if freeze.start <= at < freeze.end:
            yield Broke.FREEZE, f"no change: {freeze.reason}", freeze.origin
    for windows in calendar.windows:
        if not is_open(Calendar((windows,)), at):
            yield Broke.WINDOW, f"only {'; '.join(map(words.window, windows))}", windows[0].origin


def _notes(read: RunsRead, told: Sequence[PatchRun], held: Collection[PatchRun]) -> Iterator[str]:
    if read.unread:
        yield f"{read.unread:,} rows don't say when their run began, and were passed over"
    if strangers := {run.machine for run in told} - {run.machine for run in held}:
        yield f"{len(strangers):,} machines of the history are not in this fleet, and were passed over"
    if going_on := sum(run.ended is None for run in held):
        yield f"{going_on:,} runs go on, or were never heard of again: they count as out until now"


def _counts(values: Iterable[str]) -> Mapping[str, int]:
    """The most frequent first."""
    return MappingProxyType(dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))))
