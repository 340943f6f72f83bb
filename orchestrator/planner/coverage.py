"""What the stages of a campaign try before the rest of its machines come, and what they leave untried: for whoever decides on the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.planner.configurations import Configuration, Trait, in_words, trait_in_words
from orchestrator.planner.drafts import machines
from orchestrator.planner.model import Warned
from orchestrator.policy.model import Origin

NAMED: Final = 3
"""How many configurations, and how many values, a warning names; the summary of a plan tells more of them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is tried when a stage has ended, earlier stages included. Machines are counted in the whole campaign.

    `values` are single ones (a size, a role) that no machine has which was taken so far; each machine of them is of an untried
    configuration too. Both are the most frequent first.
    """

    stage: str
    configurations: int
    untried: tuple[tuple[Configuration, int], ...]
    values: tuple[tuple[Trait, int], ...]
    origin: Origin

    @property
    def untried_machines(self) -> int:
        """Machines that come later and are of a configuration that nobody has tried."""
        return sum(count for _, count in self.untried)

    def to_json(self) -> dict[str, Any]:
        """Plain values: every configuration that is left untried, and every value."""
        return {
            "stage": self.stage,
            "configurations": self.configurations,
            "tried": self.configurations - len(self.untried),
            "untried_machines": self.untried_machines,
            "untried": [
                {
                    "region": one.region, "os": one.os, "image": one.image, "size": one.size, "role": one.role,
                    "machines": count,
                }
                for one, count in self.untried
            ],
            "untried_values": [
                {"value": trait_in_words(trait), "machines": count} for trait, count in self.values
            ],
        }  # fmt: skip


def verdict(coverage: Coverage) -> str:
    """`when canary has ended, 9 of 28 configurations will have been tried; 141 machines of the other 19 come after it`."""
    tried = coverage.configurations - len(coverage.untried)
    if not coverage.untried:
        every = "its only configuration" if tried == 1 else f"all {tried:,} configurations"
        return f"when {coverage.stage} has ended, {every} will have been tried"
    others = "the other" if len(coverage.untried) == 1 else f"the other {len(coverage.untried):,}"
    return (
        f"when {coverage.stage} has ended, {tried:,} of {coverage.configurations:,} configurations (image, size, region, role) "
        f"will have been tried; {machines(coverage.untried_machines)} of {others} come after it"
    )


def no_machine_with(coverage: Coverage, named: int) -> str:
    """`no machine before has Standard_E8s_v5 (17 machines); role session (24 machines)`; empty if each value is tried."""
    if not coverage.values:
        return ""
    values = [(trait_in_words(trait), count) for trait, count in coverage.values]
    return f"none of those tried has {_named(values, named)}"


def warnings(coverages: Iterable[Coverage]) -> Iterable[Warned]:
    """A warning for each stage after which machines come of a kind that nobody has tried."""
    for coverage in coverages:
        if coverage.untried:
            untried = [(in_words(one), count) for one, count in coverage.untried]
            told = (verdict(coverage), no_machine_with(coverage, NAMED), f"untried: {_named(untried, NAMED)}")
            yield Warned("; ".join(filter(None, told)), coverage.origin)


def _named(entries: Sequence[tuple[str, int]], most: int) -> str:
    told = [f"{what} ({machines(count)})" for what, count in entries[:most]]
    more = f" and {len(entries) - most:,} more" if len(entries) > most else ""
    return "; ".join(told) + more
