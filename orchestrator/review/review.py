"""All checks of policies together: what is wrong with them, by themselves and, if there is one, on a fleet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from types import MappingProxyType

from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import Inventory
from orchestrator.planner.compile import compile_constraints
from orchestrator.policy.effective import settle
from orchestrator.policy.index import Mask
from orchestrator.policy.load import Loaded
from orchestrator.policy.model import MinAvailable, OrderRule, Policy
from orchestrator.policy.own import own
from orchestrator.review.campaigns import of_campaign
from orchestrator.review.catalogue import is_error
from orchestrator.review.counting import Held, of_counting, superfluous
from orchestrator.review.fleet import Fleet
from orchestrator.review.hours import of_hours
from orchestrator.review.loops import of_loops
from orchestrator.review.matching import of_matching, selects_nobody
from orchestrator.review.rules import of_rules
from orchestrator.review.selectors import of_selectors
from orchestrator.review.silences import hear, told
from orchestrator.review.stages import of_stages
from orchestrator.review.subject import Subject
from orchestrator.review.wellness import of_wellness
from orchestrator.topology.graph import build

_NOBODY = Inventory(taken_at=None, source="", machines=())


@dataclass(frozen=True, slots=True)
class Review:
    """What is to be told of policies. `selected` says how many machines each selects, by its name; empty without a fleet."""

    problems: tuple[Problem, ...]  # sorted by file and line
    silenced: tuple[tuple[Problem, str], ...]  # warnings that the author silenced, with the reason
    policies: tuple[Policy, ...]  # those that could be read, without a copy of the floor
    machines: int | None
    selected: Mapping[str, int]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps the policies from being used."""
        return tuple(problem for problem in self.problems if is_error(problem.code))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What somebody should look at."""
        return tuple(problem for problem in self.problems if not is_error(problem.code))


def review(loaded: Loaded, floor: Policy, now: datetime, inventory: Inventory | None = None) -> Review:
    """Everything that there is to say of policy files, as of `now`; with an inventory, of what they do to that fleet, too."""
    policies = own(loaded.policies)
    subjects = [Subject(policy, loaded.documents[policy.file]) for policy in policies]
    problems: list[Problem] = [*loaded.problems, *_together(loaded.policies, floor)]
    for subject in subjects:
        problems += of_rules(subject, floor)
        problems += of_selectors(subject)
        problems += of_hours(subject, now)
        problems += of_wellness(subject)
        problems += of_campaign(subject)
    selected: dict[str, int] = {}
    if inventory is not None:
        fleet = Fleet(inventory)
        masks = {subject.policy.name: fleet.index.mask(subject.policy.select) for subject in subjects}
        selected = {name: mask.bit_count() for name, mask in masks.items()}
        problems += _contradictions(fleet, policies)
        problems += _on(fleet, subjects, masks)
    return _heard(loaded, policies, problems, inventory, selected)


def _together(policies: Sequence[Policy], floor: Policy) -> Iterator[Problem]:
    """What contradicts itself whatever the fleet."""
    try:
        compile_constraints(build(_NOBODY), policies, floor, frozenset())
    except PolicyError as error:
        yield from error.problems


def _contradictions(fleet: Fleet, policies: Sequence[Policy]) -> Iterator[Problem]:
    try:
        settle(fleet.index, policies)
    except PolicyError as error:
        yield from error.problems


def _on(fleet: Fleet, subjects: Sequence[Subject], masks: Mapping[str, Mask]) -> Iterator[Problem]:
    """What the policies come to on a fleet."""
    rules: list[Held] = []
    for subject in subjects:
        selected = masks[subject.policy.name]
        if not selected:
            yield selects_nobody(subject)
            continue
        yield from of_matching(subject, fleet, selected)
        yield from of_stages(subject, fleet, selected)
        for place, rule in enumerate(subject.policy.rules):
            machines = selected if isinstance(rule, OrderRule) else selected & fleet.index.mask(rule.of)
            rules.append(Held(subject, ("rules", place), rule, machines))
    quorums = reduce(or_, (held.machines for held in rules if isinstance(held.rule, MinAvailable)), 0)
    for held in rules:
        yield from of_counting(held, fleet, quorums)
    yield from superfluous(rules)
    yield from of_loops(rules, fleet)


def _heard(
    loaded: Loaded,
    policies: tuple[Policy, ...],
    problems: Sequence[Problem],
    inventory: Inventory | None,
    selected: Mapping[str, int],
) -> Review:
    """Silences are taken into account, file by file; of a file that couldn't be read whole nobody knows what they would silence."""
    by_file: dict[str, list[Problem]] = {}
    for problem in told(problems):
        by_file.setdefault(problem.file, []).append(problem)
    read = {policy.file for policy in loaded.policies}
    left: list[Problem] = []
    silenced: list[tuple[Problem, str]] = []
    for file in sorted({*by_file, *loaded.documents}):
        found, document = by_file.get(file, []), loaded.documents.get(file)
        if document is None:
            left += found
            continue
        heard = hear(document, found, whole=file in read, with_fleet=inventory is not None)
        left += heard.problems
        silenced += heard.silenced
    return Review(
        problems=told(left),
        silenced=tuple(silenced),
        policies=policies,
        machines=None if inventory is None else len(inventory.machines),
        selected=MappingProxyType(dict(selected)),
    )
