"""The loader and the schema for editors, each held against the other on shipped policies that were bent."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy import codes
from orchestrator.policy.json_schema import policy_schema
from orchestrator.policy.load import read_all
from orchestrator.rehearsal.json_schema import schema_of_tests
from orchestrator.rehearsal.read import read_books
from tests.unit.policy.test_json_schema import seen

POLICIES: Final = Path(__file__).parents[2] / "policies"
TREES: Final = {
    ending: [
        seen(path.read_text(encoding="utf-8"))
        for path in sorted(POLICIES.rglob("*.yaml"))
        if (".test." in path.name) == (ending == ".test.yaml")
    ]
    for ending in (".yaml", ".test.yaml")
}
SCHEMAS: Final = {
    ".yaml": Draft202012Validator(policy_schema()),
    ".test.yaml": Draft202012Validator(schema_of_tests()),
}

SHAPE: Final = {codes.UNKNOWN_KEY, codes.MISSING, codes.WRONG_VALUE}

TAKES_ARITHMETIC: Final = (
    "is longer than", "isn't a day of", "isn't a time zone", "isn't a moment", "longer than 31 days", "isn't a list of names", "names at most",
)  # fmt: skip
"""What no schema can say."""

VALUES: Final = (
    None, True, False, 0, 1, 3, 70, 1.5, -1, 10**8, "", " ", "0", "3", "25%", "0%", "100%", "100.0%", "101%", "12.5 %", "majority", "no", "5m", "0s", "90", "1h30m",
    "30m1h", "d", "999d", "22:00", "9:30", "24:00", "2026-12-18", "2026-02-30", "2026-13-01", "UTC", "zone", "selection", "tag:app", "tag:", "fri", "second tue",
    "every_day", "leave", "approve", "windows", "lb-drain", "a b", "5087423", "KB5087423", "http://x/", [], {}, [1], ["zone"], {"tags": {"app": "shop"}}, {"a": 1},
    [None], "unknown", "allow", "machine", "app_health", "http", {"app_health": None}, {"http": {}}, {"else": "UTC"}, "availability-first",
)  # fmt: skip
KEYS: Final = sorted(
    {
        key
        for schema in (policy_schema(), schema_of_tests())
        for one in (schema, *schema["$defs"].values())
        for key in one.get("properties", ())
    }
    | {"rebootless", "max-unavailable", "tag"}
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a tree stands."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [at, *(place for key, value in inner for place in places(value, (*at, key)))]


@st.composite
def bent(draw: st.DrawFn, ending: str) -> dict[str, Any]:
    """A shipped file with some keys and values of others' in it."""
    tree = json.loads(json.dumps(draw(st.sampled_from(TREES[ending]))))
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(places(tree)[1:]))
        holder = tree
        for key in way:
            holder = holder[key]
        what = draw(st.sampled_from(("value", "value", "key", "gone", "wrapped")))
        if what == "gone":
            del holder[last]
        elif what == "wrapped":
            holder[last] = [holder[last]]
        elif what == "value" or not isinstance(holder, dict):
            holder[last] = draw(st.sampled_from(VALUES).map(deepcopy))
        else:
            holder[draw(st.sampled_from(KEYS))] = draw(st.sampled_from(VALUES).map(deepcopy))
        if len(places(tree)) == 1:
            break
    return dict(tree)


def shape_problems(ending: str, tree: dict[str, Any]) -> tuple[list[Problem], bool]:
    """What the loader has against the shape of a file, as far as a schema could know; and whether it has nothing at all against it."""
    file = f"bent{ending}", json.dumps(tree)
    if ending == ".yaml":
        problems = read_all([file]).problems
    else:
        try:
            read_books([file])
            problems = ()
        except PolicyError as refused:
            problems = refused.problems
    wrong = [one for one in problems if one.code in SHAPE]
    return [one for one in wrong if not any(word in one.what for word in TAKES_ARITHMETIC)], not problems


def assert_of_one_mind(ending: str, tree: dict[str, Any]) -> None:
    """Both ways."""
    underlined = [f"{list(e.absolute_path)} {e.message[:150]}" for e in SCHEMAS[ending].iter_errors(tree)]
    wrong, accepted = shape_problems(ending, tree)

    assert bool(underlined) or not wrong, [str(one) for one in wrong]
    assert not (accepted and underlined), underlined


@given(bent(".yaml"))
def test_what_is_not_underlined_in_a_policy_has_its_shape(tree: dict[str, Any]) -> None:
    """And what loads is never underlined."""
    assert_of_one_mind(".yaml", tree)


@given(bent(".test.yaml"))
def test_the_same_of_files_of_tests(tree: dict[str, Any]) -> None:
    """They have a schema of their own."""
    assert_of_one_mind(".test.yaml", tree)
