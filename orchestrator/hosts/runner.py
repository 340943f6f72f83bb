"""What goes on for each machine, made what is desired: missing activities are begun, those no longer desired are stopped.

An activity that has ended stays listed until its report was decided on. In between, what it reported isn't a fact yet, so
the facts still want it; begun anew, a request would be sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from orchestrator.errors import Defect
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m

OWN = -1
"""The place of the rollout's own activities among those of machines."""

Perform = Callable[[a.Activity], Coroutine[None, None, m.Observation]]
Ended = Callable[[int, a.Activity, m.Observation], None]


class Runner:
    """One task for each activity. `ended` hears of each that came to its end; `failed` of errors, which are defects or worse."""

    def __init__(self, perform: Perform, ended: Ended, failed: Callable[[BaseException], None]) -> None:
        self._perform = perform
        self._ended = ended
        self._failed = failed
        self._tasks: dict[int, dict[a.Activity, asyncio.Task[m.Observation]]] = {}
        self._sent: dict[int, int] = {}  # machine -> its last attempt that a request was begun for

    def activities(self) -> list[a.Activity]:
        """All that goes on, or ended and was not decided on yet."""
        return [activity for here in self._tasks.values() for activity in here]

    def want(self, place: int, desired: tuple[a.Activity, ...]) -> None:
        """Let exactly these go on in a place."""
        here = self._tasks.get(place)
        if here is None:
            if not desired:
                return
            here = self._tasks[place] = {}
        for activity in [x for x in here if x not in desired]:
            if not isinstance(activity, a.Send):  # a request that is under way is never cut off
                here.pop(activity).cancel()
        for activity in desired:
            if activity not in here:
                self._once(activity)
                task = asyncio.create_task(self._perform(activity))
                task.add_done_callback(partial(self._done, place, activity))
                here[activity] = task
        self._tidy(place)

    def forget(self, place: int, activity: a.Activity) -> None:
        """An activity's report was decided on: from now on it may be begun anew."""
        task = self._tasks.get(place, {}).get(activity)
        if task is not None and task.done():
            del self._tasks[place][activity]
            self._tidy(place)

    async def stop(self) -> None:
        """Stop everything."""
        tasks = [task for here in self._tasks.values() for task in here.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _once(self, activity: a.Activity) -> None:
        """No request is begun twice by a process, whatever the facts want."""
        if isinstance(activity, a.Send):
            if self._sent.get(activity.machine) == activity.attempt:
                raise Defect(f"attempt {activity.attempt} at machine {activity.machine} was to be sent again")
            self._sent[activity.machine] = activity.attempt

    def _done(self, place: int, activity: a.Activity, task: asyncio.Task[m.Observation]) -> None:
        error = Defect(f"{activity} cancelled itself") if task.cancelled() else task.exception()
        if self._tasks.get(place, {}).get(activity) is not task:
            return  # it was stopped, and what it saw last is nobody's wish any more
        if error is not None:
            self._failed(error)
        else:
            self._ended(place, activity, task.result())

    def _tidy(self, place: int) -> None:
        if place in self._tasks and not self._tasks[place]:
            del self._tasks[place]
