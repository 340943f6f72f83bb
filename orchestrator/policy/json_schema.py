"""The language as JSON Schema 2020-12, from the models that load policies, so that editors complete, explain and underline.

What the schema refuses the loader refuses, in better words; what the schema lets through has the right shape, and may still mean
nonsense. Descriptions carry how a value is written and what holds without it, since that is what an editor shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from orchestrator.policy import defaults, words
from orchestrator.policy.complaints import MAY_BE_EMPTY
from orchestrator.policy.document import read
from orchestrator.policy.json_values import NOTE
from orchestrator.policy.model import Growth, Share
from orchestrator.policy.schema.campaign import GrowingSection, PatchesSection, StageSection, StopWhenSection
from orchestrator.policy.schema.command import RunCommandSection
from orchestrator.policy.schema.file import PolicyFile
from orchestrator.policy.schema.health import (
    AfterStepSection,
    HealthSection,
    HttpSettings,
    StepSection,
    TcpSettings,
)
from orchestrator.policy.schema.section import Section

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

UNWRITTEN: Final[Mapping[tuple[type[Section], str], Any]] = MappingProxyType(
    {
        (PolicyFile, "deadline"): defaults.DEADLINE,
        (PolicyFile, "max_wait"): defaults.MAX_WAIT,
        (HealthSection, "min_healthy_time"): defaults.MIN_HEALTHY_TIME,
        (HealthSection, "healthy_deadline"): defaults.HEALTHY_DEADLINE,
        (HealthSection, "interval"): defaults.PROBE_INTERVAL,
        (HealthSection, "fail_after"): defaults.FAIL_AFTER,
        (HealthSection, "when_already_out"): "leave",
        (HttpSettings, "expect_status"): list(defaults.HTTP_EXPECT_STATUS),
        (HttpSettings, "timeout"): defaults.PROBE_TIMEOUT,
        (TcpSettings, "host"): defaults.TCP_HOST,
        (TcpSettings, "timeout"): defaults.PROBE_TIMEOUT,
        (StepSection, "timeout"): defaults.STEP_TIMEOUT,
        (AfterStepSection, "timeout"): defaults.STEP_TIMEOUT,
        (AfterStepSection, "when"): "healthy",
        (RunCommandSection, "timeout"): defaults.COMMAND_TIMEOUT,
        (PatchesSection, "classifications"): list(defaults.CLASSIFICATIONS),
        (GrowingSection, "first"): Growth().first,
        (GrowingSection, "factor"): Growth().factor,
        (StageSection, "bake"): timedelta(),
        (StopWhenSection, "unhealthy"): Share(percent=defaults.STOP_UNHEALTHY_PERCENT),
        (StopWhenSection, "not_changed"): Share(percent=defaults.STOP_NOT_CHANGED_PERCENT),
    }
)
"""Defaults that models don't carry, because they are filled in only after policies are merged."""


def policy_schema() -> Schema:
    """Of policy files."""
    return schema_of(PolicyFile, "Wavekeeper policy", MAY_BE_EMPTY)


def schema_of(root: type[Section], title: str, may_be_empty: frozenset[str]) -> Schema:
    """Of files with this root. `may_be_empty` are keys that say all by being there; no other takes nothing."""
    made = root.model_json_schema(schema_generator=_Generate)
    sections = {section.__name__: section for section in _reached(root)}
    for name, schema in (*made.get("$defs", {}).items(), (root.__name__, made)):
        _complete(schema, sections[name], may_be_empty)
    named = {"$schema": DIALECT, "title": title, "description": made.pop("description")}
    definitions = made.pop("$defs")
    return {**named, **_plain(made), "$defs": dict(sorted(_plain(definitions).items()))}


class _Generate(GenerateJsonSchema):
    """Without titles, which repeat keys, and without pydantic's own words for defaults."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def _reached(root: type[Section]) -> set[type[Section]]:
    """The root and every section in it: another language may have one of the same name."""
    found: set[type[Section]] = set()

    def visit(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, Section) and hint not in found:
            found.add(hint)
            for field in hint.model_fields.values():
                visit(field.annotation)
        for part in get_args(hint):
            visit(part)

    visit(root)
    return found


def _complete(schema: Schema, section: type[Section], may_be_empty: frozenset[str]) -> None:
    """Add to a section's keys what editors show."""
    schema.pop("title", None)
    schema["description"] = schema["description"].splitlines()[0]
    for name, field in section.model_fields.items():
        key = field.alias or name
        about = schema["properties"][key]
        if key not in may_be_empty:
            about = _without_null(about)
        note = _note(about)
        silent = _default(section, name, field)
        said: Schema = {"description": " ".join(filter(None, (field.description, note)))}
        if silent is not None:
            said["default"] = silent
        said["examples"] = [_written(example) for example in field.examples or ()]
        schema["properties"][key] = {**said, **{word: one for word, one in about.items() if word not in said}}


def _without_null(schema: Schema) -> Schema:
    """No key takes nothing: `select:` would read as everything."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not kinds:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _note(schema: Any) -> str:
    """How the value is written, or one of its entries: the first that is said."""
    if isinstance(schema, dict):
        if NOTE in schema:
            return str(schema[NOTE])
        return next(filter(None, map(_note, schema.values())), "")
    return next(filter(None, map(_note, schema)), "") if isinstance(schema, list) else ""


def _default(section: type[Section], name: str, field: FieldInfo) -> Any:
    """What holds where nothing is written, as it would be written; None where nothing does."""
    silent = UNWRITTEN.get((section, name))
    if silent is None and not field.is_required():
        silent = field.get_default(call_default_factory=True, validated_data={})
    return None if silent in (None, [], {}) or isinstance(silent, Section) else _spelled(silent)


def _spelled(value: Any) -> Any:
    match value:
        case list():
            return [_spelled(one) for one in value]
        case timedelta():
            return words.duration(value)
        case time():
            return f"{value:%H:%M}"
        case Enum():
            return value.value
        case Share():
            return value.count if value.count is not None else str(value)
        case _:
            return value


def _written(example: str) -> Any:
    """An example, which the models have as YAML, as an editor's reader of YAML would see it."""
    document, problems = read("example", f"example: {example}")
    assert document is not None, problems
    return _seen(document.data["example"])


def _seen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _seen(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_seen(one) for one in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value is not None and re.fullmatch("0|[1-9][0-9]*", value) else value


def _plain(schema: Any) -> Any:
    """Without notes, which are told in descriptions by now."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != NOTE}
    return [_plain(one) for one in schema] if isinstance(schema, list) else schema
