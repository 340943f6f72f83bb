"""Holds: a person's word keeps machines from being begun, ends by the clock, and adds nothing."""

from __future__ import annotations

from datetime import timedelta, timezone

import orjson
import pytest

from orchestrator.errors import Refused
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.decide import decide
from orchestrator.rollout.evolve import apply
from orchestrator.rollout.holding import HELD
from orchestrator.rollout.snapshot import dump, load
from orchestrator.rollout.state import MachineStatus, Scope
from tests.builders import NOON, budget, lane, plan_of, stage, step, under
from tests.diary import WHO, WHY, Diary, kinds, only
from tests.fleet import vm_id
from tests.unit.rollout.test_hours import TODAY

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def hold(scope: Scope, select: str = "name=a", until: timedelta = HOUR, reason: str = WHY) -> e.HoldPlaced:
    """A person's word, decided on and applied to a scope."""
    (fact,) = decide(scope, m.Hold(select, NOON + until, WHO, reason), NOON)
    apply(scope, "", fact, NOON)
    assert isinstance(fact, e.HoldPlaced)
    return fact


# The word ------------------------------------------------------------------------------------------------------


def test_a_hold_is_a_fact_of_the_scope_with_name_reason_and_end() -> None:
    """Before any rollout, and told in a sentence; each has a number of its own."""
    scope = Scope()
    assert hold(scope) == e.HoldPlaced("h1", "name=a", NOON + HOUR, WHO, WHY)
    assert hold(scope, "region=westeurope").hold == "h2"
    assert str(scope.holds["h1"]) == f"held by ada until 2026-11-22 13:00 UTC: {WHY} (hold h1)"


def test_an_end_of_another_time_zone_is_the_same_moment_in_utc() -> None:
    """An hour from now is told as that hour, wherever whoever asks for it has their clock."""
    scope, berlin = Scope(), timezone(timedelta(hours=2))
    (fact,) = decide(scope, m.Hold("name=a", (NOON + HOUR).astimezone(berlin), WHO, WHY), NOON)
    apply(scope, "", fact, NOON)
    assert str(scope.holds["h1"]) == f"held by ada until 2026-11-22 13:00 UTC: {WHY} (hold h1)"


@pytest.mark.parametrize(
    ("until", "reason", "select", "said"),
    [
        (timedelta(), WHY, "name=a", "2026-11-22 12:00 UTC is past already: it is 2026-11-22 12:00 UTC"),
        (91 * DAY, WHY, "name=a", "lasts for 90d at most, now until 2027-02-20 12:00 UTC"),
        (HOUR, " ", "name=a", "say why"),
        (HOUR, WHY, "app=shop", "nothing is held: app=shop: `app` isn't known; did you mean `tag:app`"),
    ],
)
def test_what_can_not_be_held_is_refused(until: timedelta, reason: str, select: str, said: str) -> None:
    """Without an end that is near enough, a reason, or a selector that can be read."""
    with pytest.raises(Refused, match=said):
        hold(Scope(), select, until, reason)


def test_only_what_stands_is_lifted() -> None:
    """By its number; the others are told, and one that has ended isn't among them."""
    scope = Scope()
    hold(scope)
    hold(scope, "name=b", DAY)
    with pytest.raises(Refused, match="no hold h7; h1, name=a, held by ada"):
        decide(scope, m.Unhold("h7", WHO, WHY), NOON)
    with pytest.raises(Refused, match=r"no hold h1; h2, name=b, held by ada until [^;]*$"):
        decide(scope, m.Unhold("h1", WHO, WHY), NOON + 2 * HOUR)
    (fact,) = decide(scope, m.Unhold("h2", WHO, WHY), NOON + 2 * HOUR)
    apply(scope, "", fact, NOON + 2 * HOUR)
    assert list(scope.holds) == ["h1"]
    hold(scope, "name=c", DAY)
    assert "h3" in scope.holds


# Who is held ---------------------------------------------------------------------------------------------------


def test_a_held_machine_is_not_begun_and_its_wave_goes_on_around_it() -> None:
    """Nobody looks at it; it waits for the end of the hold, and is begun then by itself."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.hold("name=a", hours=6)

    assert diary.checked() == "b"
    refused = refusal(diary.scope, diary.rollout, diary.index("a"), now=diary.now)
    assert refused is not None
    assert refused.constraint == HELD
    assert refused.what == f"held by ada until 2026-11-22 18:00 UTC: {WHY} (hold h1)"
    diary.finish("b")
    diary.wait(hours=5)
    assert diary.checked() == ""
    diary.wait(hours=1)
    assert diary.checked() == "a"


def test_a_look_that_was_under_way_begins_nothing() -> None:
    """The hold came between the look and the grant."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.hold("name=a", hours=6)
    assert diary.tell(m.FoundWell(diary.id, diary.index("a"), "")) == ()


