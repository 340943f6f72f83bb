"""A rollout that goes on, and somebody who looks at it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from playwright.async_api import Browser

from orchestrator.access.model import Role
from orchestrator.rollout.state import Rollout
from tests.browser.eyes import Eyes, looking
from tests.desk import Office, office, someone
from tests.virtual import Script

FAST = 1_800.0  # half an hour in a second

GRACE = someone("grace")


@contextlib.asynccontextmanager
async def seen(
    browser: Browser,
    folder: Path,
    scripted: Script,
    *,
    scale: float = 1.0,
    faults: str = "",
    who: str = "ada",
    **options: object,
) -> AsyncIterator[tuple[Office, Rollout, Eyes]]:
    """An office with a rollout that goes on, and somebody who looks at it."""
    people = (GRACE, someone("otto", Role.OPERATOR, "weekly"))
    async with office(scripted, folder, *people, scale=scale, faults=faults) as there:
        rollout = await there.begin()
        async with looking(browser, there.url, who, **options) as eyes:
            yield there, rollout, eyes


def in_flight(rollout: Rollout) -> Callable[[], bool]:
    """Whether something is."""
    return lambda: bool(rollout.in_flight)
