"""The reference of assumptions is whole and current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.assumptions.read import read_assumptions
from orchestrator.assumptions.schema import SECTIONS
from orchestrator.policy.document import read
from orchestrator.policy.schema.section import Section

TEXT = (Path(__file__).parents[3] / "docs" / "simulate.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (?:Required\. )?(.*) \| `(.*)` \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_has_its_row(section: type[Section]) -> None:
    """As the schema says it."""
    keys = {
        (f.alias or name, f.description, f"{f.alias or name}: {(f.examples or ['?'])[0]}")
        for name, f in section.model_fields.items()
    }
    assert keys - set(ROWS) == set()


def test_every_row_has_its_key() -> None:
    """What the language doesn't have isn't told."""
    assert {row[0] for row in ROWS} == {name for section in SECTIONS for name in section.model_fields}


def test_every_example_is_yaml() -> None:
    """What stands there can be copied."""
    for key, _, example in ROWS:
        document, problems = read("example", example)
        assert problems == (), key
        assert document is not None
        assert list(document.data) == [key]


def test_the_worked_example_is_read() -> None:
    """Readers begin by copying it."""
    block = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]
    assert len(read_assumptions("docs/simulate.md", block).entries) == 2
