"""An event loop that doesn't wait: where another would sleep, its clock jumps to the next thing that is due.

Days of a rollout pass in milliseconds, and the same run takes the same course every time. Nothing under it may use threads or
sockets: what comes from outside comes at no virtual time. It owns no file descriptor either, so that a process may be
forked in the middle of it, and both go on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

RESOLUTION_S: Final = 1e-6
"""What is due within this is due now. The base loop's own nanosecond is lost in a float after half a year of seconds: what is due
would never come, and the loop would spin."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(RuntimeError):
    """Everything waits, and nothing will ever happen: in virtual time that is known at once."""


class _Jumping:
    """In the place of a selector. Asked to wait, it moves the loop's clock on by as much and returns."""

    def __init__(self) -> None:
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> tuple[()]:
        """Nothing ever comes from outside, so nothing is waited for."""
        if timeout is None:
            raise Stuck("nothing is due, and nothing will be")
        if timeout > 0:
            self.passed += timeout
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop whose time is nobody's but its own; it begins at 0."""

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jumping()
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Seconds since the loop was made, all of them jumped over."""
        return self._selector.passed

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As any loop, without what it checks for debugging. A loop that was left for dead takes it, and never comes to it."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _process_events(self, events: tuple[()]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """It never waits, so it needs no waking."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
