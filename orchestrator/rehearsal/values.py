"""Values that tests have and policies haven't: selections by plain names, instants, domains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from orchestrator.policy import json_values
from orchestrator.policy.schema.section import Select
from orchestrator.policy.time_values import YEARS
from orchestrator.policy.values import read_text, shown, wrong
from orchestrator.rehearsal.names import expand

UNKNOWN: Final = "unknown"
"""A domain that Azure has dealt and the inventory doesn't say."""


def read_names(value: object) -> tuple[str, ...]:
    """Names in the short notation; one, or a list of them."""
    entries = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(name for entry in entries for name in expand(entry)))


def _selection(value: object) -> object:
    """`web-[01-03]`, or a list of such names, as a selector; in a selector, `names` may be short too."""
    if isinstance(value, (str, list)):
        return {"names": list(read_names(value))}
    if isinstance(value, dict) and value.get("names"):
        return {**value, "names": list(read_names(value["names"]))}
    return value


def read_moment(value: object) -> datetime:
    """`2026-12-19 21:00`, in UTC unless it says otherwise (`2026-12-19T21:00+01:00`)."""
    text = read_text(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(f"{shown(text)} isn't a moment", 'write it as "2026-12-19 21:00" (UTC)') from None
    if moment.year not in YEARS:
        raise wrong(f"{shown(text)} isn't a day of our time", "write the year that is meant")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_domain(value: object) -> int | None:
    """The number of an update or fault domain; None for `unknown`."""
    text = read_text(value)
    if text == UNKNOWN:
        return None
    if not text.isdecimal() or int(text) > 99:
        raise wrong(f"{shown(text)} isn't a domain", f"write a number from 0 on, or {UNKNOWN}")
    return int(text)


def _typed(reader: Any, schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(reader), WithJsonSchema(schema)


Names = Annotated[tuple[str, ...], *_typed(read_names, json_values.NAMES)]
Moment = Annotated[datetime, *_typed(read_moment, json_values.MOMENT)]
Domain = Annotated[int | None, *_typed(read_domain, json_values.DOMAIN)]
Of = Annotated[Select, BeforeValidator(_selection, json_schema_input_type=Select | Names)]
"""A selector, or names alone."""
