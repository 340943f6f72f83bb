"""Commands as JSON, for the inbox: how another process asks the writer for something."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from orchestrator.errors import UsageError
from orchestrator.rollout import messages as m

_VERBS: dict[str, type] = {
    "pause": m.Pause,
    "resume": m.Resume,
    "abort": m.Abort,
    "approve": m.Approve,
    "retry": m.Retry,
    "skip": m.Skip,
    "write-off": m.WriteOff,
}

VERBS = tuple(_VERBS)
"""What a person may ask of a rollout that is under way."""


def dump(command: m.Command) -> bytes:
    """A command as a letter's body. A start takes its plan along and is never sent this way."""
    verb = next(name for name, cls in _VERBS.items() if isinstance(command, cls))
    return orjson.dumps({"verb": verb, **asdict(command)}, option=orjson.OPT_SORT_KEYS)


def load(body: bytes) -> m.Command:
    """The command of a letter. Raises `UsageError` for what no version of this program has sent."""
    try:
        fields: dict[str, Any] = orjson.loads(body)
        return make(fields.pop("verb"), **fields)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"a letter in the inbox that can't be read: {error}") from None


def make(verb: str, **fields: Any) -> m.Command:
    """The command of a verb. Raises KeyError or TypeError where verb or fields are wrong."""
    command: m.Command = _VERBS[verb](**fields)
    return command
