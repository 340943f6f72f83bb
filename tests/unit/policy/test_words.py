"""Sentences that plans, errors and progress have in common."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.policy.change import Change, Patches, PinnedBy, Reboot, Restart
from orchestrator.policy.words import change, counted, pinned


@pytest.mark.parametrize(("number", "said"), [(0, "0 machines"), (1, "1 machine"), (1200, "1,200 machines")])
def test_one_thing_is_told_without_an_s(number: int, said: str) -> None:
    """Thousands are told apart."""
    assert counted(number, "machine") == said


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Restart(), "restart"),
        (Patches(), "install critical, security patches, reboot if_required, at most 2h"),
        (
            Patches(
                (),
                include_kbs=("5087423",),
                include_names=("*SQL*",),
                include_packages=("vim", "curl"),
                exclude_names=("*NET*",),
                exclude_packages=("mysql*",),
                hotpatch_only=True,
                reboot=Reboot.NEVER,
                pinned_by=PinnedBy.ASSESSMENT,
            ),
            (
                "install no class of patches, with KB 5087423, with updates named *SQL*, with packages vim, curl, without updates named "
                "*NET*, without packages mysql*, hotpatches only, reboot never, at most 2h, pinned by assessment"
            ),
        ),
    ],
)
def test_a_change_is_said_whole(one: Change, said: str) -> None:
    """Everything that selects patches is named."""
    assert change(one) == said


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Restart(), ""),
        (Patches(), ""),
        (
            Patches(published_until=datetime(2026, 11, 29, 10, tzinfo=UTC), only_packages=("vim=8.2",)),
            "Windows updates published until 2026-11-29 10:00 UTC, 1 Linux package in the versions that assessments found",
        ),
        (Patches(only_kbs=("1", "2")), "2 KBs that assessments found"),
    ],
)
def test_how_a_set_is_pinned(one: Change, said: str) -> None:
    """By day, by KB, by version; nothing where it isn't."""
    assert pinned(one) == said
