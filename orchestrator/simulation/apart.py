"""Do something in a copy of this process, as it stands at this moment, and bring back the result.

What a dead process of a simulation leaves behind (tasks in the middle of something, open files) is buried with the copy.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class CopyDied(RuntimeError):
    """A copy ended without a word: it ran out of memory, or somebody killed it."""


@dataclass(slots=True)
class Copy(Generic[T]):
    """A copy that is at work."""

    pid: int
    pipe: int

    def result(self) -> T:
        """Wait for it. Raises what was raised in it."""
        with os.fdopen(self.pipe, "rb") as pipe:
            said = pipe.read()
        os.waitpid(self.pid, 0)
        if not said:
            raise CopyDied(f"process {self.pid} ended without a result")
        well, what = pickle.loads(said)  # noqa: S301 - written by a copy of this very process
        if not well:
            raise what
        result: T = what
        return result


def begin_apart(work: Callable[[], T]) -> Copy[T]:
    """Have `work` done in a copy, beside this process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.disable()  # a copy doesn't live long enough to need it, and it would touch all memory
        try:
            os.close(reading)
            try:
                said = pickle.dumps((True, work()))
            except BaseException as error:  # noqa: BLE001 - whatever it is, whoever asked has to hear of it
                said = pickle.dumps((False, CopyDied(f"{type(error).__name__}: {error}")))
            with os.fdopen(writing, "wb") as out:
                out.write(said)
        finally:
            os._exit(0)
    os.close(writing)
    return Copy(pid, reading)


def apart(work: Callable[[], T]) -> T:
    """Have `work` done in a copy, and wait for it."""
    return begin_apart(work).result()
