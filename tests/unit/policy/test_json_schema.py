"""The JSON Schema for editors: whole, explained, current, and of one mind with the loader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from orchestrator.policy.complaints import MAY_BE_EMPTY
from orchestrator.policy.json_schema import UNWRITTEN, _spelled, policy_schema
from orchestrator.policy.json_values import NOTE
from orchestrator.policy.schema.section import Section
from orchestrator.rehearsal.json_schema import schema_of_tests
from tests.unit.policy.test_reference import CHAPTERS, rows

POLICIES = Path(__file__).parents[3] / "policies"
SCHEMAS = {"schema.json": policy_schema(), "schema.test.json": schema_of_tests()}
"""By the name of the checked-in copy."""


def seen(text: str) -> Any:
    """A YAML 1.2 text as an editor sees it: numbers and truth values are such, dates are text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value.isoformat() if isinstance(value, date) else value

    return plain(YAML(typ="safe", pure=True).load(text))


def refusals(schema: Any, value: Any) -> list[str]:
    """What the schema has against a value."""
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(value)
    ]


def sections(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every mapping of a language, by the name of its definition."""
    yield "the file", schema
    yield from ((name, one) for name, one in schema["$defs"].items() if "properties" in one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_json_schema(name: str) -> None:
    """Of the dialect that it names, with every reference leading somewhere, and nothing of its making left."""
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)
    references = set(re.findall(r"#/\$defs/(\w+)", json.dumps(schema)))
    assert references == set(schema["$defs"])
    assert NOTE not in json.dumps(schema)
    assert "title" not in json.dumps(schema["$defs"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_checked_in_copy_is_current(name: str) -> None:
    """Made anew by `wavekeeper policy schema [--tests] -o policies/NAME`."""
    assert json.loads((POLICIES / name).read_text(encoding="utf-8")) == SCHEMAS[name]


@pytest.mark.parametrize("section", CHAPTERS.values(), ids=lambda section: section.__name__)
def test_every_key_is_explained(section: type[Section]) -> None:
    """By the description of the reference, and with an example that the schema itself takes."""
    schema = SCHEMAS["schema.json"]
    about = dict(sections(schema))["the file" if section.__name__ == "PolicyFile" else section.__name__]

    assert set(about["properties"]) == {field.alias or key for key, field in section.model_fields.items()}
    assert about["additionalProperties"] is False
    for key, field in section.model_fields.items():
        described = about["properties"][field.alias or key]
        assert described["description"].startswith(field.description)
        assert described["examples"]
        for example in described["examples"]:
            assert refusals({**described, "$defs": schema["$defs"]}, example) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_default_is_what_could_be_written(name: str) -> None:
    """An editor proposes it."""
    schema = SCHEMAS[name]
    defaults = [
        (title, key, about)
        for title, section in sections(schema)
        for key, about in section["properties"].items()
        if "default" in about
    ]

    assert defaults
    for title, key, about in defaults:
        assert refusals({**about, "$defs": schema["$defs"]}, about["default"]) == [], f"{title}.{key}"


def test_the_defaults_are_those_of_the_reference() -> None:
    """What is filled in only after merging stands in no model, and might be forgotten here."""
    for (section, key), value in UNWRITTEN.items():
        for heading in [heading for heading, chapter in CHAPTERS.items() if chapter is section]:
            told = rows()[heading, key][1].strip("`")
            spelled = _spelled(value)
            expected = f"[{', '.join(map(str, spelled))}]" if isinstance(spelled, list) else str(spelled)
            assert told in (expected, expected.strip("[]")), f"{heading} {key}"


@pytest.mark.parametrize("path", sorted(POLICIES.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_file_validates(path: Path) -> None:
    """No editor underlines what is right."""
    name = "schema.test.json" if ".test." in path.name else "schema.json"

    assert refusals(SCHEMAS[name], seen(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "policy",
    [
        "select: {tags: {app: shop}}\nsooner: {tags: {a: b}}\n",
        "rules: [{max_unavailable: 0}]\n",
        "rules: [{max_unavailable: 0%}]\n",
        "rules: [{max_unavailable: 101%}]\n",
        "rules: [{max_unavailable: 25}, {min_available: 100%}]\n",
        "rules: [{min_available: most}]\n",
        "rules: [{max_unavailable: 1, min_available: 1}]\n",
        "rules: [{max_unavailable: 1, per: shelf}]\n",
        'rules: [{max_unavailable: 1, per: "tag:"}]\n',
        "rules: [{max_unavailable: 1, per: []}]\n",
        "rules: [{max_unavailable: 1, cap: yes}]\n",
        "rules: [{}]\n",
        "rules: {max_unavailable: 1}\n",
        "select:\n",
        "select: {tags: {app: }}\n",
        "selct: {tags: {app: shop}}\n",
        "health: {min_healthy_time: 5}\n",
        "health: {min_healthy_time: 5 minutes}\n",
        "health: {min_healthy_time: 0s}\n",
        "health: {min_healthy_time: ''}\n",
        "health: {probes: [http]}\n",
        "health: {probes: [{tcp: {port: 65536}}]}\n",
        "health: {probes: [{app_health: {}, vm_agent: {}}]}\n",
        "health: {fail_after: 0}\n",
        "windows: [{at: '22:00', for: 8h, time_zone: UTC}]\n",
        "windows: [{start: fri, at: '24:00', for: 8h, time_zone: UTC}]\n",
        "windows: [{start: fifth fri, at: '22:00', for: 8h, time_zone: UTC}]\n",
        "freezes: [{from: '2026-13-01', to: 2026-12-31, reason: x}]\n",
        "notify: [{webhook: 'https://example.org/x'}]\n",
        "select: {names: '*'}\nchange: {}\n",
        "select: {names: '*'}\nchange: {patches: {}, restart: {}}\n",
        "change: {patches: {}}\n",
        "select: {names: '*'}\nchange: {patches: {include_kbs: [KB12]}}\n",
        "select: {names: '*'}\nchange: {patches: {}}\nstages: [{name: 'a b'}]\n",
        "select: {names: '*'}\nchange: {patches: {}}\nstages: [{name: a, then: ask}]\n",
        "rebootless: {max_unavailable: 5}\n",
    ],
)
def test_what_the_loader_refuses_for_its_shape_is_underlined(policy: str) -> None:
    """One of each kind; `tests/properties/test_policy_schema.py` holds the two against each other at large."""
    good = seen("version: 1\nname: x\nrules: [{max_unavailable: 1}]\n")

    assert refusals(SCHEMAS["schema.json"], good) == []
    assert refusals(SCHEMAS["schema.json"], {**good, **seen(policy)})


def test_only_what_says_all_by_being_there_takes_nothing() -> None:
    """`select:` would read as everything."""
    for _, section in sections(SCHEMAS["schema.json"]):
        for key, about in section["properties"].items():
            takes_nothing = refusals({**about, "$defs": SCHEMAS["schema.json"]["$defs"]}, None) == []
            assert takes_nothing == (key in MAY_BE_EMPTY), key
