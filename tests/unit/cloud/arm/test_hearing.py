"""Whoever wants to know is told of each request that left."""

from __future__ import annotations

import pytest

from orchestrator.clock import SystemClock
from orchestrator.cloud.arm.provider import ArmProvider
from orchestrator.cloud.port import Operation
from orchestrator.errors import CloudError
from orchestrator.policy.model import Patches
from tests.unit.cloud.arm.scripted import ScriptedAnswer, ScriptedSession, Step
from tests.unit.cloud.arm.test_errors import CUT, NO_CONNECTION
from tests.unit.cloud.arm.test_provider import ACCEPTED, EMULATOR, STATUS, WEB01


def hearing(*steps: Step) -> tuple[ArmProvider, list[tuple[str, int, float | None]]]:
    """A provider, and what was heard of it."""
    heard: list[tuple[str, int, float | None]] = []

    def hear(method: str, status: int, retry_after_s: float | None) -> None:
        heard.append((method, status, retry_after_s))

    return ArmProvider(SystemClock(), endpoint=EMULATOR, session=ScriptedSession(*steps), hear=hear), heard


async def test_each_request_is_heard_with_what_became_of_it() -> None:
    """Reads as starts, refused ones and those that nobody answered."""
    throttled = ScriptedAnswer(429, Retry_After="17")
    cloud, heard = hearing(
        ACCEPTED, throttled, CUT, ScriptedAnswer(200, {"status": "InProgress"}, Retry_After="soon")
    )
    await cloud.start(WEB01, Patches(), "k-1", 30)
    await cloud.start(WEB01, Patches(), "k-2", 30)
    await cloud.start(WEB01, Patches(), "k-3", 30)
    await cloud.poll(Operation(STATUS))
    assert heard == [("POST", 202, None), ("POST", 429, 17.0), ("POST", 0, None), ("GET", 200, None)]


async def test_what_could_not_be_asked_is_heard_too() -> None:
    """And raised as ever."""
    cloud, heard = hearing(NO_CONNECTION)
    with pytest.raises(CloudError):
        await cloud.poll(Operation(STATUS))
    assert heard == [("GET", 0, None)]
