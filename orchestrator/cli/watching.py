"""Watching a rollout: the one that this process drives, or one that another does; then the answers of `status`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from rich.live import Live

from orchestrator.cli.live import LiveView
from orchestrator.cli.output import err, out, print_json
from orchestrator.cli.status import print_status
from orchestrator.clock import Clock
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout, RolloutStatus
from orchestrator.service.ending import exit_code
from orchestrator.service.follow import Follower, rests
from orchestrator.service.happenings import Decided, Happening, happenings
from orchestrator.service.progress import Progress, progress
from orchestrator.service.status import Status
from orchestrator.service.status import status as status_of
from orchestrator.wiring.rollout import Running

CTRL_C = "Ctrl-C"


@dataclass
class Screen:
    """Where a rollout is shown: live on a terminal, a line a happening elsewhere or if `plain`. `moment` is asked for each frame."""

    moment: Callable[[], Progress]
    verbose: bool = False
    as_json: bool = False
    plain: bool = False
    _recent: list[str] = field(default_factory=list)

    def tell(self, happening: Happening) -> None:
        """Show one thing that happened, unless it goes without saying."""
        if happening.quiet and not self.verbose:
            return
        self._recent.append(str(happening))
        del self._recent[:-50]
        if self._lines:
            (err if self.as_json else out).print(str(happening), markup=False)

    def live(self) -> contextlib.AbstractContextManager[object]:
        """The picture that is kept up to date, while it is entered."""
        if self._lines:
            return contextlib.nullcontext()
        return Live(LiveView(self.moment, self._recent), console=out, refresh_per_second=4, screen=False)

    def end(self, told: Status, code: int) -> int:
        """Tell what `status` tells. Returns the exit code."""
        if self.as_json:
            print_json(told.to_json())
        else:
            print_status(told)
        return code

    @property
    def _lines(self) -> bool:
        return self.plain or self.as_json or not out.is_terminal


async def watch(running: Running, who: str, *, verbose: bool, as_json: bool, plain: bool = False) -> int:
    """Drive the rollout and show it, until it rests or is over; then the answers of `status`."""
    rollout, scope, clock = running.rollout, running.scope, running.services.clock
    if running.resumed:
        _say_resumed(rollout)
    screen = Screen(lambda: progress(scope, rollout, clock.now()), verbose, as_json, plain)
    running.host.listen(_teller(screen, rollout))
    running.host.listen(_say_who_else(running))
    with screen.live():
        async with _interruptible(running, who):
            await running.run()
    return screen.end(status_of(scope, rollout, clock.now()), exit_code(rollout))


async def follow(
    follower: Follower,
    rollout: Rollout,
    clock: Clock,
    news: Iterable[Decided],
    *,
    verbose: bool,
    as_json: bool,
) -> int | None:
    """Show a rollout that another process drives. The exit code once it rests; None if nobody drives it any more.

    `news` are decisions that were read already. Ctrl-C only ends the watching: the rollout is somebody else's process's.
    """
    scope = follower.scope
    screen = Screen(lambda: progress(scope, rollout, clock.now()), verbose, as_json)
    tell = _teller(screen, rollout)
    with screen.live(), follower.told(tell):
        for decided in news:
            tell(decided)
        async with until_interrupted() as interrupted:
            goes_on = await follower.watch(rollout)
            if not goes_on:
                return None
        if interrupted():
            say_left(rollout.id)
    return screen.end(status_of(scope, rollout, clock.now()), exit_code(rollout))


def _teller(screen: Screen, rollout: Rollout) -> Callable[[Decided], None]:
    """Shows the decisions that are of this rollout."""

    def tell(decided: Decided) -> None:
        if decided.rollout == rollout.id:
            for one in happenings(rollout, decided):
                screen.tell(one)

    return tell


def say_left(rollout: str) -> None:
    """What becomes of a rollout that somebody stops watching."""
    err.print(f"left; it goes on. To pause it: wavekeeper pause {rollout} --reason ...")


@contextlib.asynccontextmanager
async def until_interrupted() -> AsyncIterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM end the block, and nothing else. Gives what tells afterwards whether they did."""
    cancelled = False
    async with _signals() as me:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, me.cancel)
        loop.add_signal_handler(signal.SIGTERM, me.cancel)
        try:
            yield lambda: cancelled
        except asyncio.CancelledError:
            me.uncancel()
            cancelled = True


def _say_resumed(rollout: Rollout) -> None:
    if rollout.over and not rollout.in_flight:
        err.print(
            f"this plan was run already, as {rollout.id}; to run it once more, plan again", markup=False
        )
        return
    err.print(f"going on with {rollout.id}: {rollout.status}, {rollout.cause or 'as it was'}", markup=False)
    paused = rollout.status is RolloutStatus.PAUSED and rollout.cause != CTRL_C
    if paused or rollout.status is RolloutStatus.STOPPED:
        how = "paused" if paused else "stopped"
        err.print(f"it was {how}; it starts nothing new until: wavekeeper resume {rollout.id} --reason ...")


def _say_who_else(running: Running) -> Callable[[object], None]:
    """Once this rollout rests, say for whom the process stays."""
    said = False

    def tell(_: object) -> None:
        nonlocal said
        others = [x for x in running.house.driven() if x is not running.rollout and not rests(x)]
        if rests(running.rollout) and others and not said:
            said = True
            names = ", ".join(f"{x.id} (begun by {x.who})" for x in others)
            err.print(
                f"{running.rollout.id} is {running.rollout.status}; this process stays for {names}. "
                "Ctrl-C twice leaves: whoever watches it takes it over",
                markup=False,
            )

    return tell


@contextlib.asynccontextmanager
async def _interruptible(running: Running, who: str) -> AsyncIterator[None]:
    """Ctrl-C pauses; a second one, or SIGTERM, leaves at once. Whatever was going on is in the journal."""
    rollout = running.rollout
    pressed_before = False
    if running.resumed and rollout.status is RolloutStatus.PAUSED and rollout.cause == CTRL_C:
        running.host.post(m.Resume(rollout.id, who, "the same command again"))
    async with _signals() as me:

        def pressed() -> None:
            nonlocal pressed_before
            if pressed_before:
                me.cancel()
                return
            pressed_before = True
            err.print("pausing: what has begun is carried through; Ctrl-C once more leaves at once")
            running.host.post(m.Pause(rollout.id, who, CTRL_C))

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, pressed)
        loop.add_signal_handler(signal.SIGTERM, me.cancel)
        try:
            yield
        except asyncio.CancelledError:
            me.uncancel()
            err.print("left; the same command goes on from here")


@contextlib.asynccontextmanager
async def _signals() -> AsyncIterator[asyncio.Task[object]]:
    """This task, for handlers of signals, which are taken back at the end."""
    me = asyncio.current_task()
    assert me is not None
    try:
        yield me
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)
