"""What really happened, held to the plan and the floor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.errors import InventoryError
from orchestrator.verify.audit import judge_audit
from orchestrator.verify.model import Verdict
from tests.unit.verify.documents import (
    at,
    audit,
    budget,
    entry,
    exclusion,
    inventory,
    lane,
    location,
    order,
    plan,
    set_id,
    vm,
    vm_id,
    worked,
)

Line = dict[str, Any]


def _rules(verdict: Verdict) -> list[str]:
    return [violation.rule for violation in verdict.violations]


def _fleet(names: str) -> Line:
    """Machines without any rule of the floor between them: each has a subscription of its own."""
    return inventory(*(vm(name, subscription=name) for name in names.split()))


def _judged(lines: list[Line], names: str = "a b c d", /, *constraints: Line, **more: Any) -> Verdict:
    """An audit judged by a plan of one lane that changes these machines one by one."""
    judged = plan(lane("one", *names.split()), constraints=constraints)
    return judge_audit(lines, judged, _fleet(names), **more)


def test_a_good_run() -> None:
    """A run that keeps everything is ok, and what was seen is counted."""
    lines = audit(worked("a", 0, 10), worked("b", 10, 20), [entry(5, "c", "assess", "x")])
    verdict = _judged(lines, "a b c", budget(1, "a b"), exclusion(l="a", r="b"), order("a", "b"))
    assert verdict.ok, verdict.to_json()
    assert verdict.judged["entries"] == 9
    assert verdict.judged["machines with install"] == 2
    assert "1 of 3 machines that the plan changes were not worked on" in verdict.notes


def test_no_inventory_and_no_plan() -> None:
    """Without an inventory there is nothing to judge by; a plan of a wrong shape is a violation."""
    with pytest.raises(InventoryError):
        judge_audit([], plan(), {})
    assert _rules(judge_audit([], {}, inventory())) == ["structure"]


def test_unreadable_lines() -> None:
    """A line that can't be read is a violation."""
    assert _rules(_judged([{"at": at(0)}])) == ["audit"]


# Who is touched, and how often -------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["install", "restart", "run_command"])
def test_nothing_else_is_touched(event: str) -> None:
    """A machine that the plan doesn't change is left alone, unless it was somebody else."""
    verdict = _judged([entry(3, "x", event, "1"), entry(4, "x", event, "2")])
    assert [v.what for v in verdict.violations] == [
        f"x is not changed by the plan, and {event} was begun on it at 2026-11-22T01:03:00Z"
    ]
    assert _judged([entry(0, "x", event, "1", by="foreign"), entry(0, "x", "assess", "2")]).ok


def test_once_each() -> None:
    """A machine is worked on once; a second time only if the caller knows of it."""
    lines = audit(worked("a", 0, 10), worked("a", 20, 30))
    verdict = _judged(lines)
    (told,) = verdict.violations
    assert told.what == (
        "install was begun 2 times on a, which the plan changes once: "
        "at 2026-11-22T01:00:00Z, at 2026-11-22T01:20:00Z"
    )
    assert _judged(lines, retried={vm_id("A")}).ok


def test_complete() -> None:
    """A run that says it is complete has worked on every machine that the plan changes."""
    verdict = _judged(audit(worked("A", 0, 10)), "a b", complete=True)
    assert [(v.rule, v.machines) for v in verdict.violations] == [("complete", (vm_id("b").lower(),))]


# Budgets -----------------------------------------------------------------------------------------------------


def test_a_budget_overdrawn() -> None:
    """Work may not begin where the limit is used up; the sentence says when, who and how many."""
    rule = budget(2, "a b c", what="quorum of db")
    lines = audit(worked("a", 0, 10), worked("b", 5, 15), worked("c", 8, 9))
    (told,) = _judged(lines, "a b c", rule).violations
    assert told.what == (
        "quorum of db: at 2026-11-22T01:08:00Z work on c began with a, b out or being worked on; "
        "that is 3, and only 2 may be out at once"
    )
    assert _judged(audit(worked("a", 0, 10), worked("b", 5, 15), worked("c", 10, 11)), "a b c", rule).ok


