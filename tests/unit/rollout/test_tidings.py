"""What the service tells people of itself: once when it comes up, once when it is over, to whom the configuration names."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from orchestrator.errors import Defect
from orchestrator.rollout import events as e
from orchestrator.rollout.decide import decide
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.matters import Matter, Receiver, Topic
from orchestrator.rollout.messages import Start
from orchestrator.rollout.notices import decide_receivers_of
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.snapshot import dump, load
from orchestrator.rollout.state import Scope
from orchestrator.rollout.tidings import (
    body_of_news,
    decide_matters,
    decide_news_told,
    decide_receivers,
    news_key,
)
from tests.builders import NOON, lane, plan_of, telling
from tests.diary import Diary

OPS = Receiver("ops", ("stopped", "paused", "git", "bad_commit", "missed"))
GIT = Matter(
    Topic.GIT, "policies", "git can't be asked", "policies stay as they are", ("wavekeeper daemon --check",)
)


def fold(scope: Scope, *facts: e.Event) -> None:
    """Apply them, as of noon."""
    for fact in facts:
        apply(scope, "", fact, NOON)


@pytest.fixture
def scope() -> Scope:
    """Somebody is told of some of it."""
    made = Scope()
    fold(made, *decide_receivers(made, [OPS]))
    return made


def untold(scope: Scope, webhook: str = "ops") -> list[tuple[str, bool]]:
    """What isn't told yet: the text, and whether it is over."""
    return [(one.matter.text, one.over) for one in scope.tidings.untold.get(webhook, {}).values()]


def test_a_matter_is_told_once_when_it_comes_up_and_once_when_it_is_over(scope: Scope) -> None:
    """However often it is found in between."""
    facts = decide_matters(scope, {Topic.GIT: [GIT]})
    fold(scope, *facts)
    assert facts == (e.MatterRaised("git", "policies", GIT.text, GIT.stake, GIT.options),)
    assert decide_matters(scope, {Topic.GIT: [GIT]}) == ()
    over = decide_matters(scope, {Topic.GIT: []})
    fold(scope, *over)
    assert over == (e.MatterSettled("git", "policies"),)
    assert decide_matters(scope, {Topic.GIT: []}) == ()
    assert untold(scope) == [(GIT.text, False), (GIT.text, True)]


def test_what_nobody_looked_at_stands(scope: Scope) -> None:
    """Right after a start it isn't known yet whether git answers."""
    fold(scope, *decide_matters(scope, {Topic.GIT: [GIT]}))
    assert decide_matters(scope, {Topic.BAD_COMMIT: []}) == ()
    assert decide_matters(scope, {}) == ()


def test_a_missed_moment_is_not_told_to_be_over(scope: Scope) -> None:
    """Nobody waits for that."""
    missed = Matter(Topic.MISSED, "monthly 2026-11-14", "monthly was missed")
    fold(scope, *decide_matters(scope, {Topic.MISSED: [missed]}))
    fold(scope, *decide_matters(scope, {Topic.MISSED: []}))
    assert untold(scope) == [("monthly was missed", False)]
    assert scope.tidings.standing == {}


def test_only_who_wants_to_know_is_told(scope: Scope) -> None:
    """Of topics that a receiver doesn't name it hears nothing."""
    fold(scope, *decide_matters(scope, {Topic.INVENTORY: [Matter(Topic.INVENTORY, "fleet", "it is old")]}))
    assert untold(scope) == []


def test_news_that_were_told_are_forgotten_and_those_that_were_not_are_a_fact_once(scope: Scope) -> None:
    """However long the webhook fails."""
    fold(scope, *decide_matters(scope, {Topic.GIT: [GIT]}))
    failed = decide_news_told(scope, "ops", 1, ok=False, evidence="500")
    assert failed == (e.MatterTold(1, "ops", ok=False, evidence="500"),)
    fold(scope, *failed)
    assert decide_news_told(scope, "ops", 1, ok=False, evidence="500") == ()
    assert scope.tidings.mute == {"ops": "500"}
    fold(scope, *decide_news_told(scope, "ops", 1, ok=True, evidence="204"))
    assert untold(scope) == []
    assert scope.tidings.mute == {}
    assert decide_news_told(scope, "ops", 1, ok=True, evidence="204") == ()


