"""Budgets of restarts: machines that stay up take no place of them, unless they go down."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.verify.audit import judge_audit
from orchestrator.verify.plan import judge_plan
from tests.unit.verify.documents import audit, budget, entry, ids, inventory, lane, plan, vm, worked

Line = dict[str, Any]


def document(limit: int, *waves: str) -> Line:
    """A plan in which a, b and c stay up, d and e restart; one of all five may restart, or as many as `limit`."""
    rule = budget(limit, "d e", restarts=True, spared=ids("a b c"))
    made = plan(lane("one", *waves), constraints=[rule])
    made["change"] = {"kind": "patches", "reboot": "never"}
    for name in "abc":
        made["machines"][ids(name)[0]]["restart"] = "never"
    return made


def test_a_wave_counts_those_that_restart() -> None:
    """Three that stay up go with one that restarts, and not with two."""
    assert judge_plan(document(1, "a b c d", "e")).ok
    assert not judge_plan(document(1, "a b c d e")).ok


@pytest.mark.parametrize("change", [{"kind": "patches", "reboot": "if_required"}, {"kind": "restart"}, None])
def test_nobody_is_spared_by_a_change_that_may_restart(change: Line | None) -> None:
    """The plan's own word for it isn't enough."""
    made = {**document(1, "a b c d", "e"), "change": change}
    assert {violation.rule for violation in judge_plan(made).violations} == {"structure"}


@pytest.mark.parametrize(("reboot", "ok"), [("never", True), ("if_required", False), ("always", False)])
def test_an_installation_of_its_own_that_may_not_restart_the_machine_spares_it(reboot: str, ok: bool) -> None:
    """Though the plan's may restart others; and the other way round."""
    made = {**document(1, "a b c d", "e"), "change": {"kind": "patches", "reboot": "if_required"}}
    for name in "abc":
        made["machines"][ids(name)[0]]["reboot"] = reboot
    assert judge_plan(made).ok is ok
    made["change"] = {"kind": "patches", "reboot": "never"}
    assert judge_plan(made).ok is ok


def test_only_a_budget_of_restarts_spares() -> None:
    """Of any other all members count."""
    made = document(1, "a b c d", "e")
    del made["constraints"][0]["restarts"]
    assert {violation.rule for violation in judge_plan(made).violations} == {"structure", "budget"}


def hotpatched(name: str, begin: float, end: float) -> list[Line]:
    """Worked on, and never out."""
    return [entry(begin, name, "install", f"op-{name}"), entry(end, name, "install_end", f"op-{name}")]


def judged(*lines: list[Line]) -> bool:
    """Whether a rollout of it kept to its rules."""
    machines = inventory(*(vm(name) for name in "abcde"))
    made = document(1, "a b c d", "e")
    found = judge_audit(audit(*lines), made, machines).violations
    return "budget" not in {violation.rule for violation in found}


def test_work_on_who_stays_up_takes_no_place() -> None:
    """While d restarts, the others are worked on."""
    assert judged(worked("d", 0, 9), hotpatched("a", 1, 8), hotpatched("b", 2, 8))
    assert not judged(worked("d", 0, 9), worked("e", 1, 8))


def test_who_goes_down_takes_a_place_whatever_was_said_of_it() -> None:
    """A restart that nobody predicted, or somebody else's outage: nobody restarts beside it."""
    down = [entry(3, "a", "out"), entry(7, "a", "back")]
    assert not judged([*hotpatched("a", 1, 8), *down], worked("d", 5, 9))
    assert judged([*hotpatched("a", 1, 8), *down], worked("d", 7.5, 9))
    assert judged([*hotpatched("a", 1, 8), *down], hotpatched("b", 5, 9))
