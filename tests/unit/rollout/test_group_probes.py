"""What is asked about groups: before a grant they must be well, and while they aren't their machines wait, which is nobody's failure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.planner.model import Plan
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus
from tests.builders import budget, grouped, lane, plan_of, step
from tests.diary import OLD, Diary, kinds


def quorum() -> Plan:
    """Machines a and b of a quorum, and x, which is of none; two of them may be out."""
    return grouped(plan_of(lane("west", "a b x"), rules=[budget(2, "a b x")]), "db", "a b")


@pytest.fixture
def diary() -> Diary:
    """The rollout of it."""
    return Diary(quorum())


def test_a_group_that_is_not_well_keeps_all_its_machines_waiting(diary: Diary) -> None:
    """Those that are being looked at, too; and nobody else. The reason names group and evidence."""
    assert diary.checked() == "a b"
    facts = diary.group_sick("a", "http http://status/db: 503")
    assert facts == (e.GroupSeen(0, well=False, evidence="http http://status/db: 503"),)
    assert diary.checked() == "x"
    refused = refusal(diary.scope, diary.rollout, diary.index("b"))
    assert refused is not None
    assert refused.what == "its group db isn't well: http http://status/db: 503"
    assert diary.status("a") is M.PENDING


def test_a_group_that_is_known_to_be_sick_is_not_put_down_again(diary: Diary) -> None:
    """Of two checks under way the second brings no news: polls are no facts."""
    diary.group_sick("a")
    assert diary.tell(m.FoundGroupSick("r1", diary.index("b"), 0, "502")) == ()
    assert diary.tell(m.FoundWell("r1", diary.index("b"), OLD)) == ()


def test_a_sick_group_is_asked_about_until_it_is_well(diary: Diary) -> None:
    """Then its machines are looked at again, as there is room."""
    diary.group_sick("a")
    assert diary.agenda.own == (a.Watch("r1"), a.WatchGroups("r1"))
    assert diary.group_well() == (e.GroupSeen(0, well=True, evidence=""),)
    assert diary.checked() == "a x"
    assert diary.agenda.own == (a.Watch("r1"),)
    assert diary.tell(m.GroupRecovered("r1", 0)) == ()


def test_nobody_asks_about_groups_while_nothing_may_be_granted(diary: Diary) -> None:
    """What a group was found to be is kept, and asked about anew once the rollout goes on."""
    diary.group_sick("a")
    diary.pause()
    assert diary.agenda.own == (a.Watch("r1"),)
    assert diary.tell(m.FoundGroupSick("r1", diary.index("b"), 0, "502")) == ()
    diary.resume()
    assert diary.agenda.own == (a.Watch("r1"), a.WatchGroups("r1"))
    assert diary.checked() == "x"


def test_a_crash_keeps_what_a_group_was_found_to_be(diary: Diary) -> None:
    """It is a fact, and the first question after it is about the group."""
    diary.group_sick("a")
    diary.crash()
    assert diary.checked() == "x"
    assert a.WatchGroups("r1") in diary.agenda.own


def test_a_group_that_fails_before_anything_was_done_is_no_failure_of_ours(diary: Diary) -> None:
    """However long it takes: nothing counts for `stop_when`, and at the end its machines are left out by the group's name."""
    diary.group_sick("a", "503")
    diary.finish("x")
    diary.wait(hours=24)
    assert diary.status("a") is M.LEFT_OUT
    assert diary.run("b").detail == "waited 24 h for group db to be well: 503"
    assert diary.rollout.status is RolloutStatus.FINISHED
    assert diary.rollout.unacknowledged == diary.rollout.not_changed == set()


def test_a_machine_that_a_person_retries_does_not_wait_for_its_group(diary: Diary) -> None:
    """It may be the very reason why the group isn't well."""
    diary.change("a")
    diary.group_sick("b")
    diary.unhealthy("a")
    diary.retry("a")
    assert diary.checked() == "a x"
    assert kinds(diary.tell(m.FoundWell("r1", 0, OLD, serves=False))) == "Granted Intended"


def test_a_machine_under_two_groups_waits_for_both() -> None:
    """The first that isn't well is told."""
    diary = Diary(grouped(quorum(), "cache", "a"))
    diary.group_sick("a", group=1)
    assert diary.checked() == "b x"
    diary.group_sick("b", group=0)
    assert diary.checked() == "x"
    diary.group_well(0)
    assert diary.checked() == "b x"
    diary.finish("x")
    assert diary.checked() == "b"
    diary.group_well(1)
    assert diary.checked() == "a b"


def test_a_group_that_is_put_down_late_lets_what_has_begun_go_on(diary: Diary) -> None:
    """A grant isn't taken back: what is asked after the change decides."""
    diary.well("a")
    diary.group_sick("b")
    diary.accepted("a")
    diary.ended("a")
    assert kinds(diary.healthy("a")).startswith("MachineEnded")
    assert diary.now - diary.rollout.sick[0].since == timedelta(0)


def test_a_granted_machine_whose_group_is_not_well_any_more_gives_its_grant_back() -> None:
    """The group is asked again right before an intent; its steps after follow, and it goes when the group is well again."""
    plan = plan_of(lane("west", "a"), before=[step("drain")], after=[step("undrain")])
    diary = Diary(grouped(plan, "db", "a"))
    diary.well("a")
    assert diary.tell(m.FoundGroupSick("r1", 0, 0, "503")) == ()  # its steps are under way
    diary.step("a")
    assert kinds(diary.tell(m.FoundGroupSick("r1", 0, 0, "503"))) == "GroupSeen ChangeEnded"
    diary.healthy("a")
    diary.step("a")
    diary.healthy("a")
    assert diary.status("a") is M.PENDING
    assert diary.run("a").detail == "not begun: its group db isn't well any more: 503"
    assert (diary.granted(), diary.checked()) == ("", "")
    diary.group_well()
    assert diary.checked() == "a"
