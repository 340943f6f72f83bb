"""How long disruptions take: by default, as given, as learned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.inventory.model import Kind, Os
from orchestrator.planner.durations import (
    ENOUGH,
    INSTALLED,
    INSTALLED_AND_RESTARTED,
    RESTARTED,
    Duration,
    Durations,
    class_of,
    learn,
)
from orchestrator.planner.model import AroundSteps
from orchestrator.policy.model import Change, Health, Patches, Reboot, Restart, Step

QUICK = Health(min_healthy_time=timedelta(minutes=1))
MINUTE = timedelta(minutes=1)


def of(change: Change, durations: Durations | None = None, *around: AroundSteps) -> Duration:
    """What a Windows VM that must stay well for a minute takes."""
    return (durations or Durations()).of(change, Kind.AZURE_VM, Os.WINDOWS, QUICK, around)


@pytest.mark.parametrize(
    ("change", "default"),
    [
        (Patches(), INSTALLED_AND_RESTARTED),
        (Patches(reboot=Reboot.NEVER), INSTALLED),
        (Restart(), RESTARTED),
    ],
)
def test_by_default_a_change_takes_what_was_recorded_and_the_time_to_stay_well(
    change: Change, default: Duration
) -> None:
    """A machine is out until it has been well for long enough."""
    assert of(change) == Duration(default.median + MINUTE, default.late + MINUTE)


def test_steps_take_their_time_too() -> None:
    """Mostly half a minute each, and their whole timeout where it matters."""
    steps = AroundSteps((Step("drain", timedelta(minutes=10)),), (Step("undrain", timedelta(minutes=5)),))

    assert of(Restart(), None, steps) == Duration(RESTARTED.median + 2 * MINUTE, RESTARTED.late + 16 * MINUTE)


def test_no_installation_takes_longer_than_it_may() -> None:
    """What exceeds its maximum is ended by the platform."""
    assert of(Patches(maximum_duration=timedelta(minutes=30))).late == 31 * MINUTE


def test_history_goes_before_defaults() -> None:
    """Median and 95 % of the class's own samples; the time to stay well comes on top, as long as this policy wants it."""
    name = class_of(Patches(), Kind.AZURE_VM, Os.WINDOWS)
    learned = learn((name, float(seconds)) for seconds in range(100, 201))

    assert of(Patches(), learned) == Duration(timedelta(seconds=210), timedelta(seconds=255), 101)
    assert of(Restart(), learned) == of(Restart())


def test_a_class_of_too_few_samples_is_not_learned() -> None:
    """Of nineteen nobody knows what nineteen of twenty stay below."""
    name = class_of(Patches(), Kind.AZURE_VM, Os.WINDOWS)
    before = Durations({name: Duration(timedelta(seconds=7), timedelta(seconds=9), 30)})

    assert learn([(name, 100.0)] * (ENOUGH - 1)).known == {}
    assert learn([(name, 100.0)] * (ENOUGH - 1), before).known == before.known
    assert learn([(name, 100.0)] * ENOUGH, before).known[name].median == timedelta(seconds=100)


def test_classes_tell_apart_what_takes_different_times() -> None:
    """The change, whether it restarts, the kind of machine, the system."""
    changes = (Patches(), Patches(reboot=Reboot.NEVER), Restart())

    assert len({class_of(change, kind, os) for change in changes for kind in Kind for os in Os}) == 27


def test_quantiles_run_through_the_two_that_are_known() -> None:
    """And grow between and beyond them."""
    duration = Duration(timedelta(seconds=1240), timedelta(seconds=3769))
    shares = (0.01, 0.5, 0.8, 0.95, 0.999)
    found = [duration.quantile(share) for share in shares]

    assert (found[1], found[3]) == (duration.median, duration.late)
    assert found == sorted(found)
    assert found[0] > timedelta(0)
    assert Duration(MINUTE, MINUTE).quantile(0.99) == MINUTE
