"""What is the matter with the daemon: said when it can be said, with what is at stake and what may be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from orchestrator.access.model import Grant, Role
from orchestrator.access.settings import TokenEntry
from orchestrator.cli.main import COMMANDS
from orchestrator.daemon.calendar import Due, Entry
from orchestrator.daemon.following import Bad, Followed, Good
from orchestrator.daemon.matters import GIT_FOR, Seen, matters_of
from orchestrator.daemon.opening import Waits
from orchestrator.gitops.model import Commit
from orchestrator.rollout.holds import Hold
from orchestrator.rollout.matters import Matter, Topic

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = Commit("a" * 40, "ada", NOW, "first")
SECOND = Commit("b" * 40, "bob", NOW, "a slip")
GOOD = Good(FIRST, NOW, (), MappingProxyType({}))
WELL = Seen(NOW, Followed(GOOD, looked_at=NOW), (), {}, HOUR / 2, 2 * HOUR, HOUR)
NOTHING: dict[Topic, list[Matter]] = {topic: [] for topic in Topic}


def test_nothing_is_the_matter() -> None:
    """And that is said of every topic, so that what stood is over."""
    assert matters_of(WELL) == NOTHING


def test_right_after_a_start_little_can_be_said() -> None:
    """What stood before the restart stands until it was looked."""
    start = Seen(NOW, Followed(), (), {}, None, 2 * HOUR, timedelta(0))
    assert matters_of(start) == {Topic.HOLD: [], Topic.CERTIFICATE: [], Topic.TOKEN: []}


def test_a_bad_commit_is_told_with_its_problems_and_what_counts() -> None:
    """Not all of fifty."""
    bad = Bad(SECOND, ("shop.yaml:1: one", "two", "three", "four", "five"), NOW)
    (matter,) = matters_of(replace(WELL, followed=Followed(GOOD, bad, looked_at=NOW)))[Topic.BAD_COMMIT]
    assert matter.key == SECOND.id
    assert matter.text == (
        f"commit {SECOND} is bad and does not count: shop.yaml:1: one; two; three; and 2 more"
    )
    assert matter.stake == f"Nothing of it holds until it is mended: {FIRST.short} goes on counting."
    assert matter.options[0] == "wavekeeper policy check"


@pytest.mark.parametrize(("since", "told"), [(GIT_FOR - timedelta(seconds=1), None), (GIT_FOR, 1)])
def test_git_is_told_when_it_is_away_for_long(since: timedelta, told: int | None) -> None:
    """In between nobody says that it is well, nor what is bad."""
    followed = Followed(GOOD, unreachable="no route", unreachable_since=NOW - since, looked_at=NOW)
    found = matters_of(replace(WELL, followed=followed))
    assert (len(found[Topic.GIT]) if Topic.GIT in found else None) == told
    assert Topic.BAD_COMMIT not in found


def test_what_is_due_and_waits_is_told_once_it_was_tried() -> None:
    """A moment that is just being opened isn't the matter, and says nothing of others either."""
    due = Due("monthly", NOW - HOUR)
    entry = Entry("monthly", act=True, next=NOW + HOUR, due=due)
    assert Topic.DUE not in matters_of(replace(WELL, entries=(entry,)))
    waits = {"monthly": Waits(due, "nothing can be planned", NOW)}
    (matter,) = matters_of(replace(WELL, entries=(entry,), waits=waits))[Topic.DUE]
    assert matter.text == "monthly of 2026-11-22 11:00 UTC is due and can't be opened: nothing can be planned"
    assert matter.campaign == "monthly"


def test_a_missed_moment_is_told() -> None:
    """With when the next one is."""
    entry = Entry("monthly", act=True, next=NOW + HOUR, missed=NOW - timedelta(days=9))
    (matter,) = matters_of(replace(WELL, entries=(entry,)))[Topic.MISSED]
    assert "was missed" in matter.text
    assert matter.stake == "Its machines stay as they are until 2026-11-22 13:00 UTC."


def test_an_inventory_is_stale_after_a_while_be_it_known_or_never_read() -> None:
    """Counted from the start where there was none."""
    (old,) = matters_of(replace(WELL, fleet_age=3 * HOUR))[Topic.INVENTORY]
    (none,) = matters_of(replace(WELL, fleet_age=None, up_for=3 * HOUR))[Topic.INVENTORY]
    assert old.text == "the inventory is 3.0 h old and can't be read anew"
    assert none.text == "the fleet couldn't be read for 3.0 h"
    assert old.key == none.key


def test_a_hold_is_told_before_it_ends() -> None:
    """Of one that lasts a day or less people know."""
    long = Hold("h1", "tag:app=shop", NOW + 20 * HOUR, "ada", "a disk", NOW - 40 * HOUR)
    short = replace(long, id="h2", since=NOW - HOUR)
    later = replace(long, id="h3", until=NOW + 30 * HOUR)
    (matter,) = matters_of(replace(WELL, holds=(long, short, later)))[Topic.HOLD]
    assert matter.key == "h1"
    assert matter.options == (
        "wavekeeper hold tag:app=shop --until T --reason R",
        "wavekeeper unhold h1",
    )


def test_a_certificate_is_told_before_it_ends() -> None:
    """Once; a new one has another key."""
    found = matters_of(replace(WELL, certificate_ends=NOW + timedelta(days=13)))[Topic.CERTIFICATE]
    assert [one.key for one in found] == ["2026-12-05T12:00"]
    assert matters_of(replace(WELL, certificate_ends=NOW + timedelta(days=15)))[Topic.CERTIFICATE] == []


def test_a_token_is_told_before_it_ends_and_after() -> None:
    """By its machine's name; never what it is."""

    def token(name: str, days: int) -> TokenEntry:
        return TokenEntry(name, b"digest", NOW + timedelta(days=days), Grant(Role.VIEWER))

    seen = replace(WELL, tokens=(token("ci", 13), token("old", -1), token("new", 15)))
    assert [one.key for one in matters_of(seen)[Topic.TOKEN]] == ["ci 2026-12-05", "old 2026-11-21"]


@pytest.mark.parametrize("topic", Topic)
def test_every_matter_says_what_is_at_stake_and_names_commands_that_there_are(topic: Topic) -> None:
    """Whoever is told at night can copy them."""
    due = Due("monthly", NOW - HOUR)
    everything = Seen(
        NOW,
        Followed(GOOD, Bad(SECOND, ("no",), NOW), looked_at=NOW),
        (
            Entry("monthly", act=True, next=NOW, due=due),
            Entry("weekly", act=True, next=NOW, missed=NOW - 200 * HOUR),
        ),
        {"monthly": Waits(due, "no", NOW)},
        9 * HOUR,
        HOUR,
        HOUR,
        (Hold("h1", "tag:app=shop", NOW + HOUR, "ada", "a disk", NOW - 90 * HOUR),),
        NOW,
        (TokenEntry("ci", b"digest", NOW, Grant(Role.VIEWER)),),
    )
    away = Followed(GOOD, unreachable="no route", unreachable_since=NOW - HOUR, looked_at=NOW)
    found = matters_of(everything if topic is not Topic.GIT else replace(everything, followed=away))
    (matter,) = found[topic]
    assert matter.text
    assert matter.stake
    assert {option.split()[1] for option in matter.options} <= COMMANDS.keys()
