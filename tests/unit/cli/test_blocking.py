"""`wavekeeper block`, `unblock` and `rollback`, as typed."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Typed

CAMPAIGN = """version: 1
name: one
select: {names: "*"}
change: {patches: {classifications: [], include_kbs: [5087423]}}
"""


def test_an_update_is_kept_out_and_let_in_again(wavekeeper: Typed) -> None:
    """By name and reason, before there is any rollout, and listed meanwhile."""
    assert "nothing is blocked" in wavekeeper("block", "--journal", "j.db").out
    blocked = wavekeeper("block", "kb5087423", "--reason", "it breaks the shop", "--journal", "j.db")
    assert blocked.code == 0
    assert "KB5087423 is blocked by" in blocked.out
    (listed,) = wavekeeper("block", "--journal", "j.db", "--json").json()["blocked"]
    assert listed.endswith(": it breaks the shop")
    again = wavekeeper("block", "5087423", "--reason", "x", "--journal", "j.db")
    assert (again.code, again.out) == (3, "")
    assert "KB5087423 is blocked by" in again.err
    assert wavekeeper("unblock", "KB5087423", "--reason", "mended", "--journal", "j.db").code == 0
    assert wavekeeper("block", "--journal", "j.db", "--json").json() == {"blocked": []}


def test_why_is_asked_before_anything_is_written(wavekeeper: Typed, tmp_path: Path) -> None:
    """Whoever reads it later wants to know."""
    ran = wavekeeper("block", "KB5087423", "--journal", "j.db")
    assert (ran.code, ran.out) == (1, "")
    assert "say why, for whoever reads it later: wavekeeper block KB5087423 --reason ..." in ran.err
    assert not (tmp_path / "j.db").exists()


def test_what_is_no_kb_is_refused(wavekeeper: Typed) -> None:
    """With how to write one."""
    ran = wavekeeper("block", "openssl", "--reason", "x", "--journal", "j.db")
    assert ran.code == 1
    assert "openssl is no KB; write it like KB5087423" in ran.err


def test_a_plan_of_nothing_but_a_blocked_update_says_so(
    wavekeeper: Typed, fleet: str, tmp_path: Path
) -> None:
    """While it is planned, not only when it is begun."""
    (tmp_path / "one.yaml").write_text(CAMPAIGN)
    wavekeeper("block", "KB5087423", "--reason", "bad", "--journal", "j.db")
    ran = wavekeeper("plan", "-p", "one.yaml", "-i", fleet, "--journal", "j.db", "--json")
    blocked, meaning = ran.json()["blocked"]
    assert blocked.startswith("KB5087423 is blocked by")
    assert meaning == "this plan would install nothing but what is blocked: it will be refused"


def test_a_rollout_that_nobody_knows_is_not_rolled_back(wavekeeper: Typed, fleet: str) -> None:
    """It names the ones that there are."""
    wavekeeper("block", "KB5087423", "--reason", "bad", "--journal", "j.db")
    ran = wavekeeper("rollback", "monthly-1", "-i", fleet, "--journal", "j.db")
    assert ran.code == 1
    assert "this journal knows no rollout yet" in ran.err