def test_receivers_are_a_fact_when_they_differ(scope: Scope) -> None:
    """A start under the same configuration writes nothing."""
    assert decide_receivers(scope, [OPS]) == ()
    assert decide_receivers(scope, []) == (e.ReceiversNamed(()),)


def test_who_is_no_receiver_any_more_is_owed_nothing(scope: Scope) -> None:
    """Else a rollout would wait for a webhook that nobody configures."""
    fold(scope, *decide_matters(scope, {Topic.GIT: [GIT]}))
    fold(scope, *decide_receivers(scope, []))
    assert untold(scope) == []


def test_the_state_is_the_same_from_a_snapshot(scope: Scope) -> None:
    """Who is told, what stands, what isn't told, who can't be."""
    fold(scope, *decide_matters(scope, {Topic.GIT: [GIT]}))
    fold(scope, *decide_news_told(scope, "ops", 1, ok=False, evidence="500"))
    assert load(orjson.loads(dump(scope)), {}).tidings == scope.tidings


def test_what_can_not_be_settled_is_a_defect(scope: Scope) -> None:
    """Such a journal isn't ours."""
    with pytest.raises(Defect):
        fold(scope, e.MatterSettled("git", "policies"))


def test_a_receiver_hears_what_is_the_matter_what_is_at_stake_and_what_it_may_do(scope: Scope) -> None:
    """Under an id that stays the same however often it is told, and differs from all others."""
    fold(scope, *decide_matters(scope, {Topic.GIT: [GIT]}))
    fold(scope, *decide_matters(scope, {Topic.GIT: []}))
    raised, over = scope.tidings.untold["ops"].values()
    assert body_of_news(raised, "https://w.example") == {
        "id": news_key(raised),
        "occasion": "git",
        "at": "2026-11-22T12:00:00Z",
        "over": False,
        "text": "git can't be asked",
        "at_stake": "policies stay as they are",
        "you_may": ["wavekeeper daemon --check"],
        "link": "https://w.example",
    }
    told = body_of_news(over, "")
    assert (told["text"], told["over"], told["you_may"]) == ("over: git can't be asked", True, [])
    assert news_key(raised) != news_key(over)


def test_who_the_service_names_hears_of_rollouts_as_those_whom_policies_name() -> None:
    """Each notice once, be it named by both; under the number that the fold gives it. Who starts a rollout later is told of all of it."""
    diary = Diary(telling(plan_of(lane("only", "a")), "policy"))
    (named,) = decide_receivers_of(diary.rollout, (OPS, Receiver("policy", ("paused",))))
    apply(diary.scope, "r1", named, NOON)
    diary.pause()
    assert [one.text for one in diary.rollout.untold["ops"].values()] == ["paused by ada: ticket 4711"]
    assert [one.number for one in diary.rollout.untold["policy"].values()] == [1, 2]
    assert list(diary.rollout.untold["ops"]) == [2]
    assert decide_receivers_of(diary.rollout, (OPS, Receiver("policy", ("paused",)))) == ()
    (nobody,) = decide_receivers_of(diary.rollout, ())
    apply(diary.scope, "r1", nobody, NOON + timedelta(hours=1))
    assert diary.rollout.untold.keys() == {"policy"}  # its policy names it still


def test_a_rollout_knows_from_its_start_who_is_told(scope: Scope) -> None:
    """Its own rows are enough to know what it told: whoever reads them alone comes to the same numbers."""
    planned = index_plan(plan_of(lane("only", "a")))
    (started,) = decide(scope, Start("r1", planned, "digest", "ada", ""), NOON)
    assert isinstance(started, e.RolloutStarted)
    assert started.receivers == (OPS,)
    alone = Scope()
    begin(alone, started, planned, NOON)
    assert alone.rollouts["r1"].receivers == {"ops": OPS.on}


def test_of_a_rollout_that_is_over_nobody_new_is_told() -> None:
    """But whoever is no receiver any more is owed nothing."""
    diary = Diary(plan_of(lane("only", "a")))
    apply(diary.scope, "r1", e.ReceiversNamed((Receiver("ops", ("finished",)),)), NOON)
    diary.finish("a")
    assert diary.rollout.over
    assert decide_receivers_of(diary.rollout, (Receiver("ops", ("finished",)), OPS)) == ()
    (nobody,) = decide_receivers_of(diary.rollout, ())
    apply(diary.scope, "r1", nobody, NOON)
    assert diary.rollout.untold == {}
