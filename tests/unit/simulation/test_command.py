"""A soak that is interrupted tells what it tried."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from orchestrator.simulation import command, soaking
from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.report import Failure, Report
from orchestrator.simulation.trial import trial_of


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

    def interrupted(_seed: int, _wanted: soaking.Soak) -> Report:
        os.kill(os.getppid(), number)
        return Report(points=7, trials=1)

    monkeypatch.setattr(soaking, "_tried", interrupted)
    assert command.main(["soak", "--points", "1000000", "--json"]) == 0
    assert '"crash_points": 7' in capsys.readouterr().out


def test_a_soak_ends_by_itself_when_it_has_tried_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last ones may bring more than was asked."""
    monkeypatch.setattr(soaking, "_tried", lambda seed, _: Report(points=4, kinds={str(seed): 4}))
    assert command.main(["soak", "--points", "10", "--seed", "70", "--json"]) == 0
    told = capsys.readouterr().out
    assert '"crash_points": 12' in told
    assert '"kinds": {"70": 4, "71": 4, "72": 4}' in told


FAILED = Report(points=4, failures=[Failure(trial_of(0), Judgement(("something is lost",), ()))])


@pytest.mark.parametrize(("options", "points"), [([], 4), (["--goes-on"], 12)])
def test_a_soak_ends_with_what_fails_unless_it_is_to_go_on(
    options: list[str], points: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What fails is told at once, in case that it never comes to its end."""
    monkeypatch.setattr(soaking, "_tried", lambda *_: FAILED)
    monkeypatch.setattr(command, "_failed", lambda _: "")
    assert command.main(["soak", "--points", "10", "--json", *options]) == 1
    told = capsys.readouterr()
    assert f'"crash_points": {points}' in told.out
    assert "failed: never: something is lost\nas found: python -m orchestrator" in told.err


def test_a_trial_that_cannot_be_played_is_told_as_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It doesn't end a soak of hours without a word of what it tried."""

    def dies(_seed: int, _wanted: soaking.Soak) -> Report:
        raise MemoryError

    monkeypatch.setattr(soaking, "_tried", dies)
    monkeypatch.setattr(command, "_failed", lambda _: "")
    assert command.main(["soak", "--points", "10", "--seed", "5", "--json"]) == 1
    assert "failed: never: MemoryError" in capsys.readouterr().err
