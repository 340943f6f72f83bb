"""The fewest waves of a lane by exhaustive search: Google's CP-SAT, from the optional package `ortools`.

How many machines of each class go in each wave is what is searched for. One worker, a fixed seed and an allowance of the solver's
own deterministic time: the same version of it gives the same answer on every machine, and a plan names the version that was used.

Nothing of the planner imports this module; the wiring does where the package is installed (`search` is the port).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Final

from ortools.sat.python import cp_model

from orchestrator.planner.search import Answer, Problem

SEED: Final = 20
"""Any; always the same."""


class CpSat:
    """A `search.Solver`."""

    name = f"ortools {version('ortools')}"

    def fewest(self, problem: Problem, least: int, most: int, work: float) -> Answer:
        """A plan of at least `least` and at most `most` waves, the fewest that are found within so much work.

        Says what was proven: `least` of the answer is `most` + 1 if there is none.
        """
        model = _Model(problem, least, most)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = work
        status = solver.solve(model.model)
        used = solver.response_proto.deterministic_time
        if status == cp_model.INFEASIBLE:
            return Answer(None, most + 1, used)
        proven = max(least, _rounded_up(solver.best_objective_bound))
        if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return Answer(model.waves(solver), proven, used)
        return Answer(None, min(proven, most), used)


def _rounded_up(bound: float) -> int:
    """The bound of a whole number of waves. CP-SAT's are whole numbers too, told as floats."""
    return round(bound) if abs(bound - round(bound)) < 1e-6 else int(bound) + 1


class _Model:
    """The rules in CP-SAT's terms. `least` waves are used anyway, whoever goes in them; those beyond, up to `most`, are to be spared."""

    def __init__(self, problem: Problem, least: int, most: int) -> None:
        self.model = cp_model.CpModel()
        self._turns = range(most)
        self._problem = problem
        # How many machines of a class go in a wave, and whether any does.
        self._many: list[list[cp_model.IntVar]] = []
        self._any: list[list[cp_model.IntVar]] = []
        for size in problem.sizes:
            self._add_class(size)
        for limit, classes in problem.budgets:
            for turn in self._turns:
                self.model.add(sum(self._many[one][turn] for one in classes) <= limit)
        for domains in problem.exclusions:
            self._add_exclusion(domains)
        for cells in problem.rivals:
            self._add_rivals(cells)
        for first, then in problem.orders:
            self._add_order(first, then)
        self._minimize(least)

    def waves(self, solver: cp_model.CpSolver) -> list[list[int]]:
        """What was found; a wave that nobody needs is left away."""
        found = [
            [one for one, many in enumerate(self._many) for _ in range(solver.value(many[turn]))]
            for turn in self._turns
        ]
        return [wave for wave in found if wave]

    def _add_class(self, size: int) -> None:
        model = self.model
        used = [model.new_bool_var("") for _ in self._turns]
        if size == 1:
            model.add_exactly_one(used)
            many = used
        else:
            many = [model.new_int_var(0, size, "") for _ in self._turns]
            model.add(sum(many) == size)
            for count, one in zip(many, used, strict=True):
                model.add(count <= size * one)
        self._many.append(many)
        self._any.append(used)

    def _add_exclusion(self, domains: Sequence[Sequence[int]]) -> None:
        """At most one domain in each wave."""
        for turn in self._turns:
            self.model.add_at_most_one(self._touched(classes, turn) for classes in domains)

    def _touched(self, classes: Iterable[int], turn: int) -> cp_model.IntVar:
        """True where any of these classes goes in this wave."""
        touched = self.model.new_bool_var("")
        for one in classes:
            self.model.add_implication(self._any[one][turn], touched)
        return touched

    def _add_rivals(self, cells: Sequence[Sequence[int]]) -> None:
        """Cells that each stretch over waves of which the others of the set have none."""
        model, most = self.model, len(self._turns)
        stretches = []
        for classes in cells:
            begin, length = model.new_int_var(0, most - 1, ""), model.new_int_var(1, most, "")
            end = model.new_int_var(1, most, "")
            stretches.append(model.new_interval_var(begin, length, end, ""))
            for turn in self._turns:
                touched = self._touched(classes, turn)
                model.add(begin <= turn).only_enforce_if(touched)
                model.add(end > turn).only_enforce_if(touched)
        model.add_no_overlap(stretches)

    def _add_order(self, first: Sequence[int], then: Sequence[int]) -> None:
        """From some wave on, those that go first are over: none of them goes from there on, none of the others before."""
        model = self.model
        over = [model.new_bool_var("") for _ in self._turns]
        for turn in self._turns:
            if turn:
                model.add_implication(over[turn - 1], over[turn])
            for one in first:
                model.add_implication(self._any[one][turn], ~over[turn])
            for one in then:
                model.add_implication(self._any[one][turn], over[turn])

    def _minimize(self, least: int) -> None:
        """Waves are used from the first on, and as few as possible."""
        model = self.model
        used = [model.new_bool_var("") for _ in self._turns[least:]]
        for number, wave in enumerate(used):
            if number:
                model.add_implication(wave, used[number - 1])
            for one in self._any:
                model.add_implication(one[least + number], wave)
        model.minimize(least + sum(used))
