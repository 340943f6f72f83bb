"""What of a rollout can be taken back, and whom that leaves aside."""

from __future__ import annotations

import pytest

from orchestrator.errors import Refused
from orchestrator.service.taking_back import what_can_be_taken_back
from tests.builders import lane, plan_of
from tests.diary import Diary
from tests.fleet import vm_id


def done(**patches: tuple[str, ...]) -> Diary:
    """A rollout that ended with these results of its machines."""
    diary = Diary(plan_of(lane("west", " ".join(patches))))
    for name, kept in patches.items():
        diary.follow(name)
        diary.ended(name, patches=kept)
        diary.healthy(name)
    return diary


def test_each_machine_gives_back_what_was_installed_on_it() -> None:
    """Not what failed, and not what another one got."""
    back = what_can_be_taken_back(done(a=("iKB1111111",), b=("fKB2222222", "iKB3333333")).rollout)
    assert dict(back.installed) == {vm_id("a"): ("1111111",), vm_id("b"): ("3333333",)}
    assert back.left == ()


def test_packages_are_not_taken_back_and_what_nobody_told_is_named() -> None:
    """By machine, with the reason."""
    back = what_can_be_taken_back(done(a=("iKB1111111",), b=("iopenssl 3.0",), c=()).rollout)
    assert back.left == (
        ("b", "it has no KB to be uninstalled: packages aren't taken back"),
        ("c", "nobody told what was installed on it, update by update"),
    )


def test_a_machine_that_had_nothing_to_get_is_not_named() -> None:
    """Nobody has to tell update by update that there was none."""
    diary = Diary(plan_of(lane("west", "a b")))
    for name, kept, detail in (("a", ("iKB1111111",), "1 installed"), ("b", (), "0 installed, restarted")):
        diary.follow(name)
        diary.ended(name, patches=kept, detail=detail)
        diary.healthy(name)
    assert what_can_be_taken_back(diary.rollout).left == ()


def test_what_is_under_way_is_waited_for() -> None:
    """Half of what it installs isn't known yet."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.follow("a")
    with pytest.raises(Refused, match=r"1 machine of r1 are under way still; pause it"):
        what_can_be_taken_back(diary.rollout)


def test_nothing_installed_is_nothing_to_take_back() -> None:
    """Refused, by name."""
    with pytest.raises(Refused, match="r1 has installed nothing that can be taken back: a: it has no KB"):
        what_can_be_taken_back(done(a=("iopenssl 3.0",)).rollout)