def test_caps_are_held() -> None:
    """What a plan's waves aren't held to, a run is."""
    rule = budget(1, "a b", cap=True)
    assert _rules(_judged(audit(worked("a", 0, 10), worked("b", 5, 15)), "a b", rule)) == ["budget"]


def test_being_worked_on_counts() -> None:
    """A machine that is worked on counts although it still serves."""
    lines = audit(worked("a", 0, 100), worked("b", 10, 20))  # a goes out at 50
    assert _rules(_judged(lines, "a b", budget(1, "a b"))) == ["budget"]


def test_other_people_s_outages_count() -> None:
    """A machine that is out by itself, or by somebody else, uses up room, also one that the plan doesn't change."""
    for extra in ({}, {"by": "foreign"}):
        lines = [entry(0, "x", "out", **extra), *worked("a", 5, 6)]
        verdict = _judged(lines, "a", budget(1, "a x"))
        assert _rules(verdict) == ["budget"]
        assert "work on a began with x out" in verdict.violations[0].what
        lines.insert(1, entry(4, "x", "back"))
        assert _judged(lines, "a", budget(1, "a x")).ok


def test_a_failure_by_itself_is_nobody_s_fault() -> None:
    """A machine that fails while another is worked on overdraws a budget; only a beginning would be our fault."""
    lines = audit(worked("a", 0, 10), [entry(5, "b", "out")])
    assert _judged(lines, "a b", budget(1, "a b")).ok


def test_a_machine_that_stays_out_counts_on() -> None:
    """A machine that never came back from our work counts as long as it is out."""
    lines = [entry(0, "a", "install", "1"), entry(1, "a", "out", "1"), entry(2, "a", "install_end", "1")]
    lines += worked("b", 500, 510)
    assert _rules(_judged(lines, "a b", budget(1, "a b"))) == ["budget"]
    assert _rules(_judged(lines, "a b", budget(1, "a b"), written_off=[vm_id("a")])) == ["budget"]


def test_a_machine_that_is_out_already_costs_nothing_more() -> None:
    """Work on a machine that is out uses up nothing that it doesn't use up already."""
    lines = [entry(0, "a", "out"), entry(0, "b", "out"), *worked("a", 5, 15)]
    assert _judged(lines, "a b", budget(1, "a b")).ok


def test_a_machine_that_serves_nobody_may_be_mended() -> None:
    """Its application isn't well: work on it takes no place more, but it counts as long as it goes on, and as ever once it is well."""
    lines = [entry(0, "a", "unhealthy"), *worked("a", 5, 15), entry(20, "a", "healthy")]
    beside = entry(4, "b", "install", "b1"), entry(16, "b", "install_end", "b1")
    assert _judged(sorted([*lines, *beside], key=lambda line: str(line["at"])), "a b", budget(1, "a b")).ok
    later = [*lines, *worked("b", 30, 40), *worked("a", 35, 36)]
    assert _rules(_judged(audit(later), "a b", budget(1, "a b"), retried=[vm_id("a")])) == ["budget"]
    during = [*lines, *worked("b", 6, 8)]
    assert _rules(_judged(audit(during), "a b", budget(1, "a b"))) == ["budget"]


def test_a_machine_that_came_back_unwell_may_be_mended() -> None:
    """It serves nobody from when it went out until its application is healthy, though nothing says that it turned unhealthy."""
    lines = [*worked("a", 0, 3), entry(4, "b", "out"), *worked("a", 5, 6), entry(20, "a", "healthy")]
    assert _judged(audit(lines), "a b", budget(1, "a b"), retried=[vm_id("a")]).ok
    lines[-1] = entry(4.5, "a", "healthy")
    assert _rules(_judged(audit(lines), "a b", budget(1, "a b"), retried=[vm_id("a")])) == ["budget"]


