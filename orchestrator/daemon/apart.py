"""A process beside the daemon for what takes the processor for seconds: policies that are tried, plans that are made."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Any, TypeVar

from orchestrator.errors import CloudTransient

T = TypeVar("T")


def helper() -> ProcessPoolExecutor:
    """Two processes, each made when it is first needed: what is due doesn't wait until a commit was tried. They end with this one,
    however that ends.
    """
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_end_with_parent)


@dataclass(slots=True)
class Apart:
    """Has work done in a process of its own: rollouts go on meanwhile."""

    pool: ProcessPoolExecutor = field(default_factory=helper)

    async def __call__(self, work: Callable[..., T], *given: Any) -> T:
        """What the work gives, or raises. All of it goes from one process to the other and back.

        Raises `CloudTransient` where the process is ended under it, as when memory runs out: it is tried again like all that may pass, in
        another process, and rollouts go on.
        """
        pool = self.pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, partial(work, *given))
        except BrokenProcessPool:
            if self.pool is pool:
                pool.shutdown(wait=False)
                self.pool = helper()
            what = f"the process beside the daemon was ended while it worked ({work.__name__}); is there enough memory?"
            raise CloudTransient(what) from None

    def end(self) -> None:
        """Wait for nobody."""
        self.pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """A killed daemon closes nothing: whoever waits for its next word would wait for ever."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a Ctrl-C in a terminal reaches both; the daemon ends this one
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
