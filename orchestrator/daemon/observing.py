"""Campaigns that may not act: gone through when they are due, and kept as what they would have done, a file each.

A file is written when the going-through has ended, and so a moment is observed once; one that a restart cut short, or that came to no
file, is begun anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import structlog

from orchestrator.daemon.calendar import Due
from orchestrator.errors import WavekeeperError
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.wiring.files import make_folder, write_bytes
from orchestrator.wiring.observing import observe
from orchestrator.wiring.rollout import Services

log = structlog.get_logger("wavekeeper.observed")

WHO = "observer"


def files(folder: Path) -> Iterator[dict[str, Any]]:
    """What is kept of each that was observed, read from its file."""
    for file in folder.glob("*.json"):
        yield orjson.loads(file.read_bytes())


def observed(folder: Path) -> frozenset[Due]:
    """The moments that were gone through, by the files of a folder."""
    return frozenset(Due(one["campaign"], datetime.fromisoformat(one["due"])) for one in files(folder))


@dataclass(slots=True)
class Observations:
    """What was observed, and what is being observed."""

    folder: Path
    services: Services
    going_on: dict[Due, asyncio.Task[None]] = field(default_factory=dict)
    done: set[Due] = field(init=False)

    def __post_init__(self) -> None:
        """Those that earlier processes have observed."""
        self.done = set(observed(self.folder))

    def told(self) -> Iterator[dict[str, Any]]:
        """What is kept of each that was observed, read from its file."""
        return files(self.folder)

    def known(self) -> frozenset[Due]:
        """The moments that need no observing any more."""
        return frozenset(self.done | self.going_on.keys())

    def begin(self, due: Due, plan: bytes, failed: Callable[[str], None]) -> None:
        """Go through a plan beside whatever goes on. `failed` is told why the moment isn't observed by that, if it isn't."""
        log.info("due, and only observed: nothing is changed", campaign=due.campaign, due=due.at)
        self.going_on[due] = asyncio.create_task(self._go_through(due, plan, failed))

    def cancel(self) -> None:
        """Leave what is going on; it is begun anew next time."""
        for task in self.going_on.values():
            task.cancel()

    async def _go_through(self, due: Due, plan: bytes, failed: Callable[[str], None]) -> None:
        try:
            await self._observe(due, plan)
        except Exception as error:
            log.exception("could not be observed", campaign=due.campaign, due=due.at)
            failed(f"what it would have done could not be kept: {str(error) or type(error).__name__}")
        else:
            self.done.add(due)
        finally:  # also where it was told to leave
            self.going_on.pop(due, None)

    async def _observe(self, due: Due, plan: bytes) -> None:
        grants: list[dict[str, Any]] = []

        def listen(rollout: Rollout, decided: Any) -> None:
            for fact in decided.facts:
                if isinstance(fact, e.Granted):
                    name = rollout.planned.machine(fact.machine).name
                    grants.append({"machine": name, "at": decided.at})
                    log.info("would have been granted", campaign=due.campaign, machine=name)

        told: dict[str, Any] = {"campaign": due.campaign, "due": due.at}
        try:
            rollout = await observe(plan, self.services, WHO, listen)
            done = rollout.counts[MachineStatus.DONE]
            told |= {"status": rollout.status, "cause": rollout.cause, "done": done, "grants": grants}
        except WavekeeperError as error:
            told |= {"status": "refused", "cause": str(error), "done": 0, "grants": grants}
        told["ended"] = self.services.clock.now()
        make_folder(self.folder)
        write_bytes(self.folder / f"{due.campaign}-{due.at:%Y%m%dT%H%M}.json", orjson.dumps(told))
        log.info("observed", campaign=due.campaign, status=told["status"], would_have_changed=told["done"])
