"""At each moment at which we began to work on a machine: was there room for it?

Those are the moments that count. A machine that fails by itself may leave a budget overdrawn, and that is nobody's
fault here; taking another one out while it is overdrawn is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.verify.constraints import Budget, Exclusion
from orchestrator.verify.model import Findings
from orchestrator.verify.timeline import Step, What


@dataclass(frozen=True, slots=True)
class _Outage:
    since: datetime
    ours: bool


class Moments:
    """Who is taken and what is held, step by step.

    A machine is taken while it is out, whoever did it, or we work on it; each counts once. A budget that spares it counts it only
    while it is out. It holds its domains of
    exclusions while we work on it or it is out by our doing: other people's outages count in budgets, never in
    exclusions. `released` are machines that a person has taken over; they hold no domain.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        exclusions: Sequence[Exclusion],
        *,
        released: Collection[str],
        notice: timedelta,
        most_in_flight: int | None,
        found: Findings,
    ) -> None:
        self._budgets = budgets
        self._exclusions = exclusions
        self._released = released
        self._notice = notice
        self._most_in_flight = most_in_flight
        self._found = found
        self._budgets_of: defaultdict[str, list[int]] = defaultdict(list)
        self._spared_by: defaultdict[str, list[int]] = defaultdict(list)
        for number, budget in enumerate(budgets):
            for machine in budget.machines:
                self._budgets_of[machine].append(number)
            for machine in budget.spared:
                self._spared_by[machine].append(number)
        self._domains_of: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for number, exclusion in enumerate(exclusions):
            for name, members in exclusion.domains.items():
                for machine in members:
                    self._domains_of[machine].append((number, name))
        self._working: set[str] = set()
        self._out: dict[str, _Outage] = {}
        self._ill: set[str] = set()
        self._taken: list[int] = [0] * len(budgets)
        self._holders: list[defaultdict[str, set[str]]] = [defaultdict(set) for _ in exclusions]

    def walk(self, steps: Iterable[Step]) -> None:
        """Judge every beginning, in order."""
        for step in steps:
            machine = step.machine
            taken, holds, out = self._is_taken(machine), self._holds(machine), machine in self._out
            match step.what:
                case What.BEGIN:
                    self._judge(step, taken=taken, holds=holds)
                    self._working.add(machine)
                case What.OVER:
                    self._working.discard(machine)
                case What.OUT:
                    self._out[machine] = _Outage(step.at, step.ours)
                case What.BACK:
                    self._out.pop(machine, None)
                case What.ILL:
                    self._ill.add(machine)
                case What.WELL:
                    self._ill.discard(machine)
            self._count(machine, taken=taken, holds=holds)
            if spell := int(machine in self._out) - int(out):
                for number in self._spared_by[machine]:
                    self._taken[number] += spell

    def _is_taken(self, machine: str) -> bool:
        return machine in self._working or machine in self._out

    def _holds(self, machine: str) -> bool:
        if machine in self._released:
            return False
        outage = self._out.get(machine)
        return machine in self._working or (outage is not None and outage.ours)

    def _count(self, machine: str, *, taken: bool, holds: bool) -> None:
        """Bring the counters up to date, if the machine's state is another than before."""
        change = int(self._is_taken(machine)) - int(taken)
        if change:
            for number in self._budgets_of[machine]:
                self._taken[number] += change
        if self._holds(machine) != holds:
            for number, name in self._domains_of[machine]:
                holders = self._holders[number][name]
                (holders.discard if holds else holders.add)(machine)

    def _judge(self, step: Step, *, taken: bool, holds: bool) -> None:
        self._found.judged("beginnings")
        # Who serves nobody anyway may be mended: it costs no place more.
        if not taken and step.machine not in self._ill:
            for number in self._budgets_of[step.machine]:
                self._judge_budget(self._budgets[number], self._taken[number], step)
        if not holds:
            for number, name in self._domains_of[step.machine]:
                self._judge_exclusion(self._exclusions[number], name, self._holders[number], step)
        most, begun = self._most_in_flight, len(self._working | {step.machine})
        if most is not None and begun > most:
            what = f"{self._beginning(step)} as number {begun} at the same time; the plan allows {most}"
            self._found.broken("max_in_flight", "max_in_flight", [step.machine], what)

    def _judge_budget(self, budget: Budget, taken: int, step: Step) -> None:
        if taken + 1 <= budget.limit:
            return
        if self._notice:
            unseen = {m for m in self._unseen(step.at) if m in budget.machines or m in budget.spared}
            if taken + 1 - len(unseen) <= budget.limit:
                return
        if self._found.enough(budget.rule):
            self._found.broken(budget.rule, budget.id, [step.machine], "")
            return
        others = {m for m in budget.machines if self._is_taken(m)} | (budget.spared & self._out.keys())
        what = (
            f"{budget.title}: {self._beginning(step)} with {self._found.listed(others)} out or being worked on; "
            if others
            else f"{budget.title}: {self._beginning(step)}; "
        )
        what += f"that is {taken + 1}, and only {max(budget.limit, 0)} may be out at once"
        self._found.broken(budget.rule, budget.id, {step.machine, *others}, what)

    def _unseen(self, now: datetime) -> set[str]:
        """Machines that went out by themselves so shortly before `now` that nobody could know."""
        return {
            machine
            for machine, outage in self._out.items()
            if not outage.ours and machine not in self._working and now - outage.since < self._notice
        }

    def _judge_exclusion(
        self, exclusion: Exclusion, mine: str, holders: defaultdict[str, set[str]], step: Step
    ) -> None:
        for name in sorted(holders):
            if name != mine and holders[name]:
                what = (
                    f"{exclusion.title}: {self._beginning(step)} ({mine}) with "
                    f"{self._found.listed(holders[name])} ({name}) not done; {exclusion.says}"
                )
                self._found.broken(exclusion.rule, exclusion.id, {step.machine, *holders[name]}, what)
                return

    def _beginning(self, step: Step) -> str:
        return (
            f"at {step.at.isoformat().replace('+00:00', 'Z')} work on {self._found.name(step.machine)} began"
        )
