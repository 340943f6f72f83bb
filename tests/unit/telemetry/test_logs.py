"""Logs: a line an event, in one form, with no secret in it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest
import structlog

from orchestrator.telemetry.logs import to_stderr, without_secrets


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where logs go meanwhile."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    made = io.StringIO()
    to_stderr(stream=made)
    yield made
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """What was logged."""
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_what_is_no_terminal_gets_json_with_ids_in_fields(stream: io.StringIO) -> None:
    """Of our own events as of libraries'."""
    with structlog.contextvars.bound_contextvars(rollout="monthly-1"):
        structlog.get_logger("wavekeeper.rollout").info("granted", lane="l1", machine="web01")
    logging.getLogger("wavekeeper").warning("the snapshot at row %d isn't used", 7)
    first, second = lines(stream)
    assert {key: first[key] for key in ("event", "rollout", "lane", "machine", "level", "logger")} == {
        "event": "granted", "rollout": "monthly-1", "lane": "l1", "machine": "web01", "level": "info",
        "logger": "wavekeeper.rollout",
    }  # fmt: skip
    assert str(first["timestamp"]).endswith("Z")
    assert (second["event"], second["level"]) == ("the snapshot at row 7 isn't used", "warning")


def test_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    """The Azure SDK tells every request otherwise."""
    logging.getLogger("azure.core").info("Request URL: https://example.org")
    logging.getLogger("azure.core").warning("slow")
    assert [one["event"] for one in lines(stream)] == ["slow"]


def test_secrets_are_taken_out_of_exceptions_too(stream: io.StringIO) -> None:
    """A trace quotes what it was given."""
    try:
        raise ValueError("https://a:hunter2@git.example/x?sig=hunter2")  # noqa: TRY301
    except ValueError:
        structlog.get_logger("wavekeeper").exception("failed")
    assert "hunter2" not in stream.getvalue()
    assert "https://git.example/x" in stream.getvalue()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"password": "hunter2"}, {"password": "***"}),
        ({"client_secret": "hunter2", "x": 1}, {"client_secret": "***", "x": 1}),
        ({"source": "https://me:hunter2@git.example/p.git"}, {"source": "https://git.example/p.git"}),
        ({"url": "https://m.azure.example/ops/1?s=hunter2&t=1"}, {"url": "https://m.azure.example/ops/1"}),
        ({"why": "401 for Bearer hunter2hunter2"}, {"why": "401 for Bearer ***"}),
        ({"why": ValueError("https://u:hunter2@h/p")}, {"why": "https://h/p"}),
        ({"problems": ["ssh://u:hunter2@h/p"]}, {"problems": ["ssh://h/p"]}),
        ({"more": {"token": "hunter2", "name": "x"}}, {"more": {"token": "***", "name": "x"}}),
        ({"event": "a mail to ada@example.org at 3?"}, {"event": "a mail to ada@example.org at 3?"}),
    ],
)
def test_what_is_secret_is_not_written(given: dict[str, object], written: dict[str, object]) -> None:
    """By its name, or by where it stands."""
    assert without_secrets(None, "", given) == written


def test_instants_and_errors_are_written_as_programs_read_them(stream: io.StringIO) -> None:
    """ISO 8601, not as Python shows them."""
    at = datetime(2026, 11, 22, 1, tzinfo=UTC)
    structlog.get_logger("wavekeeper").info("opened", due=at, why=ValueError("no"), campaigns=("a", "b"))
    (line,) = lines(stream)
    assert (line["due"], line["why"], line["campaigns"]) == ("2026-11-22T01:00:00+00:00", "no", ["a", "b"])
