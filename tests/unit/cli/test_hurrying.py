"""`rollout --emergency`: named before anything starts, asked about, and never said twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.cli.hurrying import STAYS, emergency_reason
from orchestrator.cli.rollout import Wanted, _hurry
from orchestrator.errors import Refused, UsageError
from orchestrator.planner.durations import Durations
from orchestrator.service.look import look
from orchestrator.service.verbs import carry_out, command
from orchestrator.store.memory import MemoryJournal
from tests.simulation.reference import reference
from tests.simulation.test_holds import FROZEN
from tests.virtual import Stage, virtual


def wanted(*, yes: bool, emergency: str = "CVE-1") -> Wanted:
    """What was typed."""
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "plan",
            "source",
            "campaign",
            "change",
            "select",
            "endpoint",
            "time_scale",
            "webhooks",
            "assess",
            "calendar",
        )
    )
    return Wanted(
        **nothing,
        policies=(),
        journal=Path("j.db"),
        reason="",
        yes=yes,
        accept_drift=False,
        durations=Durations(),
        queue=False,
        verbose=False,
        as_json=False,
        emergency=emergency,
    )


async def hurry(stage: Stage, *, yes: bool = True) -> None:
    """What the command does between its plan and its beginning."""
    cloud: Any = SimpleNamespace(clock=stage.clock)
    await _hurry(wanted(yes=yes), cloud, MemoryJournal(stage.disk), stage.script.plan)


def test_what_it_shortens_is_named_and_needs_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is at the terminal, so nothing begins; with --yes it does, and all is named just the same."""

    @virtual
    async def ask() -> None:
        stage = Stage.of(await reference(FROZEN))
        with pytest.raises(Refused, match=r"nobody is here to say yes: give --yes$"):
            await hurry(stage, yes=False)
        await hurry(stage)

    ask()
    told = capsys.readouterr().err
    assert told.count("EMERGENCY: CVE-1") == 2
    assert told.count("freeze `stocktaking` until 2026-11-26 00:00 UTC (policies/1.yaml:5): 8 machines") == 2
    assert told.count(STAYS) == 2


@virtual
async def test_of_a_rollout_that_goes_on_it_is_declared_by_itself() -> None:
    """The same command goes on where that was done, as it does after a kill."""
    stage = Stage.of(await reference(FROZEN))
    rollout = await stage.run()
    with pytest.raises(Refused, match=f"goes on already; say it of that: wavekeeper emergency {rollout.id}"):
        await hurry(stage)
    journal = MemoryJournal(stage.disk)
    wanted_now = command(await look(journal), "emergency", None, "ada", "CVE-1")
    await carry_out(journal, wanted_now, stage.clock.now(), "ada")
    await hurry(stage, yes=False)


def test_a_reason_is_asked_for() -> None:
    """One that says something."""
    assert (emergency_reason(None), emergency_reason("CVE-1")) == ("", "CVE-1")
    with pytest.raises(UsageError, match="say why it is an emergency"):
        emergency_reason(" ")
