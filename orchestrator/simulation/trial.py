"""One trial: a fleet with its plan, what goes wrong in the world, and what happens to Wavekeeper. All of it from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.faults import NO_FAULTS, Faults
from orchestrator.simulation.fleets import MACHINES, REFERENCE, Premises, premises
from orchestrator.simulation.mishaps import Mishap, What, write_mishaps
from orchestrator.simulation.people import NONE, Word, draw_words, write_words
from orchestrator.wiring.virtual import Face

QUICK: Final = "slow: {seconds: 0.4}"
"""Requests take a moment even where nothing is wrong, so that the world moves on between question and answer."""

GROUPS_SICK: Final = 0.25
"""The share of trials in which groups that are asked, if any are, say for a while that they aren't well."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `troubles` are faults as a fault file lists them; `deaf` is the share of webhook calls that fail, `words` what people say."""

    seed: int
    machines: int = MACHINES
    troubles: tuple[str, ...] = (QUICK,)
    mishaps: tuple[Mishap, ...] = ()
    deaf: float = 0.0
    face: Face = Face.PROVIDER
    on_file: bool = False
    words: tuple[Word, ...] = ()

    @property
    def premises(self) -> Premises:
        """The fleet, its policies and the plan."""
        return premises(self.seed, self.machines)

    @property
    def faults(self) -> Faults:
        """What goes wrong in the world."""
        return _faults(self.seed, self.troubles)

    @property
    def clocked(self) -> bool:
        """Whether the clock of Wavekeeper's host is wrong at times, so that the journal's times are not the world's."""
        return any(mishap.what is What.CLOCK for mishap in self.mishaps)

    def command(self) -> str:
        """What replays it, typed into a shell."""
        drawn = trial_of(self.seed)
        words = ["python -m orchestrator.simulation replay", f"--seed {self.seed}"]
        if self.machines != drawn.machines:
            words.append(f"--machines {self.machines}")
        left_out = [str(n) for n, trouble in enumerate(drawn.troubles) if trouble not in self.troubles]
        if left_out:
            words.append(f"--without {','.join(left_out)}")
        if self.deaf != drawn.deaf:
            words.append(f"--deaf {self.deaf:g}")
        if self.mishaps or drawn.mishaps:
            words.append(f"--mishaps {write_mishaps(self.mishaps) or NONE}")
        if self.words != drawn.words:
            words.append(f"--words {write_words(self.words) or NONE}")
        if self.face is not Face.PROVIDER:
            words.append(f"--face {self.face}")
        if self.on_file:
            words.append("--journal sqlite")
        return " ".join(words)


@lru_cache(maxsize=64)
def _faults(seed: int, troubles: tuple[str, ...]) -> Faults:
    if not troubles:
        return NO_FAULTS
    lines = "\n".join(f"  - {trouble}" for trouble in troubles)
    return parse_faults(f"version: 1\nfaults:\n{lines}\n", f"seed {seed}")


_TROUBLES: Final[tuple[Callable[[random.Random], str], ...]] = (
    lambda r: f"install_fails: {{share: 0.2, code: '{r.choice(['0x80070643', 'Conflict'])}'}}",
    lambda _: "install_fails: {share: 0.3, operation: true, code: VMGuestPatchInternalError, times: 2}",
    lambda _: "install_never_ends: {share: 0.15, times: 1}",
    lambda r: f"stays_out: {{share: 0.2, recovers_after: {r.choice([10, 50, 200])}m}}",
    lambda r: f"unhealthy: {{share: 0.2, recovers_after: {r.choice([10, 50, 200])}m}}",
    lambda r: f"unhealthy: {{share: 0.2, delay: {r.randint(5, 60)}m, recovers_after: 2h}}",
    lambda _: "window_exceeded: {share: 0.2}",
    lambda _: "reboot_required: {share: 0.5}",
    lambda r: f"visibility_delay: {{seconds: {r.randint(30, 200)}}}",
    lambda r: (
        f"throttle: {{on: [{_kind(r)}], from: {r.randint(0, 60)}m, for: 15m, retry_after: {r.choice([5, 40, 90])}}}"
    ),
    lambda r: (
        f"server_error: {{on: [{_kind(r)}], share: 0.5, per: machine, times: {r.randint(1, 3)}, status: {r.choice([500, 502, 503])}}}"
    ),
    lambda r: f"drop: {{on: [{_kind(r)}], share: 0.5, per: machine, times: {r.randint(1, 3)}}}",
    lambda r: (
        f"lost_answer: {{on: [{r.choice(['install', 'install', 'view'])}], share: 0.4, per: machine, times: 1}}"
    ),
    lambda r: f"slow: {{on: [{_kind(r)}], seconds: {r.choice([10, 29, 70])}, times: {r.randint(2, 12)}}}",
    lambda r: f"goes_off: {{share: 0.2, at: {r.randint(1, 120)}m, for: {r.choice([1, 20, 200])}m}}",
    lambda r: (
        f"goes_off: {{share: 0.2, at: {r.randint(1, 60)}m, for: 3m}}\n  - goes_off: {{share: 0.2, at: {r.randint(70, 90)}m, for: 3m}}"
    ),
    lambda r: f"foreign_run: {{share: 0.3, at: {r.randint(1, 120)}m}}",
    lambda r: f"vanishes: {{share: 0.15, at: {r.randint(1, 120)}m}}",
)


def _kind(rng: random.Random) -> str:
    return rng.choice(["install", "view", "operation", "list"])


def trial_of(seed: int) -> Trial:
    """The trial of a seed. That of the reference scenario is spared everything."""
    if seed == REFERENCE:
        return Trial(seed)
    rng = random.Random(f"trial {seed}")  # noqa: S311 - nothing to keep secret
    troubles = [QUICK, *(draw(rng) for draw in rng.sample(_TROUBLES, rng.randint(0, 4)))]
    mishaps = tuple(sorted(_mishap(rng) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))))
    mishaps = tuple(sorted((*mishaps, *_quorum(seed))))
    deaf = rng.choice([0.0, 0.0, 0.2, 0.6])
    return Trial(seed, troubles=tuple(troubles), mishaps=mishaps, deaf=deaf, words=draw_words(seed))


def _quorum(seed: int) -> tuple[Mishap, ...]:
    """Now and then groups that are asked aren't well for a while, by chance of its own."""
    rng = random.Random(f"quorum {seed}")  # noqa: S311 - nothing to keep secret
    if rng.random() >= GROUPS_SICK:
        return ()
    return (Mishap(rng.randint(1, 300), What.QUORUM, rng.choice([60, 1200, 14400])),)


def _mishap(rng: random.Random) -> Mishap:
    """One of any kind but that of groups, somewhere within the usual length of a run."""
    what = rng.choice([what for what in What if what is not What.QUORUM])
    seconds = rng.choice([-7200, -60, -3, 4, 600, 86400]) if what is What.CLOCK else away(rng)
    if what is What.LATE:
        seconds = rng.choice([1, 9, 25])
    return Mishap(rng.randint(5, 900), what, seconds)


def away(rng: random.Random) -> int:
    """How long nobody drives it, in seconds: restarted at once; while runs are under way; everything has ended meanwhile."""
    return rng.choice([0, 0, 5, 240, 7200])


def and_then(trial: Trial, *mishaps: Mishap) -> Trial:
    """The same with more mishaps."""
    return replace(trial, mishaps=tuple(sorted({*trial.mishaps, *mishaps})))
