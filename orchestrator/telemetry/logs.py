"""Logs of a service: a line an event on standard error, JSON unless a person looks, with no secret in it.

Ours and those of libraries come out in one form. What an event is about stands in fields of its own: `rollout`, `lane`, `machine`,
`campaign`, `commit`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any, Final, TextIO

import orjson
import structlog

HIDDEN: Final = "***"
_SECRET_KEY: Final = re.compile(
    r"password|secret|token|authorization|cookie|credential|api_?key", re.IGNORECASE
)
_IN_URL: Final = re.compile(
    r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?:[^/\s@?#]*@)?(?P<rest>[^\s?#\"'<>]*)(?:\?[^\s\"'<>]*)?"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")


def to_stderr(*, as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Log there from now on. `as_json` None: JSON unless it is a terminal."""
    stream = stream or sys.stderr
    if as_json is None:
        as_json = not stream.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    last: Any = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("wavekeeper").setLevel(logging.INFO)


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what mustn't be written: values whose name says what they are, and what URLs carry besides where they go."""
    for key, value in event.items():
        event[key] = HIDDEN if value and _is_secret(key) else _clean(value)
    return event


@cache
def _is_secret(key: str) -> bool:
    """Whether a value of this name mustn't be written. Names are few."""
    return _SECRET_KEY.search(key) is not None


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _clean_text(value) if "://" in value or _BEARER.search(value) else value
        case Mapping():
            return {key: HIDDEN if _is_secret(str(key)) else _clean(inner) for key, inner in value.items()}
        case BaseException():
            return _clean(str(value))
        case list() | tuple():
            return [_clean(inner) for inner in value]
        case _:
            return value


def _clean_text(text: str) -> str:
    return _BEARER.sub(rf"\1 {HIDDEN}", _IN_URL.sub(r"\g<scheme>\g<rest>", text))


def _as_json(event: Mapping[str, Any], **_: Any) -> str:
    """Instants as ISO 8601; whatever else JSON can't say, in words."""
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
