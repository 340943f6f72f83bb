"""The loop's pulse, in virtual time."""

from __future__ import annotations

import asyncio

import looptime

from orchestrator.telemetry.pulse import BEAT_S, keep_pulse


class Heard:
    """A supervisor that remembers."""

    def __init__(self, watchdog_every_s: float | None) -> None:
        self.watchdog_every_s = watchdog_every_s
        self.alive_at: list[float] = []
        self.lines: list[str] = []

    def alive(self) -> None:
        """A watchdog's word."""
        self.alive_at.append(asyncio.get_running_loop().time())

    def status(self, line: str) -> None:
        """A line of status."""
        self.lines.append(line)


def beaten(heard: Heard, seconds: float, lines: list[str]) -> list[float]:
    """The lags that were told in so many seconds."""
    lags: list[float] = []

    async def run() -> None:
        left = iter(lines)
        last = ""

        def line() -> str:
            nonlocal last
            last = next(left, last)
            return last

        pulse = asyncio.create_task(keep_pulse(heard, lags.append, line))  # type: ignore[arg-type]
        await asyncio.sleep(seconds)
        pulse.cancel()

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(run())
    return lags


def test_it_says_alive_before_the_watchdog_would_bite() -> None:
    """At least as often as asked, also counting the beat itself."""
    heard = Heard(10.0)
    beaten(heard, 60.1, ["x"])
    gaps = [after - before for before, after in zip(heard.alive_at, heard.alive_at[1:], strict=False)]
    assert len(heard.alive_at) >= 6
    assert max(gaps) <= 10


def test_without_a_watchdog_nothing_is_said() -> None:
    """But for the line, which is told when it changes."""
    heard = Heard(None)
    lags = beaten(heard, 10 * BEAT_S + 0.1, ["a", "a", "b", "b", "a"])
    assert heard.alive_at == []
    assert heard.lines == ["a", "b", "a"]
    assert len(lags) == 10
    assert max(lags) == 0
