"""What is reviewed: a policy together with the text that it was read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.errors import Problem
from orchestrator.policy import words
from orchestrator.policy.document import Document, Path
from orchestrator.policy.model import OrderRule, Policy, Selector


@dataclass(frozen=True, slots=True)
class Subject:
    """One policy and its document."""

    policy: Policy
    document: Document

    def says(self, path: Path, code: str, what: str, instead: str, *, key: bool = False) -> Problem:
        """A finding at a path of the document, or at the nearest thing around it that is written."""
        return self.document.problem(path, what, instead, key=key, code=code)

    def writes(self, key: str) -> bool:
        """Whether the file says something of a key of its first level."""
        return key in self.document.data

    def narrower(self) -> Iterator[tuple[Path, str, Selector]]:
        """Every selector inside the policy, but for its own: where it is written, whose it is in words, what it says."""
        policy = self.policy
        for place, rule in enumerate(policy.rules):
            at: Path = ("rules", place)
            if isinstance(rule, OrderRule):
                for number, entry in enumerate(rule.sequence):
                    yield (*at, "order", number), "this entry of the order", entry
            else:
                yield (*at, "of"), f"the rule `{words.rule(rule)}`", rule.of
        for place, probe in enumerate(policy.probes):
            yield ("health", "probes", place, "of"), f"the probe `{words.probe(probe)}`", probe.of
        for place, around in enumerate(policy.around):
            yield ("around", place, "of"), f"the step `{words.around(around)}`", around.of
        if policy.campaign is not None and self.writes("stages"):
            for place, stage in enumerate(policy.campaign.stages):
                yield ("stages", place, "select"), f"the stage `{stage.name}`", stage.select
