"""Chance repeats, and belongs to what it is drawn for."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from orchestrator.emulator.chance import INSTALL, INSTALL_WITH_RESTART, Span, guid, portion, stream

SCRIPT = "from orchestrator.emulator.chance import portion; print(portion(7, 'web-01', 3))"


def test_a_stream_belongs_to_its_parts() -> None:
    """The same seed and parts give the same draws, any other part gives others."""
    first = [stream(7, "web-01", n).random() for n in (1, 1, 2)]

    assert first[0] == first[1]
    assert first[0] != first[2]
    assert stream(8, "web-01", 1).random() != first[0]


def test_chance_ignores_the_hash_seed() -> None:
    """Another process under another hash seed draws the same."""
    drawn = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert {f"{portion(7, 'web-01', 3)}\n"} == drawn


def test_durations_stay_near_the_recorded_ones() -> None:
    """Installations without a restart take 122 to 425 s, with one 600 to 1,300 s."""
    for span, low, high in ((INSTALL, 122, 425), (INSTALL_WITH_RESTART, 600, 1300)):
        drawn = [span.draw(stream(1, n)).total_seconds() for n in range(500)]
        assert low <= min(drawn) < low + 60
        assert high - 150 < max(drawn) <= high


def test_durations_are_whole_milliseconds() -> None:
    """An instant that was drawn prints briefly."""
    assert Span(1, 2, 1.5).draw(stream(1)) % timedelta(milliseconds=1) == timedelta(0)


def test_a_guid_is_one() -> None:
    """Operation ids are version 4 GUIDs in lower case."""
    made = guid(stream(1))

    assert made == made.lower()
    assert [len(part) for part in made.split("-")] == [8, 4, 4, 4, 12]
    assert made[14] == "4"
