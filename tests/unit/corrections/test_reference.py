"""docs/hotpatch.md is whole and current: the keys of calendar files, its example, and the calendar itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.corrections.read import read_calendar
from orchestrator.corrections.schema import SECTIONS
from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.hotpatch.model import Month, Product, Release
from orchestrator.hotpatch.words import KINDS
from orchestrator.policy.document import read
from orchestrator.policy.schema.section import Section

TEXT = (Path(__file__).parents[3] / "docs" / "hotpatch.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (?:Required\. )?(.*) \| `(.*)` \|$", TEXT, re.MULTILINE)
CALENDAR = built_in_calendar()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_has_its_row(section: type[Section]) -> None:
    """As the schema says it, with whether it is required."""
    keys = {
        (name, f.description, f"{name}: {(f.examples or ['?'])[0]}")
        for name, f in section.model_fields.items()
    }
    assert keys - set(ROWS) == set()
    for name, field in section.model_fields.items():
        if field.is_required():
            assert f"| `{name}` | Required. {field.description}" in TEXT


def test_every_row_has_its_key_and_its_example_can_be_copied() -> None:
    """What the language doesn't have isn't told."""
    assert {row[0] for row in ROWS} == {name for section in SECTIONS for name in section.model_fields}
    for key, _, example in ROWS:
        document, problems = read("example", example)
        assert problems == (), key
        assert document is not None
        assert list(document.data) == [key]


def test_the_worked_example_is_read() -> None:
    """Readers begin by copying it."""
    block = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]
    calendar = read_calendar("docs/hotpatch.md", block, CALENDAR)

    assert calendar.release(Product.WS2025, Month(2026, 11)).kb == "5100001"
    assert len(calendar.every_between()) == len(CALENDAR.every_between()) + 1


def row(release: Release) -> str:
    """How the page tells a month, up to its cumulative update."""
    note = f" ({release.note})" if release.note else ""
    kb = f"KB{release.kb}" if release.kb else "-"
    return f"| {release.month} | {KINDS[release.kind]}{note} | {release.build or 'not found'} | {kb} |"


def test_the_calendar_is_told_as_it_is() -> None:
    """Every month and every update out of band."""
    for product in Product:
        _, _, part = TEXT.partition(f"### {product.named}\n")
        for release in CALENDAR.known(product):
            assert row(release) in part
            if release.lcu and release.lcu != release.kb:
                assert f"KB{release.lcu}, {release.lcu_build or 'not found'}" in part
    for update in CALENDAR.every_between():
        assert f"| KB{update.kb} | {update.product.named} | {update.released} | {update.build} |" in TEXT
    assert "ends with August 2026" in TEXT
    assert {str(CALENDAR.last_known(product)) for product in Product} == {"2026-08"}
