"""`wavekeeper policy`: the list of verbs."""

from __future__ import annotations

import pytest

from orchestrator.cli.policy.command import VERBS, load_verb
from tests.unit.cli.conftest import Typed


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_of_the_list_is_there(name: str) -> None:
    """By its name, with words of its own."""
    verb = load_verb(name)
    assert (verb.name, bool(verb.help)) == (name, True)


def test_without_a_verb_the_list_is_shown(wavekeeper: Typed) -> None:
    """Each with its line, and where to learn the language."""
    ran = wavekeeper("policy")
    assert [name for name in VERBS if f" {name} " not in ran.out] == []
    assert "docs/policies.md" in ran.out


def test_a_mistyped_verb_is_told(wavekeeper: Typed) -> None:
    """With the one that was meant."""
    assert "Did you mean 'test'?" in wavekeeper("policy", "tset").err
