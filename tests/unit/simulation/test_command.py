"""A soak that is interrupted tells what it tried."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from orchestrator.simulation import command
from orchestrator.simulation.report import Report


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_soak_that_is_told_to_stop_says_what_it_tried(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether a person or a shutdown says so, with the code of one that found nothing."""

    def interrupted(_seeds: range, _options: object, report: Report, *_: object) -> None:
        report.add(Report(points=7, trials=1))
        os.kill(os.getpid(), number)

    monkeypatch.setattr(command, "_explore_side_by_side", interrupted)
    assert command.main(["soak", "--points", "1000000", "--json"]) == 0
    assert '"crash_points": 7' in capsys.readouterr().out


def test_a_soak_ends_by_itself_when_it_has_tried_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last round may bring more than was asked."""

    def tried(_seeds: range, _options: object, report: Report, *_: object) -> None:
        report.add(Report(points=4, trials=1))

    monkeypatch.setattr(command, "_explore_side_by_side", tried)
    assert command.main(["soak", "--points", "10", "--json"]) == 0
    assert '"crash_points": 12' in capsys.readouterr().out
