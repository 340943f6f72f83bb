"""What can be made to go wrong, as values. `fault_file` reads them from YAML, `fault_book` decides when they strike.

Every fault says whom it strikes (`machines`, `tags`, `regions`, `subscriptions`, `share`, all of which must agree) and
which of the occasions it strikes on (`nth`, `after`, `times`, counted over the fleet or, with `per: machine`, for each
machine). docs/emulator.md shows an example of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from orchestrator.emulator.state import STARTS, Kind

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value)))
    raise ValueError('a duration is written like "90s", "5m", "1h30m" or "2d"')


def _moment(value: object) -> timedelta | datetime:
    if isinstance(value, str) and not _DURATION.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(
                'a moment is a duration from the start, like "10m", or an instant, like "2026-11-22T01:00:00Z"'
            ) from None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Moment = Annotated[timedelta | datetime, BeforeValidator(_moment)]


def instant(moment: timedelta | datetime, start: datetime) -> datetime:
    """When a moment of a fault file is, for an emulator that started at `start`."""
    return moment if isinstance(moment, datetime) else start + moment


class Fault(BaseModel):
    """What all faults share: whom, and on which occasions."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    machines: tuple[str, ...] = ()  # globs over names or ids, without regard to case
    tags: Mapping[str, str] = Field(default_factory=dict)
    regions: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    share: float = Field(default=1.0, gt=0, le=1)  # of the machines that the rest selects, by the seed
    nth: int | None = Field(default=None, ge=1)  # only this occasion
    after: int = Field(default=0, ge=0)  # not before this many occasions
    times: int | None = Field(default=None, ge=1)  # at most so often
    per: Literal["fleet", "machine"] = "fleet"  # what the three count over

    @property
    def selects_machines(self) -> bool:
        """Whether it is about certain machines, so that a request for none of them (a list) is spared."""
        return bool(self.machines or self.tags or self.share < 1)


class InstallFails(Fault):
    """The installation ends Failed; the machine stays as it was and healthy."""

    code: str = "0x80070643"
    message: str = "Installation failure: fatal error during installation."
    operation: bool = False  # fail the operation as a whole, rather than its result


class InstallNeverEnds(Fault):
    """The installation stays InProgress until a restart preempts it."""


class StaysOut(Fault):
    """During an installation or a restart the machine goes down and doesn't come back."""

    recovers_after: Duration | None = None


class Unhealthy(Fault):
    """After an installation or a restart the application is unhealthy. `delay` lets it fail late."""

    recovers_after: Duration | None = None
    delay: Duration = timedelta(0)


class WindowExceeded(Fault):
    """The installation runs out of its maximum duration, half done."""


class RebootRequired(Fault):
    """The installation needs a restart though no patch said so before."""


class RestartLeft(Fault):
    """The installation ends without the restart that it needs, and its result says so: `status` is the `rebootStatus`."""

    status: str = "Required"


class PatchesLeft(Fault):
    """The installation succeeds with half of the patches, or the only one, still pending."""


class EndsWithWarnings(Fault):
    """The installation ends CompletedWithWarnings; everything is installed."""

    code: str = "PACKAGE_LIST_TRUNCATED"
    message: str = "The list of packages was cut."


class VisibilityDelay(Fault):
    """The instance view shows the installation only after so many seconds."""

    seconds: float = Field(ge=0)


class CommandFails(Fault):
    """The script of a run command ends with an exit code and does nothing."""

    exit_code: int = 1
    message: str = "The script failed."  # on its error stream


class CommandHangs(Fault):
    """The script of a run command doesn't end; the platform gives up when its time is over."""


class RequestFault(Fault):
    """A fault of requests, of the kinds in `on`."""

    on: tuple[Kind, ...] = tuple(Kind)
    from_: Moment = Field(default=timedelta(0), alias="from")
    for_: Duration | None = Field(default=None, alias="for")


class Throttle(RequestFault):
    """A storm of 429: requests are refused as if a rate limit were used up."""

    retry_after: int = Field(default=30, ge=0)  # seconds
    policy: Literal["compute", "arm"] = "compute"  # who refuses: the Compute provider, or ARM itself


class ServerError(RequestFault):
    """A 5xx, before the request is taken."""

    status: int = Field(default=503, ge=500, le=599)
    code: str = "ServiceUnavailable"
    retry_after: int | None = Field(default=None, ge=0)  # seconds


class Refuses(RequestFault):
    """A 4xx of the provider's, with any code; the request isn't taken."""

    on: tuple[Kind, ...] = tuple(sorted(STARTS))
    status: int = Field(default=409, ge=400, le=499)
    code: str = "Conflict"
    message: str = "The request failed due to conflict with a concurrent request."


class Drop(RequestFault):
    """The connection is cut before the request is taken."""


class LostAnswer(RequestFault):
    """The request is taken, its answer never arrives."""

    on: tuple[Kind, ...] = tuple(sorted(STARTS))


class Slow(RequestFault):
    """The answer leaves late."""

    seconds: float = Field(ge=0)


class TimedFault(Fault):
    """Something that happens to machines of its own accord, once."""

    at: Moment


class GoesOff(TimedFault):
    """The machine stops; after `for` it runs again."""

    for_: Duration | None = Field(default=None, alias="for")


class Vanishes(TimedFault):
    """Somebody deletes the machine."""


class ForeignRun(TimedFault):
    """Somebody else starts an installation: of critical and security patches, unless told otherwise.

    `takes` or `kbs` say of what; `cumulative` is the month's cumulative update, also where a hotpatch is offered, and throws a
    machine off the hotpatch track, as `out_of_band` does.
    """

    by: Literal["colleague", "schedule", "azure"] = "colleague"
    takes: Literal["important", "everything", "cumulative", "out_of_band", "kbs"] = "important"
    kbs: tuple[str, ...] = ()
    reboot: Literal["IfRequired", "Never", "Always"] = "IfRequired"
    every: Duration | None = None  # again and again

    @model_validator(mode="after")
    def _kbs_or_not(self) -> Self:
        if (self.takes == "kbs") != bool(self.kbs):
            raise ValueError("write `takes: kbs` with a list of `kbs`, or neither")
        if self.every is not None and self.every <= timedelta(0):
            raise ValueError("`every` must be longer than nothing")
        return self


KINDS: dict[str, type[Fault]] = {
    "install_fails": InstallFails,
    "install_never_ends": InstallNeverEnds,
    "stays_out": StaysOut,
    "unhealthy": Unhealthy,
    "window_exceeded": WindowExceeded,
    "reboot_required": RebootRequired,
    "restart_left": RestartLeft,
    "patches_left": PatchesLeft,
    "ends_with_warnings": EndsWithWarnings,
    "visibility_delay": VisibilityDelay,
    "command_fails": CommandFails,
    "command_hangs": CommandHangs,
    "throttle": Throttle,
    "server_error": ServerError,
    "refuses": Refuses,
    "drop": Drop,
    "lost_answer": LostAnswer,
    "slow": Slow,
    "goes_off": GoesOff,
    "vanishes": Vanishes,
    "foreign_run": ForeignRun,
}


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of one run, in the order of their file."""

    faults: tuple[Fault, ...] = ()


NO_FAULTS = Faults()
