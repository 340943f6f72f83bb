"""A plan handed over: once a key, also when by then it could not be any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.access.model import Grant, Person, Reach, Role
from tests.desk import Office, office
from tests.simulation.reference import reference

ANNA = Person("anna", (Grant(Role.ADMIN, Reach(tags=(("app", ("a", "b")),))),), "anna")


async def hand_over(there: Office, key: str) -> tuple[int, Any]:
    """The desk's plan, as anna."""
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    how = {"params": {"reason": "today"}, "data": there.desk.script.plan, "headers": headers}
    return await there.ask("POST", "/rollouts", "anna", **how)


async def test_who_asks_again_is_answered_as_before_whatever_the_fleet_is_by_then(tmp_path: Path) -> None:
    """One of its machines isn't theirs any more; to start another is not theirs, either."""
    async with office(await reference(), tmp_path, ANNA) as there:
        first = await hand_over(there, "k1")
        assert first[0] == 200
        fleet = there.desk.script.fleet
        moved = (replace(one, tags={}) if one.name == "a1" else one for one in fleet.machines)
        there.desk.script = replace(there.desk.script, fleet=replace(fleet, machines=tuple(moved)))
        assert await hand_over(there, "k1") == first
        assert (await hand_over(there, "k2"))[0] == 403
        assert len(there.desk.scope.rollouts) == 1
