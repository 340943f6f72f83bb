"""Doors that count: they do what the door inside does, and tell."""

from __future__ import annotations

import pytest

from orchestrator.errors import StaleLease
from orchestrator.store.memory import MemoryJournal
from orchestrator.wiring.counted import CountedWebhooks, TimedJournal
from tests.fakes.webhooks import FakeWebhooks
from tests.virtual import START


async def test_an_append_is_timed_once_it_is_durable() -> None:
    """One that fails isn't."""
    took: list[float] = []
    journal = TimedJournal(MemoryJournal(), took.append)
    await journal.acquire("ada", START)
    assert await journal.append(0, "", START, b"[]") == 1
    with pytest.raises(StaleLease):
        await journal.append(0, "", START, b"[]")
    assert len(took) == 1
    assert took[0] >= 0


async def test_a_call_is_told_with_what_became_of_it() -> None:
    """By the webhook's name."""
    called: list[tuple[str, bool]] = []
    inner = FakeWebhooks(lambda name, key, body: name != "ops", known=frozenset({"ops", "chat"}))
    webhooks = CountedWebhooks(inner, lambda name, ok: called.append((name, ok)))
    assert (await webhooks.call("ops", "k", {}, 1)).ok is False
    assert (await webhooks.call("chat", "k", {}, 1)).ok
    assert called == [("ops", False), ("chat", True)]
    assert webhooks.knows("ops")
    assert not webhooks.knows("nobody")
    await webhooks.close()
