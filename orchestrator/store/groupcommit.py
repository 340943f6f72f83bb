"""Who does a store's blocking work: one thread of its own, or the caller.

A store here is a blocking object that one thread owns, such as a database connection. `write` is work within a
transaction, `alone` is work outside one. Both are done in the order in which they were asked for.

The thread takes all that is queued at once and hands neighbouring writes over together, for one transaction: while one is
being made durable the next gathers, so the costly part (a disk that syncs) is paid once for many, and nobody waits
for a batch to fill.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from orchestrator.errors import Defect


class Store(Protocol):
    """What works are done on."""

    def together(self, works: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Do `works` in one transaction; for each what it returned, or the exception that is its own."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


S = TypeVar("S", bound=Store)
T = TypeVar("T")


class CallerThread(Generic[S]):
    """The caller does the work at once: for virtual time, where no thread may be."""

    def __init__(self, store: S) -> None:
        self._store: S | None = store

    async def write(self, work: Callable[[S], T]) -> T:
        """Do `work` in a transaction of its own."""
        (outcome,) = self._open().together([work])
        if isinstance(outcome, Exception):
            raise outcome
        result: T = outcome
        return result

    async def alone(self, work: Callable[[S], T]) -> T:
        """Do `work` outside any transaction."""
        return work(self._open())

    async def close(self) -> None:
        """Close the store. Again: nothing."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _open(self) -> S:
        if self._store is None:
            raise Defect("the journal was closed already")
        return self._store


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Any], Any]
    joins: bool  # whether it may share a transaction with its neighbours
    done: asyncio.Future[Any]


class WriterThread(Generic[S]):
    """One thread does the work; it belongs to the event loop that started it."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Future[None] = self._loop.create_future()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        # A daemon: a program that ends without closing must end. What was queued then was never promised to anyone.
        self._thread = threading.Thread(target=self._run, args=(make,), name="journal", daemon=True)

    @classmethod
    async def start(cls, make: Callable[[], S]) -> WriterThread[S]:
        """Start the thread and make the store in it; what `make` raises is raised here, and the thread ends."""
        line = cls(make)
        line._thread.start()
        await line._made
        return line

    async def write(self, work: Callable[[S], T]) -> T:
        """Do `work` in a transaction, maybe with others, and return once that is durable.

        A caller that is cancelled meanwhile doesn't take the work back: it may be done or not.
        """
        return await self._submit(work, joins=True)

    async def alone(self, work: Callable[[S], T]) -> T:
        """Do `work` outside any transaction, after all that was asked for before."""
        return await self._submit(work, joins=False)

    async def close(self) -> None:
        """Finish what is queued, close the store, end the thread. Again: nothing."""
        if not self._closed:
            closing = self._submit(lambda store: store.close(), joins=False)
            self._closed = True
            self._queue.put(None)
            await closing
            self._thread.join()

    def _submit(self, work: Callable[[S], T], *, joins: bool) -> asyncio.Future[T]:
        """Queue `work` before returning, so that two calls one after the other keep their order."""
        if self._closed:
            raise Defect("the journal was closed already")
        done: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Job(work, joins, done))
        return done

    # What follows runs in the thread.

    def _run(self, make: Callable[[], S]) -> None:
        try:
            store = make()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the store gets it, whatever it is
            self._tell([(self._made, error)])
            return
        self._tell([(self._made, None)])
        while jobs := self._take():
            for joins, group in groupby(jobs, key=lambda job: job.joins):
                neighbours = list(group)
                outcomes = _do_together(store, neighbours) if joins else _do_alone(store, neighbours)
                self._tell([(job.done, outcome) for job, outcome in zip(neighbours, outcomes, strict=True)])

    def _take(self) -> list[_Job]:
        """Wait for a job, then take all that is queued. Empty: there is nothing more to come."""
        taken = [self._queue.get()]
        with suppress(Empty):
            while taken[-1] is not None:
                taken.append(self._queue.get_nowait())
        if taken[-1] is None and len(taken) > 1:
            self._queue.put(None)  # its turn comes once these are done
        return [job for job in taken if job is not None]

    def _tell(self, results: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(_settle, results)


def _do_together(store: Store, jobs: Sequence[_Job]) -> list[Any]:
    try:
        return store.together([job.work for job in jobs])
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it; the thread must outlive it
        return [error] * len(jobs)


def _do_alone(store: Store, jobs: Sequence[_Job]) -> list[Any]:
    outcomes: list[Any] = []
    for job in jobs:
        try:
            outcomes.append(job.work(store))
        except BaseException as error:  # noqa: BLE001 - as above
            outcomes.append(error)
    return outcomes


def _settle(results: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    """Give each waiter its outcome, in the loop. One that was cancelled waits no more."""
    for done, outcome in results:
        if done.done():
            continue
        if isinstance(outcome, BaseException):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
