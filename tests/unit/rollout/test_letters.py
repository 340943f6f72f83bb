"""Commands as JSON, and letters that nobody wrote."""

from __future__ import annotations

import pytest

from orchestrator.errors import UsageError
from orchestrator.rollout import messages as m
from orchestrator.rollout.letters import VERBS, dump, load
from tests.builders import NOON
from tests.fleet import vm_id

SAID: list[m.Command] = [
    m.Pause("r1", "ada", "lunch"),
    m.Resume("r1", "ada", "back"),
    m.Abort("r1", "ada", "no"),
    m.Approve("r1", "ada", "looks well"),
    m.Retry("r1", 3, "ada", "again"),
    m.Skip("r1", 3, "ada", "not this one"),
    m.WriteOff("r1", 3, "ada", "it burned"),
    m.Block("5087423", "ada", "it breaks the shop"),
    m.Unblock("5087423", "ada", "mended"),
    m.Hold("tag:app=shop", NOON, "ada", "a disk is replaced", (vm_id("a"),)),
    m.Unhold("h1", "ada", "it is replaced"),
    m.Emergency("r1", "ada", "it is exploited"),
]


@pytest.mark.parametrize("command", SAID, ids=lambda command: type(command).__name__)
def test_a_command_is_read_back_as_it_was_sent(command: m.Command) -> None:
    """Whole: who, why, and which machine."""
    assert load(dump(command)) == command


def test_every_verb_can_be_sent() -> None:
    """All but the start, which takes a plan along."""
    assert len(SAID) == len(VERBS)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"verb": "explode"}',
        b'{"verb": "pause"}',
        b'{"verb": "pause", "rollout": "r1", "loud": 1}',
        b'{"verb": "hold", "select": "name=a", "until": "soon", "who": "ada", "reason": "disk"}',
        b'{"verb": "hold", "select": "name=a", "who": "ada", "reason": "disk"}',
    ],
)
def test_a_letter_that_can_not_be_read_is_told_apart(body: bytes) -> None:
    """It is answered, not carried out."""
    with pytest.raises(UsageError, match="a letter in the inbox that can't be read"):
        load(body)
