"""What is read off a daemon: how it stands in numbers, in a line, and why it isn't ready."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from orchestrator.daemon.calendar import Due, Entry
from orchestrator.daemon.following import Bad, Followed, Good
from orchestrator.daemon.living import Health
from orchestrator.daemon.opening import Waits
from orchestrator.daemon.operated import line
from orchestrator.daemon.readings import LEAST_FREE, readings, unready
from orchestrator.gitops.model import Commit
from orchestrator.rollout import events as e
from orchestrator.rollout.evolve import apply
from orchestrator.rollout.matters import Matter, Receiver, Topic
from orchestrator.rollout.tidings import decide_matters, decide_receivers
from tests.builders import budget, lane, plan_of, telling
from tests.diary import Diary
from tests.fleet import vm_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = Commit("a" * 40, "ada", NOW - HOUR, "first")
SECOND = Commit("b" * 40, "bob", NOW, "a slip")
GOOD = Good(FIRST, NOW, (), MappingProxyType({}))


class Usage(NamedTuple):
    """As much of a disk's usage as is asked for."""

    free: int


@pytest.fixture
def diary() -> Diary:
    """A rollout under a rule, of which a receiver wants to know."""
    return Diary(telling(plan_of(lane("only", "a", "b"), rules=[budget(1, "a b")]), "policy"))


@pytest.fixture
def made(diary: Diary, tmp_path: Path) -> Callable[..., Any]:
    """A daemon as it is read, of which a part may differ."""

    def make(**parts: Any) -> Any:
        (tmp_path / "journal.db").touch()
        known: dict[str, Any] = {
            "config": SimpleNamespace(journal=tmp_path / "journal.db", inventory_limit=2 * HOUR),
            "cloud": SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW)),
            "fleet": SimpleNamespace(age=HOUR),
            "following": SimpleNamespace(followed=Followed(GOOD, looked_at=NOW)),
            "opening": SimpleNamespace(waits={}),
            "entries": tuple,
            "living": SimpleNamespace(health=Health(NOW - HOUR, frozenset({vm_id("a")}), 20)),
            "certificate_ends": lambda: None,
            "house": SimpleNamespace(
                log=SimpleNamespace(scope=diary.scope),
                services=SimpleNamespace(
                    dispatcher=SimpleNamespace(held=dict), views=SimpleNamespace(swept_at=NOW - HOUR)
                ),
            ),
        }
        return SimpleNamespace(**(known | parts))

    return make


def test_it_is_ready(made: Callable[..., Any]) -> None:
    """With a commit that counts, a fleet that was read, and a disk that can be written."""
    assert unready(made()) == []


def test_each_reason_is_named(made: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(LEAST_FREE - 1))
    following = SimpleNamespace(followed=Followed())
    assert unready(made(following=following, fleet=SimpleNamespace(age=None))) == [
        "the journal's disk is full: 63 MiB are left",
        "no commit of the policies counts yet",
        "the fleet was not read yet",
    ]
    assert unready(made(fleet=SimpleNamespace(age=3 * HOUR))) == [
        "the journal's disk is full: 63 MiB are left",
        "the inventory is 180 minutes old",
    ]


def test_a_folder_that_is_gone_is_a_reason(made: Callable[..., Any], tmp_path: Path) -> None:
    """And no failure of the one who asks."""
    config = SimpleNamespace(journal=tmp_path / "gone" / "journal.db", inventory_limit=2 * HOUR)
    assert unready(made(config=config)) == [
        "the journal's folder can't be looked at: No such file or directory"
    ]


def test_a_rollout_is_read_in_numbers(made: Callable[..., Any], diary: Diary) -> None:
    """Each status has a value, so that a series doesn't come and go."""
    diary.send("a")
    found = readings(made())
    assert found.rollouts["running"] == 1
    assert found.rollouts["stopped"] == 0
    assert (found.machines["test", "intended"], found.machines["test", "pending"]) == (1, 1)
    assert (found.in_flight, found.out_by_us, found.out_by_others) == (1, 1, 0)
    assert (found.budgets, found.budgets_full, found.room_lowest) == (1, 1, 0)
    assert (found.health_age_s, found.inventory_age_s) == (3600, 3600)
    assert found.fleet == {"serving": 19, "out": 1}
    assert found.commit == FIRST.short


def test_a_machine_that_nobody_knows_of_is_undecided(made: Callable[..., Any], diary: Diary) -> None:
    """For whoever is to be woken."""
    diary.send("a")
    diary.unsettled("a")
    apply(diary.scope, "r1", e.Undecided(0, "no answer"), NOW)
    assert readings(made()).undecided == 1


def test_what_is_not_told_is_counted_over_rollouts_and_the_daemon(
    made: Callable[..., Any], diary: Diary
) -> None:
    """By webhook; one that has nothing to hear has its zero."""
    for fact in decide_receivers(diary.scope, [Receiver("ops", ("git",)), Receiver("chat", ("due",))]):
        apply(diary.scope, "", fact, NOW)
    for fact in decide_matters(diary.scope, {Topic.GIT: [Matter(Topic.GIT, "policies", "away")]}):
        apply(diary.scope, "", fact, NOW)
    apply(diary.scope, "", e.MatterTold(1, "ops", ok=False, evidence="500"), NOW)
    found = readings(made())
    assert found.queued == {"ops": 1, "chat": 0, "policy": 1}
    assert found.mute == {"ops"}


def test_the_calendar_is_read(made: Callable[..., Any]) -> None:
    """What comes, and what waits."""
    due = Due("monthly", NOW - HOUR)
    entries = (Entry("monthly", act=True, next=NOW + HOUR, due=due), Entry("weekly", act=False, next=None))
    opening = SimpleNamespace(waits={"monthly": Waits(due, "nothing can be planned", NOW)})
    found = readings(made(entries=lambda: entries, opening=opening))
    assert found.next_s == {"monthly": 3600}
    assert found.waiting == {"monthly": True, "weekly": False}


def test_how_it_stands_is_a_line(made: Callable[..., Any], diary: Diary) -> None:
    """For whoever asks systemctl."""
    assert line(made()) == f"1 rollout under way, 0 machines in flight; policies {FIRST.short}"
    diary.pause()
    followed = Followed(GOOD, Bad(SECOND, ("no",), NOW), looked_at=NOW)
    told = line(made(following=SimpleNamespace(followed=followed)))
    assert told == (
        f"1 rollout under way, 0 machines in flight; 1 waiting for a person; policies {FIRST.short}; "
        f"commit {SECOND.short} is bad"
    )