def test_what_is_in_flight_is_carried_through() -> None:
    """A hold begins nothing new, and breaks nothing off."""
    diary = Diary(plan_of(lane("l", "a")))
    diary.follow("a")
    diary.hold("name=a", hours=6)
    assert isinstance(diary.doing("a"), a.Follow)
    diary.ended("a")
    diary.recover("a")
    assert diary.status("a") is MachineStatus.DONE


def test_a_grant_of_which_nothing_was_sent_is_given_back() -> None:
    """Its steps after are done; then it waits like any held machine."""
    diary = Diary(plan_of(lane("l", "a b"), before=[step("drain")], after=[step("undrain")]))
    diary.well("a")
    diary.hold("name=a", hours=6)
    diary.step("a")
    given_back = only(diary.well("a"), e.ChangeEnded)
    assert (given_back.begun, given_back.detail) == (
        False,
        f"not begun: it is held by ada until 2026-11-22 18:00 UTC: {WHY} (hold h1)",
    )
    diary.recover("a")
    assert diary.status("a") is MachineStatus.PENDING
    assert diary.checked() == "b"
    diary.wait(hours=6)
    assert diary.checked() == "a b"


def test_a_wave_does_not_wait_for_longer_than_it_would_for_anybody() -> None:
    """Once nobody else is left to wait for, who is held for longer than `max_wait` is left out, by name; the lane goes on."""
    diary = Diary(plan_of(lane("l", "a b", "c"), max_wait=DAY))
    diary.hold("name=a", hours=25)
    assert kinds(diary.finish("b")) == "MachineEnded"
    assert diary.wait(minutes=59) == ()  # whoever placed it by mistake may still lift it
    facts = diary.wait(minutes=1)

    left = only(facts, e.MachineLeftOut)
    assert (left.machine, left.why) == (
        diary.index("a"),
        f"held by ada until 2026-11-23 13:00 UTC: {WHY} (hold h1); that is longer than its wave waits",
    )
    assert kinds(facts) == "MachineLeftOut WavePassed WaveOpened"
    assert diary.checked() == "c"


def test_a_canary_is_not_gone_past_at_once() -> None:
    """With all of it held nobody was tried: it waits as long as any wave, and then says for what."""
    stages = [stage("canary"), stage("broad")]
    plan = plan_of(lane("c", "a", stage="canary"), lane("l", "b"), stages=stages, max_wait=DAY)
    diary = Diary(plan)
    diary.hold("name=a", hours=100)
    assert diary.status("a") is MachineStatus.PENDING
    diary.wait(hours=23)
    assert diary.checked() == ""
    facts = diary.wait(hours=1)
    assert only(facts, e.MachineLeftOut).why.startswith(
        "waited 24 h for the end of a hold: a: held by ada until"
    )
    assert diary.checked() == "b"


def test_a_hold_is_asked_with_the_calendar() -> None:
    """Whoever is held until after the window waits for the next one; the hold alone doesn't open it."""
    diary = Diary(under(plan_of(lane("l", "a")), TODAY))
    diary.hold("name=a", hours=30)
    diary.wait(hours=30)
    assert diary.checked() == ""
    assert diary.agenda.opens_at() == NOON + 7 * DAY + 2 * HOUR


def test_a_lifted_hold_lets_go_at_once() -> None:
    """Without anybody's poke."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.hold("name=a", hours=6)
    diary.unhold("h1")
    assert diary.checked() == "a b"


def test_of_several_holds_the_last_to_end_counts() -> None:
    """Lifting one of them is not enough."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.hold("name=a", hours=6)
    diary.hold("name=*", hours=2)
    assert diary.checked() == ""
    diary.wait(hours=2)
    assert diary.checked() == "b"
    diary.hold("name=a", hours=1)
    diary.unhold("h1")
    assert diary.checked() == "b"
    diary.wait(hours=1)
    assert diary.checked() == "a b"


def test_a_hold_adds_nothing() -> None:
    """A machine that the rollout only counts, or doesn't know, is nobody's to begin, held or not."""
    diary = Diary(plan_of(lane("l", "a b"), rules=[budget(1, "a b x")]))
    before = [machine.id for machine in diary.planned.plan.machines if machine.change]
    diary.hold("name=x", hours=1)
    diary.hold("name=nobody", hours=1)
    assert diary.checked() == "a"
    assert [machine.id for machine in diary.rollout.planned.plan.machines if machine.change] == before
    assert all(not meant.surely for meant in diary.rollout.meant.values())


