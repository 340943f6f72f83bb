"""The reference of tests of policies is whole and current."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from orchestrator.policy.document import read
from orchestrator.policy.schema.section import Narrowed, Section
from orchestrator.rehearsal.read import read_books
from orchestrator.rehearsal.schema import expect
from orchestrator.rehearsal.schema.expect import Expectation

TEXT = (Path(__file__).parents[3] / "docs" / "policy-tests.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (?:Required\. )?(.*) \| `(.*)` \|$", TEXT, re.MULTILINE)


def sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    """Every section of the language of tests."""
    for section in of.__subclasses__():
        yield from sections(section)
        if section.__module__.startswith("orchestrator.rehearsal.") and section not in BASES:
            yield section


BASES = {expect.About, expect.Grouped, Narrowed}


@pytest.mark.parametrize("section", list(sections()), ids=lambda section: section.__name__)
def test_every_key_has_its_row(section: type[Section]) -> None:
    """As the schema says it."""
    keys = {
        (f.alias or name, f.description, f"{f.alias or name}: {(f.examples or ['?'])[0]}")
        for name, f in section.model_fields.items()
    }
    assert keys - set(ROWS) == set()


def test_every_expectation_has_a_chapter() -> None:
    """By its leading key."""
    assert {f"### `{kind}`" for kind in expect.KINDS} <= set(TEXT.splitlines())
    assert len(expect.KINDS) == len(get_args(Expectation))


def test_every_example_is_yaml() -> None:
    """What stands there can be copied."""
    for key, _, example in ROWS:
        document, problems = read("example", example)
        assert problems == (), key
        assert document is not None
        assert list(document.data) == [key]


def test_the_first_example_is_read() -> None:
    """Readers begin by copying it."""
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (book,) = read_books([("docs/policy-tests.md", block)])
    assert len(book.cases) == 2
