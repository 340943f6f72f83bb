"""People, their roles, and what a role is good for: the nouns of `decide`.

A person has grants; a grant is a role, for all of the fleet or for a part of it. Nobody may do anything that no grant allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Verb(StrEnum):
    """What can be asked for."""

    VIEW = "view"
    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    RETRY = "retry"
    SKIP = "skip"
    WRITE_OFF = "write-off"
    ABORT = "abort"
    HOLD = "hold"
    UNHOLD = "unhold"
    BLOCK = "block"
    UNBLOCK = "unblock"
    START = "start"
    EMERGENCY = "emergency"
    ARCHIVE = "archive"


class Role(StrEnum):
    """What a grant makes of somebody, the least first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_OPERATORS: Final = frozenset(
    {
        Verb.PAUSE,
        Verb.RESUME,
        Verb.APPROVE,
        Verb.RETRY,
        Verb.SKIP,
        Verb.WRITE_OFF,
        Verb.ABORT,
        Verb.HOLD,
        Verb.UNHOLD,
        Verb.BLOCK,
    }
)

MAY: Final[Mapping[Role, frozenset[Verb]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Verb.VIEW}),
        Role.OPERATOR: _OPERATORS | {Verb.VIEW},
        Role.ADMIN: frozenset(Verb),
    }
)
"""What each role may do. Operators steer what policies began, and can always make less happen. To start a plan that no policy
opened, to shorten what protects (`emergency`), to let a blocked update in again and to move history are an admin's."""

Tags = Mapping[str, str]
"""A machine's tags, as the inventory has them."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the fleet that a grant is for: campaigns by name, machines by tag; both where both are said.

    Names and values are globs (`*`, `?`) without regard to case, names of tags are none. With nothing said it is all of the fleet.
    """

    campaigns: tuple[str, ...] = ()
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()  # each name must fit, by any of its values

    @property
    def everything(self) -> bool:
        """Whether it leaves nothing out."""
        return not self.campaigns and not self.tags


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and where it holds."""

    role: Role
    reach: Reach = Reach()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was recognised: a person by the issuer's word, a machine by its token.

    `name` is what the journal says of who did something. `id` is never another's and never changes; what is kept for somebody is
    kept under it. After `until` nothing is theirs any more, a stream that is open included.
    """

    name: str
    grants: tuple[Grant, ...]
    id: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a request concerns: a campaign (its rollouts, its moments), the tags of each machine concerned, or neither: the fleet.

    `machines` is looked at only where a grant is for machines of some tag: a lazy sequence costs nobody else anything.
    """

    campaign: str = ""
    machines: Sequence[Tags] = ()


FLEET: Final = About()
"""What concerns everything there is, such as a blocked update or the archive."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be done."""


@dataclass(frozen=True, slots=True)
class Denied:
    """It may not; `why` is a sentence for whoever asked, and names nothing that they may not see."""

    why: str
