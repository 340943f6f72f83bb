"""The time after which a request that nobody saw was surely not taken, whatever the host's clock does meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.executor.settings import Settings
from orchestrator.executor.settling import Settling
from tests.builders import NOON
from tests.virtual import virtual

SETTINGS = Settings()


@dataclass
class Host:
    """A host whose clock is set ahead, or back, at its third look."""

    step: timedelta
    scale: float = 1.0
    off_by: timedelta = timedelta(0)
    really: timedelta = timedelta(0)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """As the host has it."""
        return NOON + self.really + self.off_by

    async def sleep(self, seconds: float) -> None:
        """As it really passes."""
        self.slept.append(seconds)
        self.really += timedelta(seconds=seconds)
        if len(self.slept) == 3:
            self.off_by = self.step


async def waited(step: timedelta = timedelta(0), **more: Any) -> tuple[bool, timedelta]:
    """What came of looks that showed nothing, and how long that really took."""
    host = Host(step)
    services = SimpleNamespace(clock=host, settings=SETTINGS)
    settling = Settling(services, NOON)  # type: ignore[arg-type]
    while (certain := settling.looked(good=more.get("good", True))) is None:
        await settling.pause()
    return certain, host.really


ENOUGH = SETTINGS.settle_for + timedelta(seconds=SETTINGS.in_transit_s)


@virtual
async def test_as_long_as_a_run_may_stay_invisible() -> None:
    """And a request on its way."""
    assert await waited() == (True, ENOUGH)


@pytest.mark.parametrize("minutes", [10, 600, -10])
@virtual
async def test_a_clock_that_is_set_makes_it_no_shorter(minutes: int) -> None:
    """But for what a look may take by itself."""
    certain, really = await waited(timedelta(minutes=minutes))
    assert certain
    assert ENOUGH - timedelta(seconds=15) <= really <= ENOUGH


@virtual
async def test_looks_that_fail_decide_nothing() -> None:
    """After so long it is a person's."""
    certain, really = await waited(good=False)
    assert (certain, really) == (False, SETTINGS.settle_at_most + timedelta(seconds=SETTINGS.in_transit_s))
