"""The desk: what the API may ask of whoever writes the journal. The daemon implements it; tests have one of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Protocol

from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.happenings import Decided
from orchestrator.web.models import Coming, ObservationTold, PoliciesTold
from orchestrator.wiring.journal import Journal
from orchestrator.wiring.rollout import ReadPlan

Listener = Callable[[Decided], None]
"""Is told each decision once it is durable, in the order of the journal. It must be quick and must not raise."""


class Desk(Protocol):
    """Everything is as of now. Nobody but the journal's writer changes what `scope` gives out."""

    @property
    def scope(self) -> Scope:
        """The live state: read it, and keep nothing of it across an `await`."""
        ...

    @property
    def journal(self) -> Journal:
        """The journal that it writes: letters are posted into it."""
        ...

    @property
    def fleet(self) -> Inventory | None:
        """The fleet as it was last read; None before it was."""
        ...

    def now(self) -> datetime:
        """The cloud's time, which facts are written in."""
        ...

    def tags(self, machine: MachineId) -> Mapping[str, str]:
        """The tags of a machine as the fleet was last read, if need be by an earlier process; none of one that wasn't in it."""
        ...

    def calendar(self) -> tuple[Coming, ...]:
        """Every campaign, the one that is due next first."""
        ...

    def policies(self) -> PoliciesTold:
        """How the branch stands."""
        ...

    async def observations(self) -> tuple[ObservationTold, ...]:
        """What campaigns that may not act would have done, the latest first."""
        ...

    async def whole(self, ended: Ended) -> Rollout:
        """A rollout that is over, as it was when it ended: read again, from its archive if it is in one. To be looked at only."""
        ...

    def journal_of(self, rollout: Rollout | Ended) -> AbstractAsyncContextManager[Journal]:
        """The journal or the archive that has a rollout's rows, to be read within the block."""
        ...

    async def read(self, plan: bytes) -> ReadPlan:
        """A plan's file, read beside the loop. Raises `UsageError` for what is none."""
        ...

    async def prepare(self, plan: ReadPlan, who: str, reason: str) -> Handover:
        """Hold a plan to the judge and to the fleet as it is now. Raises `Refused` or `CloudError`, with nothing done."""
        ...

    def next_archive(self) -> str:
        """The file that the next archive is to be: beside the journal."""
        ...

    def look_into_inbox(self) -> None:
        """Have letters that were posted just now decided on at once."""
        ...

    def listen(self, listener: Listener) -> AbstractContextManager[None]:
        """Have every decision told from now on, until the block ends."""
        ...
