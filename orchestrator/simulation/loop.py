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
from heapq import heapify, heappop, heappush
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

RESOLUTION_S: Final = 1e-6
"""What is due within this is due now. The base loop's own nanosecond is lost in a float after half a year of seconds: what is due
would never come, and the loop would spin."""

LONGEST_JUMP_S: Final = 86400.0
"""One after another, so that the base loop's rounding of long ones stays what it was."""

MANY: Final = 100
"""Timers that were cancelled, before they are looked for among the others: as in the base loop."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(RuntimeError):
    """Everything waits, and nothing will ever happen: in virtual time that is known at once."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop whose time is nobody's but its own; it begins at 0.

    It does as the base loop does, without what that does for threads, sockets and debugging, which is a tenth of what a simulation costs.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0.0

    def time(self) -> float:
        """Seconds since the loop was made, all of them jumped over."""
        return self._passed

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As any loop, without what it checks for debugging. A loop that was left for dead takes it, and never comes to it."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """The same for what is due later."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._scheduled, handle)
        handle._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 - counts those that are cancelled, in the base loop
        return handle

    def _run_once(self) -> None:
        """Run what is ready. If nothing is, jump to what is due next; nothing ever comes from outside, so nothing is waited for."""
        scheduled, ready = self._scheduled, self._ready
        if self._timer_cancelled_count > MANY and 2 * self._timer_cancelled_count > len(scheduled):
            scheduled[:] = [handle for handle in scheduled if not handle.cancelled()]
            heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0].cancelled():
            self._timer_cancelled_count -= 1
            heappop(scheduled)
        if not (ready or self._stopping):
            if not scheduled:
                raise Stuck("nothing is due, and nothing will be")
            self._passed += min(max(0.0, scheduled[0].when() - self._passed), LONGEST_JUMP_S)
        due = self._passed + RESOLUTION_S
        while scheduled and scheduled[0].when() < due:
            handle = heappop(scheduled)
            handle._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001
            ready.append(handle)
        for _ in range(len(ready)):
            next_one = ready.popleft()
            if not next_one.cancelled():
                next_one._run()  # noqa: SLF001

    def _write_to_self(self) -> None:
        """It never waits, so it needs no waking."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
