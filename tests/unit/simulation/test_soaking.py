"""What a soak plays: small trials, and a sample of their boundaries."""

from __future__ import annotations

from orchestrator.emulator.call import Request
from orchestrator.simulation.boundaries import Boundary, Kind
from orchestrator.simulation.command import trial_from
from orchestrator.simulation.soaking import DEATHS, FEWEST, SIZES, Soak, Told, sample, small, soak
from orchestrator.simulation.trial import trial_of


def reads(number: int) -> Boundary:
    """A place of a request that changes nothing."""
    return Boundary(number, Kind.TAKEN, "", Request("GET", "/", "", {}, b""))


def row(number: int) -> Boundary:
    """A place of a row."""
    return Boundary(number, Kind.AFTER_ROW, str(number))


def test_trials_are_small_and_their_troubles_come_as_much_sooner() -> None:
    """Of every size that is said, the same each time, with nobody spoken of who isn't there."""
    trials = [small(trial_of(seed)) for seed in range(1, 120)]
    assert {trial.machines for trial in trials} == set(SIZES)
    assert trials == [small(trial_of(seed)) for seed in range(1, 120)]
    for trial in trials:
        drawn = trial_of(trial.seed)
        assert sum(one.at for one in trial.mishaps) <= sum(one.at for one in drawn.mishaps)
        assert len(trial.words) == len(drawn.words)
        names = {machine.name for machine in trial.premises.fleet.machines}
        said = {word.what.partition("=")[2] for word in trial.words if word.what.startswith("name=")}
        said |= {word.what.partition(".")[0] for word in trial.words if word.verb == "tag"}
        assert said <= names


def test_a_small_trial_is_replayed_by_its_command() -> None:
    """With its size, and all that happens to it."""
    for seed in range(1, 60):
        assert trial_from(small(trial_of(seed)).command()) == small(trial_of(seed))


def test_most_deaths_are_where_something_moves() -> None:
    """Three of four at most, and all of them where there are few."""
    assert _moving([row(n) if n % 2 else reads(n) for n in range(1, 301)]) == (68, DEATHS - 68)
    assert _moving([reads(n) if n % 10 else row(n) for n in range(1, 301)]) == (30, DEATHS - 30)


def _moving(passed: list[Boundary]) -> tuple[int, int]:
    """How often it dies where something moves, and at reads; the same each time."""
    where = sample(trial_of(7), passed, 0)
    assert where == sample(trial_of(7), passed, 0)
    rows = sum(boundary.kind is Kind.AFTER_ROW for boundary in passed if boundary.number in where)
    return rows, len(where) - rows


def test_who_takes_long_dies_less_often() -> None:
    """Be it by boundaries or by processes, but never less than a few times."""
    passed = [row(n) if n % 2 else reads(n) for n in range(1, 301)]
    deaths = [len(sample(trial_of(7), passed, processes)) for processes in (0, 40, 400)]
    assert deaths[0] == DEATHS > deaths[1] > deaths[2] == FEWEST


def test_two_jobs_try_what_one_tries() -> None:
    """The same seeds come to the same, whoever is done first."""
    one, two = (soak(Soak(31, jobs, points=1), Told()) for jobs in (1, 2))
    again = soak(Soak(31, 2, points=1), Told())
    assert (two.kinds, two.processes, two.trials) == (again.kinds, again.processes, 2)
    assert one.points < two.points
