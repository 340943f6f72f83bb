"""What people say while rollouts go on, as values that are written and read as short words: `hold@40/7200s:tag:app=a`.

They hold machines and let go of them, declare emergencies, and change tags in the cloud. A word finds the process that drives by letter, or is decided on the
spot while nobody drives: as typed at any terminal.
"""

from __future__ import annotations

import contextlib
import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from orchestrator.emulator.world import World
from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.model import Machine
from orchestrator.rollout.letters import make
from orchestrator.service.look import look
from orchestrator.service.verbs import carry_out
from orchestrator.store.port import Journal

NONE: Final = "none"
"""How no words at all, and no mishaps, are written."""

PERSON: Final = "grace"
SHARE: Final = 0.4
"""Of trials in which anybody says anything."""


class Verb(StrEnum):
    """What somebody does."""

    HOLD = "hold"  # the machines that it selects, for that long
    UNHOLD = "unhold"  # lifts the hold of that number
    EMERGENCY = "emergency"  # of every rollout that goes on
    TAG = "tag"  # a machine gets a tag in the cloud, or loses it where no value is said


@dataclass(frozen=True, slots=True, order=True)
class Word:
    """Said at the boundary of that number, or at the first one after it. `what` is a selector, the number of a hold, or a machine's
    name with a tag: `a2.app=b`.
    """

    at: int
    verb: Verb
    seconds: int = 0
    what: str = ""

    def __str__(self) -> str:
        length = f"/{self.seconds}s" if self.seconds else ""
        return f"{self.verb}@{self.at}{length}" + (f":{self.what}" if self.what else "")


_WORD: Final = re.compile(
    r"hold@\d+/\d+s:(?:name=\w+|tag:\w+=\w+|region=\w+)|unhold@\d+:h\d+|emergency@\d+|tag@\d+:\w+\.\w+=\w*"
)
_PARTS: Final = re.compile(r"(?P<verb>\w+)@(?P<at>\d+)(?:/(?P<seconds>\d+)s)?(?::(?P<what>.+))?")


def read_words(text: str) -> tuple[Word, ...]:
    """Words as written, with commas between; `none` is none. Raises `UsageError` with what is wrong and what to write instead."""
    return () if text == NONE else tuple(sorted(_word(one.strip()) for one in text.split(",") if one.strip()))


def _word(text: str) -> Word:
    found = _PARTS.fullmatch(text) if _WORD.fullmatch(text) else None
    if found is None:
        raise UsageError(
            f"{text!r} is nothing that people say here: write hold@BOUNDARY/SECONDSs:SELECTOR (of one name=, tag:KEY= or region=), "
            "unhold@BOUNDARY:HOLD, emergency@BOUNDARY or tag@BOUNDARY:MACHINE.KEY=VALUE, such as hold@40/7200s:tag:app=a, unhold@90:h1"
        )
    return Word(int(found["at"]), Verb(found["verb"]), int(found["seconds"] or 0), found["what"] or "")


def write_words(words: tuple[Word, ...]) -> str:
    """As `read_words` reads them."""
    return ",".join(map(str, words))


def draw_words(seed: int) -> tuple[Word, ...]:
    """What people say in the trial of a seed, by chance of its own; mostly nothing."""
    rng = random.Random(f"people {seed}")  # noqa: S311 - nothing to keep secret
    if rng.random() >= SHARE:
        return ()
    words = []
    for number in range(1, rng.choice([0, 1, 1, 2, 3]) + 1):
        at = rng.choice([1, rng.randint(5, 60), rng.randint(5, 500)])
        words.append(Word(at, Verb.HOLD, rng.choice([900, 7200, 32400, 259200]), _selector(rng)))
        if rng.random() < 0.5:
            words.append(Word(at + rng.randint(1, 200), Verb.UNHOLD, what=f"h{number}"))
    if not words or rng.random() < 0.3:
        words.append(Word(rng.randint(1, 200), Verb.EMERGENCY))
    for _ in range(rng.choice([0, 0, 1, 2])):
        tag = rng.choice(["app=a", "app=b", "ring=canary", "ring=", "app="])
        words.append(Word(rng.randint(1, 300), Verb.TAG, what=f"{rng.choice('ab')}{rng.randint(1, 4)}.{tag}"))
    return tuple(sorted(words))


def _selector(rng: random.Random) -> str:
    """A machine by name, some by tag, which no plan tells, or all of them."""
    name = f"name={rng.choice('ab')}{rng.randint(1, 4)}"
    return rng.choice([name, name, f"tag:app={rng.choice('ab')}", "tag:ring=canary", "region=westeurope"])


def means(select: str, machine: Machine) -> bool:
    """Whether one of these selectors means a machine of the world: for the judge, who asks nothing of the product's."""
    key, _, value = select.partition("=")
    if key == "name":
        return machine.name == value
    if key == "region":
        return machine.location == value
    return machine.tags.get(key.removeprefix("tag:")) == value


def retag(word: Word, world: World, now: datetime) -> None:
    """Change the tag of a machine in the cloud, if it is there."""
    name, _, tag = word.what.partition(".")
    key, _, value = tag.partition("=")
    for machine in world.machines():
        if machine.rpartition("/")[2] == name:
            tags = {**world.model(machine).get("tags", {}), key: value}
            world.update(machine, {"tags": {k: v for k, v in tags.items() if v}}, now)


async def say(word: Word, journal: Journal, now: datetime) -> None:
    """Say it, and live with a refusal: what it is about may be over by then."""
    reason = "the simulation wants it"
    match word.verb:
        case Verb.HOLD:
            until = now + timedelta(seconds=word.seconds)
            wanted = [make("hold", select=word.what, until=until, who=PERSON, reason=reason)]
        case Verb.UNHOLD:
            wanted = [make("unhold", hold=word.what, who=PERSON, reason=reason)]
        case Verb.EMERGENCY:
            going_on = (await look(journal)).active()
            wanted = [make("emergency", rollout=one.id, who=PERSON, reason=reason) for one in going_on]
        case Verb.TAG:
            return  # nothing that Wavekeeper is told
    for one in wanted:
        with contextlib.suppress(Refused):
            await carry_out(journal, one, now, PERSON)
