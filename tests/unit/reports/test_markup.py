"""Elements that escape what they hold."""

from __future__ import annotations

import pytest

from orchestrator.reports.markup import h, number, written


def test_text_and_attributes_are_escaped() -> None:
    """Whatever a name holds, it ends no element and begins none."""
    element = h("p", "a < b & c", title='say "no" & go')
    assert written(element) == '<p title="say &quot;no&quot; &amp; go">a &lt; b &amp; c</p>'


def test_children_keep_their_order() -> None:
    """Text between elements stays between them; nothing is nothing, and several are one after another."""
    element = h("p", "one ", h("b", "two"), " three", None, (h("i", str(n)) for n in (4, 5)), " six")
    assert written(element) == "<p>one <b>two</b> three<i>4</i><i>5</i> six</p>"


def test_names_of_attributes_are_python_words() -> None:
    """A trailing underscore goes, others are hyphens; None leaves the attribute away."""
    element = h("text", class_="name", text_anchor="end", rx=2.5, id=None)
    assert written(element) == '<text class="name" text-anchor="end" rx="2.5"></text>'


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (0.0, "0"), (100.0, "100")]
)
def test_numbers_are_written_briefly(value: float, text: str) -> None:
    """A hundredth of a pixel is seen by nobody."""
    assert number(value) == text
