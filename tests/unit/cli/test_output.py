"""Lines, tables and figures for people."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from rich.console import Console

from orchestrator.cli.output import (
    bullets,
    columns,
    count,
    heading,
    line,
    print_json,
    print_table,
    some,
    span,
    when,
)

LONG = "a sentence that is quite a bit longer than forty columns are wide"


def console(*, terminal: bool) -> Console:
    """A console of 40 columns into a string."""
    return Console(
        file=io.StringIO(),
        width=40,
        force_terminal=terminal,
        highlight=False,
        soft_wrap=True,
        color_system=None,
    )


def said(on: Console) -> list[str]:
    """The lines that a console got."""
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue().splitlines()


def test_elsewhere_than_on_a_terminal_a_row_is_a_line() -> None:
    """What is piped into a file or a search is never cut or folded, and has no blanks at the end."""
    table = columns("who", "machines", "why", right=("machines",))
    table.add_row("web", "12", LONG)
    table.add_row("db", "3", "short")
    on = console(terminal=False)
    print_table(table, on)
    assert ["  who  machines  why", f"  web        12  {LONG}", "  db          3  short"] == said(on)


def test_on_a_terminal_a_table_fits() -> None:
    """Nothing is wider than the terminal, and no word is lost."""
    table = columns("who", "why")
    table.add_row("web", LONG)
    on = console(terminal=True)
    print_table(table, on)
    assert all(len(row) <= 40 for row in said(on))
    assert LONG.split() == [word for row in said(on)[1:] for word in row.split() if word != "web"]


def test_sentences_are_wrapped_under_their_beginning() -> None:
    """On a terminal a long sentence goes on below itself, not below its bullet."""
    on = console(terminal=True)
    bullets([LONG, "short"], on)
    assert said(on) == [
        "  - a sentence that is quite a bit",
        "    longer than forty columns are wide",
        "  - short",
    ]


def test_brackets_are_no_markup() -> None:
    """Names and messages of others are shown as they are."""
    on = console(terminal=False)
    line("[bold]x[/] [0]\nnext", on, indent=2)
    heading("[red]", on)
    bullets(["[b]"], on)
    assert said(on) == ["  [bold]x[/] [0]", "  next", "", "[red]", "  - [b]"]


def test_figures() -> None:
    """Figures read as people write them."""
    assert [count(n, "machine") for n in (1, 2, 1200)] == ["1 machine", "2 machines", "1,200 machines"]
    assert count(0, "policy", "policies") == "0 policies"
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert [
        span(timedelta(**length))
        for length in ({"seconds": 40}, {"minutes": 25}, {"minutes": 185}, {"hours": 49})
    ] == ["40 s", "25 min", "3 h 5 min", "2 d 1 h"]
    assert [when(datetime(2026, 11, 22, 1, tzinfo=UTC)), when(None)] == ["2026-11-22 01:00 UTC", "-"]


def test_json_is_one_sorted_document(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get instants as ISO 8601, spans as seconds, sets in order."""
    moment = datetime(2026, 11, 22, 1, tzinfo=UTC)
    print_json({"b": frozenset({"y", "x"}), "a": timedelta(minutes=2), "c": moment})
    text = capsys.readouterr().out
    assert orjson.loads(text) == {"a": 120.0, "b": ["x", "y"], "c": "2026-11-22T01:00:00+00:00"}
    assert text.index('"a"') < text.index('"b"')
