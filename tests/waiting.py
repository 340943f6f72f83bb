"""Waiting for what is decided, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestrator.web.desk import Desk


async def until(desk: Desk, true: Callable[[], bool]) -> None:
    """Wait for decisions until something is true."""
    heard = asyncio.Event()
    with desk.listen(lambda _: heard.set()):
        while not true():
            await heard.wait()
            heard.clear()
