"""Compliance from the journal of a rollout that has really run."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.reports.compliance_model import State, Why
from orchestrator.service.compliance import compliance, past
from orchestrator.service.look import look_back
from tests.simulation.reference import reference
from tests.virtual import START, Stage, virtual


@virtual
async def test_a_rollout_that_ended_is_looked_back_on() -> None:
    """Of a rollout that is over the fold keeps only its end: its machines are read again, with when each was done and what failed."""
    stage = Stage.of(await reference(), "- install_fails: {machines: [a2], code: '0x80070643'}")
    await stage.run()
    journal = await stage.journal()
    remembered = await look_back(journal, START - timedelta(days=1))
    assert (await look_back(journal, START + timedelta(days=1))).rollouts == ()
    now, month_long = stage.clock.now(), timedelta(days=30)
    told = compliance(stage.script.fleet, past(remembered, now, month_long), [], now, month_long)
    (month,) = told.months
    assert (month.month, month.machines, month.done, month.failed) == ("2026-11", 8, 7, 1)
    assert month.last_days is not None
    assert 11.0 < month.last_days < 12.5
    failed = next(one for one in told.machines if one.name == "a2")
    assert (failed.state, failed.why) == (State.UNKNOWN, Why.FAILED)
    assert "0x80070643" in failed.reason
