"""Commands as JSON, for the inbox: how another process asks the writer for something."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from orchestrator.errors import UsageError
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import messages as m
from orchestrator.rollout.retention import Retention

_VERBS: dict[str, type] = {
    "pause": m.Pause,
    "resume": m.Resume,
    "abort": m.Abort,
    "approve": m.Approve,
    "retry": m.Retry,
    "skip": m.Skip,
    "write-off": m.WriteOff,
    "block": m.Block,
    "unblock": m.Unblock,
    "hold": m.Hold,
    "unhold": m.Unhold,
    "emergency": m.Emergency,
}

VERBS = tuple(_VERBS)
"""What a person may ask of a rollout that is under way."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A reviewed plan that another process asks the writer to run: judged by the sender, on the fleet as it is.

    `dropped` are machines that are left alone after all, by index, with the reason. `endpoint` and `scale` say which cloud was
    looked at, `due` and `commit` what a schedule's rollout was opened for and planned from. `emergency`: see `Start`.
    """

    plan: bytes
    who: str
    reason: str
    dropped: tuple[tuple[int, str], ...]
    endpoint: str
    scale: float
    due: datetime | None = None
    commit: str = ""
    emergency: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """What another process asks the writer to move into an archive, and where that is to be."""

    who: str
    retention: Retention
    to: str


_HANDOVER = "hand-over"
_ARCHIVE = "archive"


def dump(command: m.Command | Handover | ArchiveOrder) -> bytes:
    """A command as a letter's body. A plan travels compressed."""
    if isinstance(command, ArchiveOrder):
        kept = command.retention
        told = {"who": command.who, "to": command.to, "keep_last": kept.keep_last}
        return orjson.dumps({"verb": _ARCHIVE, "older_than_s": kept.older_than.total_seconds(), **told})
    if isinstance(command, Handover):
        told = asdict(command) | {"plan": b64encode(zlib.compress(command.plan)).decode()}
        return orjson.dumps({"verb": _HANDOVER, **told}, option=orjson.OPT_SORT_KEYS)
    verb = next(name for name, cls in _VERBS.items() if isinstance(command, cls))
    return orjson.dumps({"verb": verb, **asdict(command)}, option=orjson.OPT_SORT_KEYS)


def load(body: bytes) -> m.Command | Handover | ArchiveOrder:
    """The command of a letter. Raises `UsageError` for what no version of this program has sent."""
    try:
        fields: dict[str, Any] = orjson.loads(body)
        verb = fields.pop("verb")
        if verb == _HANDOVER:
            return _handover(fields)
        return _archive(fields) if verb == _ARCHIVE else make(verb, **fields)
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise UsageError(f"a letter in the inbox that can't be read: {error}") from None


def _handover(fields: dict[str, Any]) -> Handover:
    plan = zlib.decompress(b64decode(fields.pop("plan")))
    dropped = tuple((int(index), str(why)) for index, why in fields.pop("dropped"))
    due = fields.pop("due", None)
    return Handover(plan=plan, dropped=dropped, due=datetime.fromisoformat(due) if due else None, **fields)


def _archive(fields: dict[str, Any]) -> ArchiveOrder:
    retention = Retention(timedelta(seconds=fields["older_than_s"]), int(fields["keep_last"]))
    return ArchiveOrder(str(fields["who"]), retention, str(fields["to"]))


def _read_hold(until: datetime | str, matched: Sequence[str] = (), **fields: Any) -> dict[str, Any]:
    """A hold's fields, by a person's process or out of a letter."""
    when = datetime.fromisoformat(until) if isinstance(until, str) else until
    return {**fields, "until": when, "matched": tuple(map(MachineId, matched))}


def make(verb: str, **fields: Any) -> m.Command:
    """The command of a verb. Raises KeyError, TypeError or ValueError where verb or fields are wrong."""
    if verb == "hold":
        fields = _read_hold(**fields)
    command: m.Command = _VERBS[verb](**fields)
    return command