def test_each_machine_counts_once() -> None:
    """A machine that is worked on and out is one machine."""
    lines = audit(worked("a", 0, 10), worked("b", 6, 8))  # a is out from 5 on
    assert _judged(lines, "a b", budget(2, "a b")).ok


def test_notice() -> None:
    """An outage that is not our doing is not held against a beginning before anybody could know of it."""
    lines = [entry(4.9, "x", "out"), *worked("a", 5, 6)]
    assert not _judged(lines, "a", budget(1, "a x")).ok
    assert _judged(lines, "a", budget(1, "a x"), notice=timedelta(seconds=30)).ok
    assert not _judged(lines, "a", budget(1, "a x"), notice=timedelta(seconds=6)).ok
    ours = audit(worked("b", 4.9, 6), worked("a", 5, 6))
    assert not _judged(ours, "a b", budget(1, "a b"), notice=timedelta(minutes=5)).ok
    failed = [entry(0, "b", "install", "1"), entry(4, "b", "out", "1"), entry(4.5, "b", "install_end", "1")]
    assert not _judged([*failed, *worked("a", 5, 6)], "a b", budget(1, "a b"), notice=timedelta(minutes=5)).ok


def test_many_violations_are_counted() -> None:
    """An audit that is wrong throughout is told in a few sentences and a count."""
    names = " ".join(f"m{n}" for n in range(40))
    lines = audit(*(worked(name, 0, 10) for name in names.split()))
    verdict = _judged(lines, names, budget(1, names))
    assert (len(verdict.violations), dict(verdict.untold)) == (20, {"budget": 19})


def test_max_in_flight() -> None:
    """No more operations at the same time than the plan allows."""
    changed = plan(lane("one", "a", "b"), max_in_flight=1)
    lines = audit(worked("a", 0, 10), worked("b", 5, 15))
    verdict = judge_audit(lines, changed, _fleet("a b"))
    assert [v.what for v in verdict.violations] == [
        "at 2026-11-22T01:05:00Z work on b began as number 2 at the same time; the plan allows 1"
    ]
    assert judge_audit(audit(worked("a", 0, 10), worked("b", 10, 15)), changed, _fleet("a b")).ok


# Exclusions --------------------------------------------------------------------------------------------------


def test_two_domains_at_once() -> None:
    """Work in one domain doesn't begin while we work in another."""
    lines = audit(worked("a", 0, 10), worked("b", 5, 15))
    assert "exclusion:x: at 2026-11-22T01:05:00Z work on b began (r) with a (l) not done" in (
        _judged(lines, "a b", exclusion(l="a", r="b")).violations[0].what
    )
    assert _judged(lines, "a b", exclusion(l="a b")).ok


def test_other_people_s_outages_hold_no_domain() -> None:
    """Exclusions are ours: somebody else's outage in another domain is no reason to wait."""
    lines = [entry(0, "a", "out", by="foreign"), *worked("b", 5, 15)]
    assert _judged(lines, "a b", exclusion(l="a", r="b")).ok


def test_an_unhealthy_machine_holds_its_domain() -> None:
    """A machine that didn't come back holds its domain, until a person takes it over."""
    lines = [entry(0, "a", "install", "1"), entry(1, "a", "out", "1"), entry(2, "a", "install_end", "1")]
    lines += worked("b", 500, 510)
    assert _rules(_judged(lines, "a b", exclusion(l="a", r="b"))) == ["exclusion"]
    assert _judged(lines, "a b", exclusion(l="a", r="b"), written_off={vm_id("A")}).ok


def test_a_domain_begun_is_finished() -> None:
    """A domain is not left and taken up again."""
    lines = audit(worked("a", 0, 1), worked("b", 2, 3), worked("c", 4, 5))
    verdict = _judged(lines, "a b c", exclusion(l="a c", r="b"))
    (told,) = verdict.violations
    assert told.what == (
        "exclusion:x: work on b (r) began at 2026-11-22T01:02:00Z, when c (l) of the same stage broad was still "
        "to be done; a domain begun is finished first"
    )
    assert _judged(lines, "a b c", exclusion(l="a b", r="c")).ok
    assert _judged(lines[:8], "a b c", exclusion(l="a c", r="b")).ok  # c was left out


