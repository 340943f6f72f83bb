"""What people say, as short words, and what comes of it in the world."""

from __future__ import annotations

import pytest

from orchestrator.emulator.world import World
from orchestrator.errors import UsageError
from orchestrator.simulation.command import trial_from
from orchestrator.simulation.fleets import REFERENCE, START, premises
from orchestrator.simulation.people import Verb, Word, draw_words, means, read_words, retag, write_words
from orchestrator.simulation.trial import trial_of

TOLD = "tag@7:a2.app=b,hold@40/7200s:tag:app=a,unhold@90:h1,emergency@120"


def test_words_are_read_as_they_are_written_in_the_order_in_which_they_are_said() -> None:
    """Round trip."""
    told = read_words("emergency@120, hold@40/7200s:tag:app=a,unhold@90:h1,tag@7:a2.app=b")
    assert told == (
        Word(7, Verb.TAG, what="a2.app=b"),
        Word(40, Verb.HOLD, 7200, "tag:app=a"),
        Word(90, Verb.UNHOLD, what="h1"),
        Word(120, Verb.EMERGENCY),
    )
    assert write_words(told) == TOLD
    assert read_words("none") == ()


@pytest.mark.parametrize(
    "word", ["hold@3", "hold@3/60s", "hold@3/60s:os=linux", "unhold@x:h1", "shout@3", "tag@3:a2"]
)
def test_what_nobody_says_is_refused_with_what_to_write(word: str) -> None:
    """With an example of each."""
    with pytest.raises(UsageError, match=r"such as hold@40/7200s:tag:app=a, unhold@90:h1"):
        read_words(word)


def test_seeds_draw_words_of_every_kind_that_are_read_as_they_are_written_and_mostly_none() -> None:
    """So that each trial's command replays it."""
    drawn = [draw_words(seed) for seed in range(200)]
    assert {word.verb for words in drawn for word in words} == set(Verb)
    assert all(read_words(write_words(words)) == words for words in drawn)
    assert 60 <= sum(bool(words) for words in drawn) <= 110


@pytest.mark.parametrize("more", ["", " --words none --mishaps none", " --words emergency@9"])
def test_a_command_replays_its_trial(more: str) -> None:
    """As it is drawn, without what is drawn, and with something else."""
    seed = next(seed for seed in range(1, 99) if trial_of(seed).words and trial_of(seed).mishaps)
    trial = trial_from(f"python -m orchestrator.simulation replay --seed {seed}{more}")
    assert trial_from(trial.command()) == trial


def test_a_selector_means_by_name_region_and_tag() -> None:
    """As the product's would, of which the judge asks nothing."""
    machines = {machine.name: machine for machine in premises(REFERENCE).fleet.machines}
    canaries = {name for name, one in machines.items() if means("tag:ring=canary", one)}
    assert canaries == {"a1", "b1"}
    assert [name for name, one in machines.items() if means("name=a2", one)] == ["a2"]
    assert all(means("region=westeurope", one) for one in machines.values())


def test_a_machine_gets_and_loses_a_tag_in_the_world() -> None:
    """Others, and its other tags, are as they were; who isn't there is nobody."""
    world = World(premises(REFERENCE).live, seed=0, start=START)
    (a1, a2) = (next(x for x in world.machines() if x.endswith(f"/{name}")) for name in ("a1", "a2"))
    for what in ("a1.ring=", "a2.ring=canary", "z9.app=a"):
        retag(Word(1, Verb.TAG, what=what), world, START)
    assert (world.model(a1)["tags"], world.model(a2)["tags"]) == (
        {"app": "a"},
        {"app": "a", "ring": "canary"},
    )
