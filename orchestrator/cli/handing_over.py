"""A plan handed over to a daemon, and followed there: what `wavekeeper rollout` does with `--server`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.cli.hurrying import ask, tell_emergency
from orchestrator.cli.output import err
from orchestrator.cli.place import Place
from orchestrator.cli.watching import Screen, say_left, until_interrupted
from orchestrator.clock import SystemClock
from orchestrator.errors import Busy, Refused, UsageError, WavekeeperError
from orchestrator.service.happenings import Happening
from orchestrator.service.office import Standing
from orchestrator.wiring.files import read_bytes
from orchestrator.wiring.rollout import read_plan

if TYPE_CHECKING:
    from orchestrator.client.events import Stream
    from orchestrator.client.office import ServerOffice
    from orchestrator.web.models import Done

LOOK_EVERY_S: Final = 1.0
"""Real seconds between two questions of how it stands, while something happens."""

LOOK_ANYWAY_S: Final = 15.0
"""The same while nothing happens: by then a window may have opened, or a bake be over."""

LAST_WORDS_S: Final = 0.5
"""How long what happened last may take from the daemon's journal to here."""

TRY_EVERY_S: Final = 15.0
"""Between two tries of a plan that waits for another rollout."""


@dataclass(frozen=True, slots=True)
class HandingOver:
    """What was typed. `theirs` are options that were given and are the daemon's to say."""

    plan: Path | None
    reason: str
    queue: bool
    verbose: bool
    as_json: bool
    theirs: tuple[str, ...] = ()
    emergency: str = ""
    yes: bool = False


async def hand_over(wanted: HandingOver, place: Place) -> int:
    """Have a daemon run a reviewed plan, or go on with it, and follow it until it rests. Returns the exit code."""
    if wanted.plan is None:
        raise UsageError(
            "a daemon is given reviewed plans: first wavekeeper plan ... -o plan.json, then wavekeeper rollout plan.json; "
            "to run it from here instead: --journal FILE"
        )
    if wanted.theirs:
        raise UsageError(
            f"leave {' and '.join(wanted.theirs)} away: a daemon's configuration says which cloud and which webhooks it uses, and it holds "
            "the plan to the fleet as it is"
        )
    if not wanted.reason.strip():
        raise UsageError(
            f"say why, for whoever reads it later: wavekeeper rollout {wanted.plan} --reason ..."
        )
    plan = read_bytes(wanted.plan, "plan")
    if wanted.emergency:
        tell_emergency(read_plan(plan).planned.plan, wanted.emergency, SystemClock().now(), err)
        ask("Begin, in this emergency?", yes=wanted.yes)
    async with place.daemon() as office:
        done = await _begun(office, plan, wanted)
        if not done.facts:
            err.print(f"{done.rollout} is of this plan: going on with it", markup=False)
            await _refuse_calm(office, done.rollout, wanted)
        since = done.seq - 1 if done.facts else done.seq
        return await follow(office, done.rollout, since, verbose=wanted.verbose, as_json=wanted.as_json)


async def _refuse_calm(office: ServerOffice, rollout: str, wanted: HandingOver) -> None:
    """Raise for an emergency that a rollout, which goes on already, wasn't begun in: it is declared by a command of its own."""
    if wanted.emergency and not (await office.standing(rollout)).status.emergency:
        raise Refused(
            f"rollout {rollout} goes on already; say it of that: wavekeeper emergency {rollout} --reason ..."
        )


async def _begun(office: ServerOffice, plan: bytes, wanted: HandingOver) -> Done:
    """What was written down when it began; with `--queue`, once no other rollout has its machines any more."""
    told = ""
    while True:
        try:
            return await office.hand_over(plan, wanted.reason, wanted.emergency)
        except Busy as busy:
            if not wanted.queue:
                raise
            if str(busy) != told:
                told = str(busy)
                err.print(f"queued: {told}", markup=False)
        await asyncio.sleep(TRY_EVERY_S)


async def follow(office: ServerOffice, rollout: str, since: int, *, verbose: bool, as_json: bool) -> int:
    """Show a rollout that a daemon drives, with what happens after row `since` of its journal. Returns the exit code once it rests.

    Ctrl-C only ends the watching: the rollout is the daemon's.
    """
    following = _Following(office, rollout, await office.standing(rollout))
    screen = Screen(lambda: following.standing.status.progress, verbose, as_json)
    with screen.live():
        async with until_interrupted() as interrupted:
            async for happening in following.happenings(since):
                screen.tell(happening)
        if interrupted():
            say_left(rollout)
    return screen.end(following.standing.status, following.standing.code)


@dataclass
class _Following:
    """One rollout on a daemon. `standing` is what was heard of it last."""

    office: ServerOffice
    rollout: str
    standing: Standing
    _heard: asyncio.Queue[Happening | None] = field(default_factory=asyncio.Queue)
    _lost: WavekeeperError | None = None  # why nothing is heard any more

    async def happenings(self, since: int) -> AsyncIterator[Happening]:
        """What happens in it, until it rests."""
        stream = self.office.stream(self.rollout, since)
        hearing = asyncio.create_task(self._hear(stream))
        try:
            while True:
                await stream.connected.wait()
                self._raise_if_lost()
                self.standing = await self.office.standing(self.rollout)
                async for one in self._last_words() if self.standing.rests else self._news():
                    yield one
                if self.standing.rests:
                    return
        finally:
            hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hearing

    async def _news(self) -> AsyncIterator[Happening]:
        """What is heard while it isn't asked how it stands: for a moment from the first of it on, or until nothing came for long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_ANYWAY_S
        first = True
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout_at(until):
                    one = await self._next()
                if first:
                    first, until = False, loop.time() + LOOK_EVERY_S
                yield one

    async def _last_words(self) -> AsyncIterator[Happening]:
        """What is still on its way when it has come to rest."""
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(LAST_WORDS_S):
                    one = await self._next()
                yield one

    async def _next(self) -> Happening:
        one = await self._heard.get()
        if one is None:
            self._raise_if_lost()
        assert one is not None
        return one

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    async def _hear(self, stream: Stream) -> None:
        """Keep what comes until it is asked for. What ends the stream ends whoever asks."""
        try:
            async for one in self.office.happenings(stream):
                self._heard.put_nowait(one)
        except WavekeeperError as error:
            self._lost = error
            self._heard.put_nowait(None)
            stream.connected.set()
