"""Which of two rules does nothing beside the other."""

from __future__ import annotations

import pytest

from orchestrator.policy.load import load_one
from orchestrator.policy.model import Rule
from orchestrator.review.rules import makes_superfluous


def rule(text: str) -> Rule:
    """The rule of a policy that has one."""
    return load_one("p.yaml", f"version: 1\nname: p\nrules: [{{{text}}}]\n").rules[0]


@pytest.mark.parametrize(
    ("strict", "loose", "superfluous"),
    [
        ("max_unavailable: 1", "max_unavailable: 2, rebootless: {max_unavailable: 3}", True),
        ("max_unavailable: 1, rebootless: {max_unavailable: 4}", "max_unavailable: 2", False),
        (
            "max_unavailable: 1, rebootless: {max_unavailable: 3}",
            "max_unavailable: 2, rebootless: {max_unavailable: 4}",
            True,
        ),
        (
            "max_unavailable: 1, rebootless: {max_unavailable: 4}",
            "max_unavailable: 2, rebootless: {max_unavailable: 3}",
            False,
        ),
        ("min_available: 3, rebootless: {max_unavailable: 4}", "min_available: 2", False),
    ],
)
def test_room_for_machines_that_do_not_restart_is_room(strict: str, loose: str, *, superfluous: bool) -> None:
    """A rule that gives them more than another isn't the stricter of the two, however few it lets restart."""
    assert makes_superfluous(rule(strict), rule(loose)) == superfluous
