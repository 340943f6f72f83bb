"""Campaigns that may not act: a moment counts as observed once its file is there, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from orchestrator.daemon import observing as module
from orchestrator.daemon.calendar import Due
from orchestrator.daemon.observing import Observations, observed
from orchestrator.errors import Refused, UsageError
from orchestrator.rollout.state import MachineStatus, RolloutStatus

DUE = Due("monthly", datetime(2026, 12, 1, 12, tzinfo=UTC))


@pytest.fixture
def observations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Observations:
    """Of a world in which every going-through ends well."""

    async def went_well(*_: object) -> Any:
        return SimpleNamespace(status=RolloutStatus.FINISHED, cause="", counts={MachineStatus.DONE: 3})

    monkeypatch.setattr(module, "observe", went_well)
    services: Any = SimpleNamespace(clock=SimpleNamespace(now=lambda: DUE.at))
    return Observations(tmp_path / "observed", services)


def raises(error: Exception) -> Callable[..., Any]:
    """Something that fails so."""

    def fail(*_: object) -> Any:
        raise error

    return fail


async def go_through(observations: Observations) -> list[str]:
    """To the end, and why it failed."""
    failed: list[str] = []
    observations.begin(DUE, b"", failed.append)
    await asyncio.wait(observations.going_on.values())
    return failed


async def test_what_was_gone_through_is_kept_and_needs_it_no_more(observations: Observations) -> None:
    """Also by the next process."""
    assert await go_through(observations) == []
    assert observations.known() == observed(observations.folder) == {DUE}
    assert observations.going_on == {}


async def test_a_plan_that_could_not_begin_is_observed_as_refused(
    observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is what the campaign would have done."""
    monkeypatch.setattr(module, "observe", raises(Refused("nobody to change")))
    assert await go_through(observations) == []
    (told,) = observations.told()
    assert (told["status"], told["cause"]) == ("refused", "nobody to change")


@pytest.mark.parametrize(
    ("part", "error"),
    [("write_bytes", UsageError("No space left on device")), ("observe", ZeroDivisionError("a bug"))],
)
async def test_a_moment_that_came_to_no_file_is_told_of_and_tried_again(
    observations: Observations, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception
) -> None:
    """By a full disk, or by a bug of ours: it doesn't count as observed, and the log has why."""
    with monkeypatch.context() as broken, structlog.testing.capture_logs() as logs:
        broken.setattr(module, part, raises(error))
        (why,) = await go_through(observations)
    assert str(error) in why
    assert observations.known() == frozenset()
    assert [one["campaign"] for one in logs if one["event"] == "could not be observed"] == ["monthly"]
    assert await go_through(observations) == []
    assert observations.known() == {DUE}
