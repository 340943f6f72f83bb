"""What an exploration came to: counts, and every trial that broke a promise."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.trial import Trial


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that broke a promise. `place`: the boundary at which it died."""

    trial: Trial
    judgement: Judgement
    place: str = ""


@dataclass(slots=True)
class Report:
    """Crash points tried, whole trials, processes of Wavekeeper, and the days that machines were watched in all of them."""

    points: int = 0
    trials: int = 0
    processes: int = 0
    machine_days: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Count another one in."""
        self.points += other.points
        self.trials += other.trials
        self.processes += other.processes
        self.machine_days += other.machine_days
        self.failures += other.failures
        for kind, number in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + number
