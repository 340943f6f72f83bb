"""Chance that repeats: every draw belongs to a seed and to the thing it is drawn for, never to a shared stream.

So what happens to a machine depends on the seed, the machine and which operation of its life it is; not on how often
anybody looked, nor on what else was asked first.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta


def stream(seed: int, *parts: object) -> random.Random:
    """A generator of its own for this seed and these parts, the same under every hash seed."""
    return random.Random(_text(seed, parts))  # noqa: S311 - emulated chance, nothing to keep secret


def portion(seed: int, *parts: object) -> float:
    """A fixed number in [0, 1) for this seed and these parts: `portion(...) < share` picks a share of a fleet."""
    digest = hashlib.blake2b(_text(seed, parts).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _text(seed: int, parts: tuple[object, ...]) -> str:
    return "|".join([str(seed), *(str(part) for part in parts)])


def guid(rng: random.Random) -> str:
    """A version 4 GUID in lower case, as Azure spells its operation ids."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class Span:
    """A range of durations in seconds, with the one that is most usual."""

    low: float
    high: float
    usual: float

    def draw(self, rng: random.Random) -> timedelta:
        """One duration, in whole milliseconds so that instants print briefly."""
        return timedelta(milliseconds=round(rng.triangular(self.low, self.high, self.usual) * 1000))


# Recorded Compute runs: 122 to 425 s where nothing restarts, 1,240 s (32 packages) and 3,769 s (36 packages) with a
# restart; assessments 122 to 362 s. The long tail is cut off: it teaches a test nothing that a fault can't.
INSTALL = Span(122, 425, 210)
INSTALL_WITH_RESTART = Span(600, 1300, 800)
ASSESSMENT = Span(60, 240, 130)
OUTAGE = Span(45, 240, 90)  # a restart, from the last answer of the system to the first
WRAP_UP = Span(15, 60, 30)  # after a restart, until the patch extension has reported
WARM_UP = Span(20, 90, 40)  # after a restart, until the application is healthy
SHUTDOWN = Span(2, 10, 4)  # from the request for a restart until the machine stops answering
NOTICE = Span(2, 10, 4)  # after a restart, until the platform calls it done
COMMAND = Span(20, 60, 25)  # a run command takes 20 s at least
VISIBILITY = Span(5, 20, 8)  # from the start of a patch run until the instance view shows it
SERVICING = Span(60, 300, 120)  # a script that installs an update or takes one away, for each of them
STARTED = Span(5, 20, 10)  # until a managed run command that nobody waits for counts as provisioned