def test_a_person_does_not_retry_what_is_held() -> None:
    """The hold is lifted first, by whoever may."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.skip("a")
    diary.hold("name=a", hours=1)
    with pytest.raises(Refused, match=r"a is held by ada until .* lift that first, .*: wavekeeper unhold h1"):
        diary.retry("a")


# Whom no plan can tell -----------------------------------------------------------------------------------------


def test_whoever_a_tag_may_mean_waits_until_the_fleet_was_looked_at() -> None:
    """No plan has tags. Then those that it means wait on, and the others go."""
    diary = Diary(plan_of(lane("l", "a b c")))
    diary.hold("tag:app=shop,name=[ab]*", hours=6)  # brackets stand for themselves: nobody
    assert diary.checked() == "a b c"
    diary.hold("tag:app=shop,region=westeurope", hours=6)
    assert diary.checked() == ""
    assert a.LookForHeld(diary.id, ("h2",)) in diary.agenda.own
    assert diary.found_held("h2", "b") == (e.HoldSeen("h2", (diary.index("b"),)),)
    assert diary.checked() == "a c"
    assert all(not isinstance(one, a.LookForHeld) for one in diary.agenda.own)


def test_a_tag_that_comes_later_holds_and_one_that_goes_lets_nobody_go() -> None:
    """A later look adds whom the hold means by then; what was held stays so to its end."""
    diary = Diary(plan_of(lane("l", "a b c")))
    diary.hold("tag:app=shop", hours=6)
    diary.found_held("h1", "b")
    assert diary.found_held("h1", "c") == (e.HoldSeen("h1", (diary.index("c"),)),)
    assert diary.checked() == "a"
    assert diary.found_held("h1", "b c") == ()


def test_whom_the_person_saw_is_held_without_a_look() -> None:
    """The inventory that the person had at hand is a look of its own; another is made all the same."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.tell(m.Hold("tag:app=shop", NOON + HOUR, WHO, WHY, (vm_id("a"),), diary.id))
    diary.found_held("h1")
    assert diary.checked() == "b"


def test_nobody_is_left_out_on_a_guess() -> None:
    """Whom a hold may mean, for all that is known, waits for the look."""
    diary = Diary(plan_of(lane("l", "a"), max_wait=DAY))
    diary.hold("tag:app=shop", days=30)
    assert diary.status("a") is MachineStatus.PENDING
    diary.wait(hours=2)
    facts = diary.found_held("h1", "a")
    assert kinds(facts) == "HoldSeen MachineLeftOut WavePassed RolloutFinished"


def test_a_hold_of_everything_ends_nothing_at_once() -> None:
    """Lifted within the hour, it is as if it had never been."""
    diary = Diary(plan_of(lane("l", "a b", "c"), max_wait=DAY))
    diary.hold("name=*", days=30)
    assert diary.wait(minutes=59) == ()
    diary.unhold("h1")
    assert diary.checked() == "a b"


def test_a_rollout_that_comes_later_is_held_from_its_first_moment() -> None:
    """And one that has ended by then holds nobody."""
    scope = Scope()
    hold(scope, "name=a", 6 * HOUR)
    hold(scope, "name=b", HOUR)
    diary = Diary(plan_of(lane("l", "a b c")), scope=scope, now=NOON + 2 * HOUR)
    assert diary.checked() == "b c"


def test_a_snapshot_keeps_holds() -> None:
    """What stands, whom it means, and its number."""
    diary = Diary(plan_of(lane("l", "a b c")))
    diary.hold("tag:app=shop", hours=6)
    diary.found_held("h1", "b")
    again = load(orjson.loads(dump(diary.scope)), {diary.id: diary.planned})
    assert again.rollouts == diary.scope.rollouts
    assert (again.holds, again.holdings, again.revision) == (
        diary.scope.holds,
        diary.scope.holdings,
        diary.scope.revision,
    )
    assert again.rollouts[diary.id].holds is again.holds


def test_a_crash_forgets_no_hold() -> None:
    """The rows have it."""
    diary = Diary(plan_of(lane("l", "a b")))
    diary.hold("name=a", hours=6)
    diary.crash()
    assert diary.checked() == "b"
    diary.wait(hours=6)
    assert diary.checked() == "a b"


def test_a_straggler_that_is_held_is_passed_by_in_its_time() -> None:
    """Retried after its wave, then held: it waits as long as a wave would, and the reason is told."""
    diary = Diary(plan_of(lane("l", "a", "b"), max_wait=DAY))
    diary.skip("a")
    diary.follow("b")
    diary.retry("a")
    diary.hold("name=a", hours=100)
    diary.ended("b")
    diary.recover("b")
    facts = diary.wait(hours=24)
    assert only(facts, e.MachineLeftOut).why.startswith(
        "waited 24 h, after it was retried, for the end of a hold: a: held by ada until"
    )
