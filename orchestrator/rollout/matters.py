"""What people are told that is about no rollout: matters of the service, each for as long as it stands; and who is told what.

A matter is told once when it comes up and once when it is over, whatever restarts lie between: what stands is folded from the journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """What matters of the service there are."""

    DUE = "due"  # a moment of a schedule is due and its rollout can't be opened
    MISSED = "missed"  # one is past catching up
    BAD_COMMIT = "bad_commit"
    GIT = "git"  # it can't be asked for long
    INVENTORY = "inventory"  # the fleet can't be read for long
    HOLD = "hold"  # one ends soon
    CERTIFICATE = "certificate"  # the server's ends soon
    TOKEN = "token"  # noqa: S105 - the word: that of a machine ends soon


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook, and the occasions and topics that it is told of."""

    webhook: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that is the matter: what happened, what is at stake, what may be done. `key` tells it from others of its topic."""

    topic: Topic
    key: str
    text: str
    stake: str = ""
    options: tuple[str, ...] = ()
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """That a matter came up, or (`over`) that it stands no more."""

    number: int
    at: datetime
    matter: Matter
    over: bool = False


@dataclass(slots=True)
class Tidings:
    """What is folded of it: who is told what, what stands, and what isn't told yet."""

    receivers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # webhook -> occasions and topics
    standing: dict[str, Matter] = field(default_factory=dict)  # topic and key -> the matter
    made: int = 0
    untold: dict[str, dict[int, News]] = field(default_factory=dict)  # webhook -> news, in order
    mute: dict[str, str] = field(default_factory=dict)  # webhooks that can't be told now, and why
