"""An event loop that doesn't wait: where another would sleep, its clock jumps to the next thing that is due.

Days of a rollout pass in milliseconds, and the same run takes the same course every time. Nothing under it may use threads or
sockets: what comes from outside comes at no virtual time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Everything waits, and nothing will ever happen: in virtual time that is known at once."""


class _JumpingSelector(selectors.DefaultSelector):
    """Asked to wait, it moves the loop's clock on by as much and returns."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """What is ready now; nothing is waited for."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stuck("nothing is due, and nothing will be")
            self.passed += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time is nobody's but its own; it begins at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made, all of them jumped over."""
        return self._jumping.passed


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