def test_a_retry_may_come_later() -> None:
    """A retry after its domain was left breaks nothing, if no other domain is being worked on."""
    lines = audit(worked("a", 0, 1), worked("c", 1, 2), worked("b", 2, 3), worked("a", 4, 5))
    assert _judged(lines, "a b c", exclusion(l="a c", r="b"), retried=[vm_id("a")]).ok
    lines = audit(worked("a", 0, 1), worked("b", 2, 5), worked("a", 4, 6))
    assert not _judged(lines, "a b", exclusion(l="a", r="b"), retried=[vm_id("a")]).ok


def test_one_domain_may_begin_the_moment_the_other_ends() -> None:
    """Of two domains that end at the same moment, the one that began earlier came first."""
    lines = [
        entry(0, "a", "install", "1"),
        entry(1, "a", "out", "1"),
        entry(5, "a", "back", "1"),
        entry(5, "b", "install", "2"),  # over at once, for all that the audit tells
    ]
    assert _judged(lines, "a b", exclusion(l="b", r="a")).ok


def test_orders_may_cut_domains_in_a_run_too() -> None:
    """What excuses a plan from finishing a domain in one go excuses its run."""
    lines = audit(worked("d1", 0, 1), worked("d2", 2, 3), worked("w1", 4, 5), worked("w2", 6, 7))
    zones = exclusion("zones", z1="d1 w1", z2="d2 w2")
    verdict = _judged(lines, "d1 d2 w1 w2", zones, order("d1 d2", "w1 w2"))
    assert verdict.ok, verdict.to_json()
    assert any("finished part by part, because of order:o" in note for note in verdict.notes)
    assert not _judged(lines, "d1 d2 w1 w2", zones).ok


# Orders and stages -------------------------------------------------------------------------------------------


def test_orders() -> None:
    """Whoever comes first is done before anyone who comes then begins."""
    early = audit(worked("b", 0, 5), worked("a", 5, 10))
    (told,) = _judged(early, "a b", order("a", "b")).violations
    assert told.what == (
        "order:o: work on b began at 2026-11-22T01:00:00Z; a had to be done and well before, and was "
        "at 2026-11-22T01:10:00Z"
    )
    assert _judged(audit(worked("a", 0, 5), worked("b", 5, 10)), "a b", order("a", "b")).ok
    assert not _judged(audit(worked("a", 0, 5), worked("b", 4, 10)), "a b", order("a", "b")).ok
    assert _judged(audit(worked("b", 0, 5)), "a b", order("a", "b")).ok  # a was left out


def test_an_unhealthy_predecessor_blocks() -> None:
    """A machine that stays out after its work holds back whoever comes then, until a person takes it over."""
    lines = [entry(0, "a", "install", "1"), entry(1, "a", "out", "1"), entry(2, "a", "install_end", "1")]
    lines += worked("b", 5, 10)
    assert "and never was" in _judged(lines, "a b", order("a", "b")).violations[0].what
    assert _judged(lines, "a b", order("a", "b"), written_off=[vm_id("a")]).ok


def _two_stages(lines: list[Line], *constraints: Line) -> Verdict:
    lanes = [lane("one", "a", stage="canary"), lane("two", "b c")]
    return judge_audit(
        lines, plan(*lanes, stages=("canary", "broad"), constraints=constraints), _fleet("a b c")
    )


def test_stages_are_barriers() -> None:
    """A stage begins when the work of the one before is over."""
    verdict = _two_stages(audit(worked("a", 0, 10), worked("b", 9, 20)))
    assert [(v.rule, v.what) for v in verdict.violations] == [
        (
            "stage",
            "stage broad began at 2026-11-22T01:09:00Z with b, when work on a of stage canary was not over",
        )
    ]
    assert _two_stages(audit(worked("a", 0, 10), worked("b", 10, 20))).ok
    assert not _two_stages(audit(worked("b", 0, 5), worked("a", 6, 7))).ok


