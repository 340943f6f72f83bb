"""`wavekeeper hold`, `unhold`, `holds` and `emergency`, as typed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.live import LiveView
from orchestrator.service.progress import progress
from tests.builders import lane, plan_of, stage
from tests.diary import Diary
from tests.unit.cli.conftest import Typed

CAMPAIGN = """version: 1
name: one
select: {names: "*"}
change: {patches: {}}
"""


def test_machines_are_held_and_let_go(wavekeeper: Typed) -> None:
    """Before there is any rollout; listed meanwhile, with who, why and until when."""
    assert "nothing is held" in wavekeeper("holds", "--journal", "j.db").out
    placed = wavekeeper("hold", "tag:app=shop", "--until", "6h", "--reason", "a disk", "--journal", "j.db")
    assert placed.code == 0
    assert "h1  tag:app=shop  held by" in placed.out
    assert "end it before its time: wavekeeper unhold h1 --reason ..." in placed.out
    (listed,) = wavekeeper("holds", "--journal", "j.db", "--json").json()["holds"]
    assert (listed["id"], listed["select"], listed["reason"]) == ("h1", "tag:app=shop", "a disk")
    wrong = wavekeeper("unhold", "h2", "--reason", "done", "--journal", "j.db")
    assert wrong.code == 3
    assert "there is no hold h2; h1, tag:app=shop, held by" in wrong.err
    lifted = wavekeeper("unhold", "h1", "--reason", "done", "--journal", "j.db")
    assert (lifted.code, lifted.out.strip()) == (0, "hold h1 is lifted")
    assert wavekeeper("holds", "--journal", "j.db", "--json").json() == {"holds": []}


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["--reason", "x"], 1, "say until when: wavekeeper hold name=a --until 6h --reason ..."),
        (["--until", "6h"], 1, "say why, for whoever reads it later: wavekeeper hold name=a --until 6h"),
        (["--until", "soon", "--reason", "x"], 1, "--until soon is no moment"),
        (["--until", "91d", "--reason", "x"], 3, "a hold lasts for 90d at most"),
        (["--until", "2020-01-01", "--reason", "x"], 3, "2020-01-01 00:00 UTC is past already"),
    ],
)
def test_what_a_hold_needs_is_said(wavekeeper: Typed, typed: list[str], code: int, said: str) -> None:
    """And nothing is held."""
    ran = wavekeeper("hold", "name=a", *typed, "--journal", "j.db")
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert wavekeeper("holds", "--journal", "j.db", "--json").json() == {"holds": []}


def test_whom_it_means_is_told_of_an_inventory(wavekeeper: Typed, fleet: str) -> None:
    """And if it means nobody there, that."""
    ran = wavekeeper("hold", "name=*", "--until", "6h", "--reason", "x", "-i", fleet, "--journal", "j.db")
    assert "when it was placed:" in ran.out
    ran = wavekeeper("hold", "name=no", "--until", "6h", "--reason", "x", "-i", fleet, "--journal", "j.db")
    assert "it means no machine of that inventory as it is now" in ran.out


def test_a_plan_says_whom_a_hold_keeps(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """While it is planned, not only when it waits."""
    (tmp_path / "one.yaml").write_text(CAMPAIGN)
    wavekeeper("hold", "name=*", "--until", "6h", "--reason", "a disk", "--journal", "j.db")
    ran = wavekeeper("plan", "-p", "one.yaml", "-i", fleet, "--journal", "j.db", "--json")
    (held,) = ran.json()["held"]
    assert "of this plan are not begun before" in held
    assert ": a disk (hold h1): " in held
    assert held in wavekeeper("plan", "-p", "one.yaml", "-i", fleet, "--journal", "j.db").out


def test_a_check_says_whom_a_hold_keeps(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """The plan is as sound as before."""
    (tmp_path / "one.yaml").write_text(CAMPAIGN)
    wavekeeper("plan", "-p", "one.yaml", "-i", fleet, "-o", "plan.json", "--journal", "j.db")
    wavekeeper("hold", "name=*", "--until", "6h", "--reason", "a disk", "--journal", "j.db")
    ran = wavekeeper("check", "plan.json", "-i", fleet, "--journal", "j.db")
    assert (ran.code, "of this plan are not begun before" in ran.out) == (0, True)
    assert (
        len(wavekeeper("check", "plan.json", "-i", fleet, "--journal", "j.db", "--json").json()["held"]) == 1
    )


def test_a_plan_says_what_an_emergency_would_shorten(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """By name, with the word for who sees no colour, and what stays; the plan itself is the same."""
    (tmp_path / "one.yaml").write_text(CAMPAIGN)
    usual = wavekeeper("plan", "-p", "one.yaml", "-i", fleet, "-o", "a.json", "--journal", "j.db")
    ran = wavekeeper(
        "plan", "-p", "one.yaml", "-i", fleet, "-o", "b.json", "--emergency", "CVE-1", "--journal", "j.db"
    )
    assert "EMERGENCY" not in usual.out
    assert "EMERGENCY: CVE-1" in ran.out
    assert "bake of stage canary: 5m instead of 4h" in ran.out
    assert "budgets, exclusions, orders, probes, gates, stages, stops and holds are as always" in ran.out
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_an_emergency_needs_a_reason(wavekeeper: Typed, fleet: str) -> None:
    """Of whatever it is said."""
    ran = wavekeeper("plan", "-p", ".", "-i", fleet, "--emergency", " ", "--journal", "j.db")
    assert (ran.code, ran.out) == (1, "")
    assert "say why it is an emergency" in ran.err
    ran = wavekeeper("emergency", "--journal", "j.db")
    assert ran.code == 1
    assert "say why, for whoever reads it later: wavekeeper emergency ROLLOUT --reason ..." in ran.err


def test_whoever_watches_sees_an_emergency() -> None:
    """In red, and by its word where there are no colours."""
    diary = Diary(plan_of(lane("l", "a"), stages=[stage("broad", bake=timedelta(hours=1))]))
    diary.emergency()
    view = LiveView(lambda: progress(diary.scope, diary.rollout, diary.now), [])
    told = {}
    for colours in (None, "truecolor"):
        console = Console(width=120, height=40, file=StringIO(), force_terminal=True, color_system=colours)
        console.print(view)
        told[colours] = console.file.getvalue()  # type: ignore[attr-defined]  # that of above
    said = "EMERGENCY by ada since 2026-11-22 12:00 UTC: ticket 4711"
    assert said in told[None]
    assert f"\x1b[1;31m{said}" in told["truecolor"]
