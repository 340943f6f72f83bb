"""What goes on, made what is desired."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from orchestrator.errors import Defect
from orchestrator.hosts.runner import OWN, Runner
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import NOON
from tests.virtual import virtual

CHECK, OTHER = a.Check("r1", 0), a.Settle("r1", 0, 1, "", NOON)
SEND = a.Send("r1", 0, 1, "key", NOON)
SEEN = m.FoundWell("r1", 0, "")


@dataclass
class Shell:
    """Activities that end when the test says so."""

    began: list[a.Activity] = field(default_factory=list)
    stopped: list[a.Activity] = field(default_factory=list)
    ended: list[tuple[int, a.Activity, m.Observation]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        """Behind a runner."""
        self.runner = Runner(self._perform, lambda *told: self.ended.append(told), self.failed.append)

    async def _perform(self, activity: a.Activity) -> m.Observation:
        self.began.append(activity)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped.append(activity)
            raise
        if self.error is not None:
            raise self.error
        return SEEN

    async def want(self, *desired: a.Activity, place: int = 0) -> None:
        """Want these, and let them begin."""
        self.runner.want(place, desired)
        await asyncio.sleep(0.001)

    async def end(self) -> None:
        """Let all that goes on end."""
        self.go.set()
        await asyncio.sleep(0.001)
        self.go.clear()


@virtual
async def test_what_is_desired_goes_on_and_is_begun_once() -> None:
    """Wanted again, it goes on; no longer wanted, it is stopped."""
    shell = Shell()
    await shell.want(CHECK)
    await shell.want(CHECK)
    assert shell.began == shell.runner.activities() == [CHECK]
    await shell.want(OTHER)
    assert (shell.stopped, shell.runner.activities()) == ([CHECK], [OTHER])
    await shell.want()
    assert (shell.stopped, shell.runner.activities()) == ([CHECK, OTHER], [])


@virtual
async def test_several_go_on_in_one_place() -> None:
    """Of the rollout's own there may be more than one."""
    shell = Shell()
    await shell.want(a.Prepare("r1"), a.Watch("r1"), place=OWN)
    await shell.want(a.Watch("r1"), place=OWN)
    assert (shell.stopped, shell.runner.activities()) == ([a.Prepare("r1")], [a.Watch("r1")])


@virtual
async def test_what_has_ended_is_not_begun_anew_before_its_report_was_decided_on() -> None:
    """The facts still want it; a second request would be sent."""
    shell = Shell()
    await shell.want(CHECK)
    await shell.end()
    assert shell.ended == [(0, CHECK, SEEN)]
    await shell.want(CHECK)
    assert shell.began == [CHECK]
    shell.runner.forget(0, CHECK)
    await shell.want(CHECK)
    assert shell.began == [CHECK, CHECK]


@virtual
async def test_what_goes_on_is_not_forgotten_by_an_older_report() -> None:
    """Begun anew in the meantime, it stays listed."""
    shell = Shell()
    await shell.want(CHECK)
    shell.runner.forget(0, CHECK)
    assert shell.runner.activities() == [CHECK]


@virtual
async def test_a_request_under_way_is_never_cut_off() -> None:
    """Whatever is wanted, its answer is waited for."""
    shell = Shell()
    await shell.want(SEND)
    await shell.want()
    assert (shell.stopped, shell.runner.activities()) == ([], [SEND])
    await shell.end()
    assert shell.ended == [(0, SEND, SEEN)]


@virtual
async def test_no_request_is_begun_twice_for_one_attempt() -> None:
    """Whatever the facts want: that would be a defect."""
    shell = Shell()
    await shell.want(SEND)
    await shell.end()
    shell.runner.forget(0, SEND)
    with pytest.raises(Defect, match="attempt 1 at machine 0 was to be sent again"):
        shell.runner.want(0, (SEND,))
    await shell.want(a.Send("r1", 0, 2, "key-2", NOON))
    assert len(shell.began) == 2


@virtual
async def test_an_error_is_told_and_hidden_from_nobody() -> None:
    """An activity that breaks ends the process, not itself alone."""
    shell = Shell()
    shell.error = ValueError("a bug")
    await shell.want(CHECK)
    await shell.end()
    assert (shell.failed, shell.ended) == ([shell.error], [])


@virtual
async def test_an_activity_that_cancels_itself_is_an_error_too() -> None:
    """It would be listed for ever otherwise."""
    shell = Shell()
    shell.error = asyncio.CancelledError()
    await shell.want(CHECK)
    await shell.end()
    assert [str(error) for error in shell.failed] == [f"{CHECK} cancelled itself"]


@virtual
async def test_what_was_stopped_reports_nothing_any_more() -> None:
    """Not even an error on its way out."""
    shell = Shell()
    await shell.want(CHECK)
    shell.runner.want(0, ())
    await shell.end()
    assert (shell.ended, shell.failed) == ([], [])


@virtual
async def test_stopping_everything_waits_for_it() -> None:
    """Requests too: the process ends, and the next one reads them back."""
    shell = Shell()
    await shell.want(SEND)
    await shell.want(a.Watch("r1"), place=OWN)
    await shell.runner.stop()
    assert (set(map(type, shell.stopped)), shell.runner.activities()) == ({a.Send, a.Watch}, [])
    assert shell.failed == []
