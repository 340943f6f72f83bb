"""Never: a text that makes the loader do anything but load or refuse."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml as libyaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import PolicyError
from orchestrator.policy import yaml_events
from orchestrator.policy.load import load
from orchestrator.policy.model import Policy
from orchestrator.policy.yaml_events import Event, Kind, Unreadable, tabs, unseen

POLICIES = Path(__file__).parents[2] / "policies"
SEEDS = tuple(path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml")))
PIECES = (
    "\t", "\n", "  ", "- ", ": ", "{", "}", "[", "]", ",", "'", '"', "&a ", "*a", "!x ", "<<: ", "? ", "|", ">", "#", "%", "@", "`", "\\", "\x00",
    "\ud800", "\ufeff", "---\n", "...\n", "~", "0", "-1", "1:30", "no", "99999999999999999999", "100%", "1e400", "select", "rules", "not: ", "any: ",
    "max_unavailable: ", "min_available: ", "order: ", "(order)", "per: ", "tag:", "stages: ", "health: ", "probes: ", "change: ", "null",
)  # fmt: skip


def outcome(text: str) -> tuple[Policy, ...] | PolicyError:
    """What loading gives, or how it refuses; nothing else can happen."""
    try:
        return load([("fuzzed.yaml", text)])
    except PolicyError as refused:
        return refused


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped policy with pieces cut out, put in, doubled and swapped."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        kept = text[start:end]
        middle = draw(
            st.one_of(
                st.just(""),
                st.just(kept + kept),
                st.sampled_from(PIECES),
                st.sampled_from(PIECES).map(kept.__add__),
                st.text(max_size=4),
            )
        )
        text = text[:start] + middle + text[end:]
    return text


@given(mutated())
def test_a_mutated_policy_loads_or_is_refused_with_its_lines(text: str) -> None:
    """Never a traceback; each problem is a sentence about a line that exists."""
    result = outcome(text)

    if isinstance(result, PolicyError):
        assert result.problems
        for problem in result.problems:
            assert problem.file == "fuzzed.yaml"
            assert 0 <= problem.line <= len(text) + 1
            assert problem.what
            assert "\n" not in problem.what
    else:
        assert len(result) == 1


def told_by(parser: Callable[[], Iterator[Event]]) -> list[Event] | str:
    """What a parser gives, or how it refuses."""
    try:
        return [
            event._replace(line=0, column=0, last_line=0, last_column=0) if _nothing(event) else event
            for event in parser()
        ]
    except (Unreadable, libyaml.YAMLError) as refused:
        return type(refused).__name__


def _nothing(event: Event) -> bool:
    """An empty value; the parsers place it differently, and complaints name its key."""
    return event.kind is Kind.SCALAR and event.plain and not event.value


@given(mutated())
def test_the_fast_parser_and_the_slow_one_say_the_same(text: str) -> None:
    """What libyaml accepts it reads as ruamel.yaml does, places and all; so no machine reads a policy otherwise than another."""
    if any(True for _ in unseen("f", text)) or any(True for _ in tabs("f", text)):
        return
    fast, slow = told_by(lambda: yaml_events._fast(text)), told_by(lambda: yaml_events._slowly("f", text))

    if not isinstance(fast, str) and not isinstance(slow, str):
        assert slow == fast


@given(st.binary(max_size=64) | st.sampled_from(SEEDS).map(lambda text: text.encode("utf-16")))
def test_any_bytes_at_all_load_or_are_refused(content: bytes) -> None:
    """What is read from a disk is bytes, and may be anything."""
    with contextlib.suppress(PolicyError):
        load([("fuzzed.yaml", content)])


@given(st.text())
def test_any_text_at_all_loads_or_is_refused(text: str) -> None:
    """The same of text that never was a policy."""
    assert isinstance(outcome(text), (tuple, PolicyError))


VALUES = st.recursive(
    st.one_of(st.none(), st.sampled_from([piece.strip() for piece in PIECES if piece.isprintable()])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["version", "name", "select", "rules", "health", "around", "change", "stages", "stop_when", "of", "per", "tags", "not", "any", "order",
             "max_unavailable", "min_available", "one_at_a_time", "within", "probes", "http", "url", "tcp", "port", "app_health", "patches", "restart",
             "before", "after", "webhook", "bake", "up_to", "count", "deadline", "singletons", "windows", "(order)"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


def flow(value: object) -> str:
    """A value in YAML's flow style, all text quoted."""
    match value:
        case None:
            return "~"
        case dict():
            return "{" + ", ".join(f"'{key}': {flow(held)}" for key, held in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


@given(
    st.dictionaries(
        st.sampled_from(["select", "rules", "health", "around", "change", "stages", "stop_when", "replaces"]),
        VALUES,
    )
)
def test_any_shape_of_values_loads_or_is_refused(shape: dict[str, object]) -> None:
    """Well-formed YAML with keys of the language in places where they don't belong."""
    text = "version: 1\nname: x\n" + "".join(f"{key}: {flow(value)}\n" for key, value in shape.items())

    assert isinstance(outcome(text), (tuple, PolicyError))
