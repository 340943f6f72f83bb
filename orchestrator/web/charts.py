"""Charts that are kept up while somebody looks: read once off the journal, then fed with each decision as it is told."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from orchestrator.access.model import Grant
from orchestrator.inventory.model import Inventory
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.service.chart import Chart, Charting
from orchestrator.service.happenings import Decided
from orchestrator.service.overview import Places, Tree
from orchestrator.web.desk import Desk

MOST: Final = 8
"""Rollouts whose chart is kept up at once: those that were looked at last. A chart of 10,000 machines holds a few MiB."""

Narrow = Callable[[Inventory], Inventory]

_AT_ONCE: Final = 200  # rows that are read before others have a turn


@dataclass(slots=True)
class _Kept:
    charting: Charting
    read: asyncio.Lock = field(default_factory=asyncio.Lock)
    whole: bool = False  # whether the journal was read to where the telling began
    waiting: list[Decided] = field(default_factory=list)  # told meanwhile

    def hear(self, decided: Decided) -> None:
        if decided.rollout != self.charting.rollout.id:
            return
        if self.whole:
            self.charting.add(decided.seq, decided.at, decided.facts)
        else:
            self.waiting.append(decided)


class Charts:
    """The charts of one desk, and where its machines stand."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: OrderedDict[str, tuple[_Kept, ExitStack]] = OrderedDict()
        self._trees: OrderedDict[tuple[Grant, ...] | None, Tree] = OrderedDict()
        self._fleet: Inventory | None = None  # that the trees are of

    def tree(self, grants: tuple[Grant, ...], narrow: Narrow | None) -> Tree | None:
        """The tree of the fleet, worked out anew when it was read anew. None before it was read.

        `narrow` leaves the machines that somebody with these grants may see; None: they may see all.
        """
        fleet = self._desk.fleet
        if fleet is None:
            return None
        if self._fleet is not fleet:
            self._fleet = fleet
            self._trees.clear()
        key = None if narrow is None else grants
        tree = self._trees.get(key)
        if tree is None:
            tree = self._trees[key] = Tree(Places(fleet if narrow is None else narrow(fleet)))
        self._trees.move_to_end(key)
        while len(self._trees) > MOST:
            self._trees.popitem(last=False)
        return tree

    async def chart(self, one: Rollout | Ended, after: int = 0) -> Chart:
        """The rollout's chart, or what differs since an edition. Raises `Refused` for one whose rows are in an archive."""
        kept = await self._of(one)
        async with kept.read:  # whoever asks meanwhile waits for the same reading
            if not kept.whole:
                await self._read(kept)
        drawn = kept.charting.draft(self._desk.now(), after)
        return await asyncio.to_thread(drawn)

    def close(self) -> None:
        """Listen no more."""
        while self._kept:
            _, (_, listening) = self._kept.popitem()
            listening.close()

    async def _of(self, one: Rollout | Ended) -> _Kept:
        held = self._kept.get(one.id)
        if held is None:
            rollout = await self._desk.whole(one) if isinstance(one, Ended) else one
            kept, listening = _Kept(Charting(rollout)), ExitStack()
            listening.enter_context(self._desk.listen(kept.hear))
            held = self._kept.setdefault(one.id, (kept, listening))
            if held[0] is not kept:  # somebody else was quicker
                listening.close()
        self._kept.move_to_end(one.id)
        while len(self._kept) > MOST:
            _, (_, listening) = self._kept.popitem(last=False)
            listening.close()
        return held[0]

    async def _read(self, kept: _Kept) -> None:
        rollout, number = kept.charting.rollout, 0
        async for row in self._desk.journal.read(rollout.after):
            number += 1
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if row.rollout == rollout.id:
                kept.charting.add(row.seq, row.at, decode(row.body, row.seq, row.rollout))
        for decided in kept.waiting:
            kept.charting.add(decided.seq, decided.at, decided.facts)
        kept.waiting.clear()
        kept.whole = True
