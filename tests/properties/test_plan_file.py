"""Never: a plan's file that is read quickly and means something else to the strict reader, or that the strict reader refuses."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.planner import pieces
from orchestrator.planner.document import LARGE, _quickly, _strictly, dump, parse
from orchestrator.planner.model import Plan
from orchestrator.planner.pieces import STABLE, Split
from tests.properties.test_plan_diff import plans
from tests.unit.planner.test_document import full

VALUES = st.sampled_from(
    [None, True, 0, 1, -1, 1.0, 2.5, "", "x", "/GONE", [], [1], [True], ["x"], {}, {"x": 1}]
).map(deepcopy)  # a second blow may fall on what the first one put in


@pytest.fixture(autouse=True, scope="module")
def small() -> Any:
    """Pieces of a row each, so that small plans have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_BYTES", 1)
        yield


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Each container of a document, with a key or an index that it has."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


def _spoil(document: dict[str, Any], data: st.DataObject) -> None:
    container, key = data.draw(st.sampled_from(_places(document)))
    kind = data.draw(st.sampled_from(["replace", "drop", "add", "repeat"]))
    if kind == "drop":
        del container[key]
    elif kind == "add" and isinstance(container, dict):
        container[
            data.draw(
                st.sampled_from(["new", "calendar", "takes_s", "groups", "tags", "sooner", "outstanding"])
            )
        ] = data.draw(VALUES)
    elif kind == "repeat" and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = data.draw(VALUES)


@settings(deadline=None, max_examples=300)
@given(st.data(), st.integers(1, 2), st.sampled_from([STABLE, orjson.OPT_INDENT_2, 0]))
def test_the_quick_reader_takes_nothing_that_the_strict_one_reads_otherwise(
    data: st.DataObject, times: int, form: int
) -> None:
    """Whatever somebody did to a plan's file by hand, and however it is indented."""
    document = orjson.loads(dump(full()))
    for _ in range(times):
        _spoil(document, data)
    text = orjson.dumps(document, option=form)
    split = Split(text, LARGE)
    quick = _quickly(split) if isinstance(split.head, dict) else None
    if quick is not None:
        assert _strictly(text, "plan.json") == quick
    else:
        with suppress(UsageError):  # and no other error
            parse(text, "plan.json")


@settings(deadline=None)
@given(plans())
def test_what_is_written_is_read_quickly(plan: Plan) -> None:
    """Else a large plan would cost seconds; and to the letter."""
    text = dump(plan)
    quick = _quickly(Split(text, LARGE))

    assert quick == _strictly(text, "plan.json")
    assert quick is not None
    assert dump(quick) == text


@settings(deadline=None)
@given(st.data())
def test_exposure_is_read_back_to_the_letter(data: st.DataObject) -> None:
    """Whichever machines it says something of: quickly, strictly, and as the same bytes again."""
    made = full()
    places, counts = st.none() | st.integers(0, len(made.sooner) - 1), st.none() | st.integers(0, 300)
    machines = (
        replace(machine, sooner=data.draw(places), outstanding=data.draw(counts)) for machine in made.machines
    )
    plan = replace(made, machines=tuple(machines))
    text = dump(plan)

    assert _quickly(Split(text, LARGE)) == _strictly(text, "plan.json") == plan
    assert dump(parse(text, "plan.json")) == text
