"""History put before the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.inventory.runs import runs_from_rows
from orchestrator.policy.load import load_one
from orchestrator.reports.history_model import Broke, History, sentence
from orchestrator.service.audit import audit
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm
from tests.unit.inventory.test_runs import MONTHLY, row

SATURDAY = datetime(2026, 11, 14, tzinfo=UTC)
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
SHOP = """\
version: 1
name: shop
select: {tags: {app: shop}}
rules:
  - {max_unavailable: 1}
"""


def run(name: str, at: float, minutes: float = 20, **properties: Any) -> dict[str, Any]:
    """A run that begins `at` hours into that Saturday."""
    begin = SATURDAY + timedelta(hours=at)
    end = begin + timedelta(minutes=minutes)
    told = {"startDateTime": begin.isoformat(), "lastModifiedDateTime": end.isoformat(), **properties}
    return row(name, f"{name}-{at:g}", **told)


def audited(*rows: dict[str, Any], policy: str = SHOP, days: int = 30) -> History:
    """Three machines of the shop in two zones, by one policy and no floor."""
    shop = {"app": "shop"}
    fleet = inventory(
        vm("a", zone="1", tags=shop), vm("b", zone="2", tags=shop), vm("c", zone="2", tags=shop)
    )
    rules = [load_one("shop.yaml", policy)]
    return audit(build(fleet), rules, None, runs_from_rows(rows), UNTIL - timedelta(days=days), UNTIL)


def test_a_schedule_that_starts_all_at_once() -> None:
    """The budget is broken, by that schedule, from when until when; by file and line."""
    scheduled = {"maintenanceRunId": f"{MONTHLY}/providers/microsoft.maintenance/applyupdates/1"}
    history = audited(run("a", 22, **scheduled), run("b", 22, 30, **scheduled), run("c", 23))
    (finding,) = history.findings
    assert (finding.kind, finding.origin, finding.by) == (Broke.BUDGET, "shop.yaml:5", ("schedule monthly",))
    assert sentence(finding) == "2 were out at once where 1 may be: a, b"
    assert finding.begin == SATURDAY + timedelta(hours=22)
    assert finding.end == SATURDAY + timedelta(hours=22, minutes=20)
    assert (history.runs, history.machines, dict(history.by)) == (
        3,
        3,
        {"schedule monthly": 2, "somebody, on demand": 1},
    )
    assert not history.ok


def test_what_nobody_saw_restart_is_not_sure() -> None:
    """It is told with care; a run that needed no restart took nobody down."""
    (finding,) = audited(run("a", 22), run("b", 22, rebootStatus="")).findings
    assert (finding.sure, sentence(finding)) == (False, "2 may have been out at once where 1 may be: a, b")
    assert audited(run("a", 22), run("b", 22, rebootStatus="NotNeeded")).ok


def test_exclusions() -> None:
    """Two zones worked on at once, restarted or not."""
    zones = SHOP.replace("{max_unavailable: 1}", "{one_at_a_time: zone, within: region}")
    (finding,) = audited(run("a", 22), run("b", 22, rebootStatus="NotNeeded"), policy=zones).findings
    assert (finding.kind, finding.peak) == (Broke.EXCLUSION, 2)


def test_a_group_in_which_nobody_may_go_down() -> None:
    """A budget that admits nobody is broken by anybody."""
    frozen = SHOP.replace("{max_unavailable: 1}", "{min_available: 3}")
    (finding,) = audited(run("a", 22), policy=frozen).findings
    assert (finding.kind, finding.machines) == (Broke.FROZEN, ("a",))


def test_windows_and_freezes() -> None:
    """A run that begins outside its machine's windows, and one that begins in a freeze."""
    hours = SHOP.replace("rules:\n  - {max_unavailable: 1}\n", "") + (
        'windows:\n  - {start: [sat], at: "22:00", for: 4h, time_zone: UTC}\n'
        "freezes:\n  - {from: 2026-11-15, to: 2026-11-16, reason: launch, time_zone: UTC}\n"
    )
    history = audited(run("a", 22.5), run("b", 12), run("c", 25), policy=hours)
    told = [(one.kind, one.machines, one.rule) for one in history.findings]
    assert told == [
        (Broke.WINDOW, ("b",), "only sat at 22:00 for 4h, UTC"),
        (Broke.FREEZE, ("c",), "no change: launch"),
    ]


def test_what_is_before_or_not_ours_is_left_out() -> None:
    """A run that was over before isn't judged; machines that aren't in the fleet are told."""
    history = audited(run("a", 0), run("b", 0), run("stranger", 100), days=4)
    assert (history.runs, history.ok) == (0, True)
    assert history.notes == ("1 machines of the history are not in this fleet, and were passed over",)