def test_a_machine_that_stays_out_is_for_stop_when() -> None:
    """A machine of the canary whose operation is over and that stays out doesn't hold the next stage by itself."""
    lines = [entry(0, "a", "install", "1"), entry(1, "a", "out", "1"), entry(2, "a", "install_end", "1")]
    assert _two_stages([*lines, *worked("b", 5, 10)]).ok


def test_orders_hold_within_a_stage() -> None:
    """Between stages an order asks for nothing."""
    assert _two_stages(audit(worked("a", 0, 1), worked("b", 2, 3)), order("b", "a")).ok


# The floor ---------------------------------------------------------------------------------------------------


def _floor(lines: list[Line], *machines: Line, **more: Any) -> Verdict:
    names = [machine["name"] for machine in machines]
    replaces = more.pop("replaces", [])
    return judge_audit(lines, plan(lane("one", *names), replaces=replaces), inventory(*machines, **more))


def test_the_share_of_a_subscription() -> None:
    """At most 20 % of a subscription's machines in a region that are in no set are out at once."""
    machines = [vm(f"m{n}") for n in range(10)]
    two = audit(worked("m0", 0, 10), worked("m1", 0, 10))
    assert _floor(two, *machines).ok
    verdict = _floor([*two, *worked("m2", 5, 6)], *machines)
    assert _rules(verdict) == ["subscription-share"]
    assert verdict.violations[0].what.startswith("20 % of 10 machines of subscription 5ub")
    elsewhere = [*machines[:9], vm("m9", location="eastus")]
    assert _rules(_floor(two, *elsewhere)) == ["subscription-share"]
    off = [*machines[:9], vm("m9", power="stopped")]
    assert _rules(_floor(two, *off)) == ["subscription-share"]


def test_sets_zones_and_pairs() -> None:
    """The other rules of the floor hold for what really happened as they do for the plan."""
    both = audit(worked("a", 0, 10), worked("b", 5, 15))
    in_set = [vm(name, availability_set=set_id("s"), update_domain=n) for n, name in enumerate("ab")]
    assert set(_rules(_floor(both, *in_set))) == {"set-share", "update-domain"}
    zones = [vm(name, zone=str(n), subscription=name) for n, name in enumerate("ab")]
    assert _rules(_floor(both, *zones)) == ["zone"] * 2
    pair = [vm("a", location="eastus"), vm("b", location="westus")]
    assert set(_rules(_floor(both, *pair, locations=[location("eastus", "westus")]))) == {"region-pair"}
    assert _floor(audit(worked("a", 0, 10), worked("b", 10, 15)), *in_set).ok


def test_members_that_were_off_don_t_count() -> None:
    """A member that was off is none, also if it was started and went out again meanwhile."""
    in_set = [vm(name, availability_set=set_id("s"), update_domain=0) for name in "ab"]
    in_set[0]["power"] = "stopped"
    lines = [entry(0, "a", "out"), *worked("b", 5, 15)]
    verdict = judge_audit(lines, plan(lane("one", "b")), inventory(*in_set))
    assert verdict.ok, verdict.to_json()


def test_a_region_begun_is_finished() -> None:
    """A region is not left and taken up again after its pair."""
    machines = [vm("a", location="eastus"), vm("b", location="westus"), vm("c", location="eastus")]
    lines = audit(worked("a", 0, 1), worked("b", 2, 3), worked("c", 4, 5))
    verdict = _floor(lines, *machines, locations=[location("eastus", "westus")])
    assert _rules(verdict) == ["region-pair"]


def test_a_replaced_floor() -> None:
    """A plan that says that a policy replaces the floor is told, and not blamed."""
    both = audit(worked("a", 0, 10), worked("b", 5, 15))
    zones = [vm(name, zone=str(n), subscription=name) for n, name in enumerate("ab")]
    verdict = _floor(both, *zones, replaces=["availability-first"])
    assert verdict.ok
    assert "the floor is not held against this plan" in " ".join(verdict.notes)
