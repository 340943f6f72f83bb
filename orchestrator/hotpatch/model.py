"""The nouns: how sure it is that a change restarts a machine, months of releases, and where a machine stands in hotpatching."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

_TUESDAY: Final = 1


class Restarts(StrEnum):
    """Whether a change restarts a machine. Whatever isn't `NEVER` is planned as a restart."""

    CERTAIN = "certain"  # it is what the change does, or an update that always asks for one is among those it would get
    LIKELY = "likely"  # an update that may ask for one is among them, or the calendar says that one comes
    UNKNOWN = "unknown"  # nobody assessed it lately, or what was found doesn't say
    NEVER = "never"  # every update it would get is a hotpatch, and the installation may not restart it


class Told(StrEnum):
    """By what something was found out, the surest first."""

    INSTALLED = "installed"  # the updates that are known to be installed
    ASSESSMENT = "assessment"  # what the machine's own assessment offers it
    SETTINGS = "settings"  # its image, edition or patch settings
    BUILD = "build"  # its build alone
    CALENDAR = "calendar"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Installation:
    """Which updates a machine gets, of those outstanding, and what may follow.

    Classifications in snake case, as policies write them; KBs are digits; names and packages are masks. `published_until` pins the
    set, and so do `only_kbs` and `only_packages` (each `name=version`): None takes whatever is there on the day.
    """

    classifications: tuple[str, ...]
    include_kbs: tuple[str, ...]
    exclude_kbs: tuple[str, ...]
    may_restart: bool
    always_restarts: bool
    published_until: datetime | None
    include_names: tuple[str, ...] = ()
    exclude_names: tuple[str, ...] = ()
    include_packages: tuple[str, ...] = ()
    exclude_packages: tuple[str, ...] = ()
    never_reboots_only: bool = False  # of Windows' updates
    only_kbs: tuple[str, ...] | None = None
    only_packages: tuple[str, ...] | None = None


# The calendar ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of releases. It begins on its second Tuesday, when that month's updates come out, and lasts until the next one's."""

    year: int
    number: int  # 1 to 12

    def __str__(self) -> str:
        """`2026-11`."""
        return f"{self.year}-{self.number:02}"

    @property
    def named(self) -> str:
        """`November 2026`."""
        return f"{_NAMES[self.number - 1]} {self.year}"

    @property
    def second_tuesday(self) -> date:
        """When its updates come out."""
        first = date(self.year, self.number, 1)
        return first + timedelta(days=(_TUESDAY - first.weekday()) % 7 + 7)

    def plus(self, months: int) -> Month:
        """So many months later; earlier, if negative."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    @classmethod
    def read(cls, written: str) -> Month | None:
        """The month that `2026-11` names; None for what names none."""
        year, dash, number = written.partition("-")
        if not (dash and len(year) == 4 and len(number) == 2 and (year + number).isdecimal()):
            return None
        return cls(int(year), int(number)) if 1 <= int(number) <= 12 and int(year) >= 2000 else None

    @classmethod
    def at(cls, day: date) -> Month:
        """The month whose updates are the newest ones on a day."""
        month = cls(day.year, day.month)
        return month if day >= month.second_tuesday else month.plus(-1)


_NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class Product(StrEnum):
    """What gets hotpatches on a server, by the calendar that it has of its own."""

    WS2022 = "windows_server_2022"
    WS2025 = "windows_server_2025"

    @property
    def named(self) -> str:
        """For people."""
        return "Windows Server " + self.value[-4:]


class MonthKind(StrEnum):
    """What a month of releases is to a machine that gets hotpatches."""

    BASELINE = "baseline"  # planned: a cumulative update, with a restart
    HOTPATCH = "hotpatch"
    UNPLANNED_BASELINE = "unplanned_baseline"  # takes the place of a hotpatch, with a restart
    UNKNOWN = "unknown"

    @property
    def is_baseline(self) -> bool:
        """Whether it restarts everybody."""
        return self in {MonthKind.BASELINE, MonthKind.UNPLANNED_BASELINE}


@dataclass(frozen=True, slots=True)
class Release:
    """A month's release for one product.

    `kb` is the hotpatch, or the baseline, which then is the cumulative update too. Builds are the last part of a version
    (`32772` of `26100.32772`). None or empty: not known. `scheduled` says that the month follows the rule and no source.
    """

    product: Product
    month: Month
    kind: MonthKind
    kb: str = ""
    build: int | None = None
    lcu: str = ""  # the cumulative update that everybody else gets
    lcu_build: int | None = None
    released: date | None = None
    source: str = ""
    note: str = ""
    scheduled: bool = False

    @property
    def out_on(self) -> date:
        """When it came out, or will."""
        return self.released or self.month.second_tuesday


class Effect(StrEnum):
    """What an update that came between the months does to a machine on the hotpatch track."""

    KEEPS = "keeps"
    LEAVES = "leaves"


@dataclass(frozen=True, slots=True)
class Between:
    """An update that came out of band."""

    product: Product
    kb: str
    released: date
    effect: Effect
    build: int | None = None
    source: str = ""
    note: str = ""

    @property
    def month(self) -> Month:
        """The month that it came in."""
        return Month.at(self.released)


# A machine's standing -------------------------------------------------------------------------------------------


class Answer(StrEnum):
    """Whether a machine can get hotpatches at all."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Way(StrEnum):
    """How a machine comes by its hotpatches."""

    IMAGE = "image"  # an image of Azure that is hotpatched
    ARC = "arc"  # a license under Arc
    AZURE_LOCAL = (
        "azure_local"  # Azure Edition on Azure Local, which nobody has to enrol and Azure isn't told of
    )


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a machine can get hotpatches at all, and why. `product` is also told of a machine that can't, if it is one of the two."""

    answer: Answer
    why: str
    product: Product | None = None
    way: Way = Way.IMAGE


class Track(StrEnum):
    """Whether a machine gets hotpatches now."""

    ON = "on"
    DUE = "due"  # the newest baseline isn't installed: with it come a restart, and hotpatches again
    LEAVING = "leaving"  # on it, and what it is about to get takes it off
    LEFT = "left"  # something that it got took it off, until the next baseline
    OFF = "off"  # it could, and hotpatching isn't turned on
    NONE = "none"  # it can't
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a machine stands in hotpatching, by what, and what would bring it back."""

    track: Track
    by: Told
    why: str  # a sentence's part: "KB5070881 is installed, which came out of band on 2025-10-23"
    product: Product | None = None
    back: str = ""  # what would bring it back: "the baseline of January 2026, due on 2026-01-13"
    back_in: Month | None = None  # when that is due
    costs: int = 0  # restarts until then, this month's included, that hotpatches would have spared
