"""What became of each update, and what to do about what didn't take."""

from __future__ import annotations

from orchestrator.service.status import machine_status, status
from orchestrator.service.updates import advice, updates
from tests.builders import lane, plan_of
from tests.diary import Diary


def both() -> Diary:
    """A took its two updates; b one of them, and the other failed for want of a network."""
    diary = Diary(plan_of(lane("west", "a b")))
    for name in "ab":
        diary.follow(name)
    diary.ended("a", patches=("iKB5087423", "iKB5087500"))
    failed = ("fKB5087500", "iKB5087423")
    diary.ended("b", changed=False, detail="1 patches failed", meaning="no-network", patches=failed)
    diary.healthy("a")
    diary.healthy("b")
    return diary


def test_updates_with_trouble_come_first() -> None:
    """With the machines on which they aren't in."""
    assert [str(update) for update in updates(both().rollout)] == [
        "KB5087500: in on 1 machine, failed on 1 (b)",
        "KB5087423: in on 2 machines",
    ]


def test_advice_names_the_machines_it_is_for() -> None:
    """One sentence for each meaning; machines that took the change need none."""
    (told,) = advice(both().rollout)
    assert told.startswith(
        "b: Windows Update could not reach its server. To do: check proxy, DNS and firewall"
    )


def test_a_machines_status_says_what_it_means_and_what_became_of_its_updates() -> None:
    """For whoever asks about one machine."""
    diary = both()
    lines = machine_status(diary.scope, diary.rollout, diary.index("b"), diary.now)
    assert lines[1:] == (
        "1 patches failed",
        (
            "What it means: Windows Update could not reach its server. To do: check proxy, DNS and firewall of the machine and the "
            "address of WSUS, if it uses one; then retry."
        ),
        "Its updates: KB5087500 failed; KB5087423 installed.",
    )


def test_what_was_installed_may_be_taken_back_once_nothing_is_under_way() -> None:
    """By a plan of its own, which status offers."""
    diary = both()
    offered = {option.command for option in status(diary.scope, diary.rollout, diary.now).options}
    assert "wavekeeper rollback r1" in offered


def test_status_has_both() -> None:
    """For people and programs."""
    diary = both()
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.advice == advice(diary.rollout)
    assert told.to_json()["updates"][0] == {
        "name": "KB5087500",
        "installed": 1,
        "failed": 1,
        "pending": 0,
        "trouble": ("b",),
    }


def test_a_set_is_written_once_for_all_machines_that_have_it() -> None:
    """A journal has 400 bytes for a machine."""
    diary = Diary(plan_of(lane("west", "a b c")))
    for name in "abc":
        diary.follow(name)
        diary.ended(name, patches=("iKB5087423",))
    assert diary.rollout.patches == [("iKB5087423",)]
    assert [run.patches for run in diary.rollout.machines] == [0, 0, 0]


def test_a_second_attempt_adds_to_what_the_first_one_put_in() -> None:
    """What is installed is taken back by a rollback, whichever attempt did it."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.follow("a")
    diary.ended("a", changed=False, passing=True, meaning="still-pending", patches=("pKB2", "iKB1"))
    diary.healthy("a")
    diary.follow("a")
    diary.ended("a", patches=("iKB2",))
    assert diary.rollout.patches[diary.run("a").patches] == ("iKB1", "iKB2")
