"""What settles an unsettled start on a machine of Arc, and what is waited for after its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.cloud.graph import RATE_LIMITED
from orchestrator.cloud.port import Ended, Target, View
from orchestrator.errors import AccessDenied, CloudError, CloudTransient
from orchestrator.executor.hybrid import began_since, is_hybrid, with_found, with_patches
from orchestrator.inventory.model import Agent, AppHealth, Kind, Os, Power, machine_id
from tests.builders import NOON, lane, plan_of
from tests.fleet import SUBSCRIPTION, arc_id
from tests.unit.executor.doors import Doors
from tests.virtual import virtual

SITE = Target(
    machine_id(arc_id("site1")),
    arc_id("site1"),
    "site1",
    SUBSCRIPTION,
    "rg-site",
    "westeurope",
    Kind.ARC,
    Os.WINDOWS,
)
NOT_AFTER = NOON + timedelta(seconds=60)
"""Of an intent at noon."""

COUNTED = Ended(True, {"installationActivityId": "a1", "installedPatchCount": 2, "pendingPatchCount": 1})


def doors() -> Doors:
    """The doors to any world."""
    return Doors(plan_of(lane("west", "a")))


def seen(began: datetime | None) -> View:
    """A view whose last run began then."""
    return View(Power.RUNNING, Agent.READY, AppHealth.NONE, "a1", "Succeeded", installation_began=began)


@virtual
async def test_a_run_that_began_before_the_intent_is_not_ours() -> None:
    """It is new to us, and came to be known late; two minutes are given to clocks."""
    services = doors().services
    told = {
        minutes: began_since(services, seen(NOON + timedelta(minutes=minutes)), NOT_AFTER)
        for minutes in (-10, -3, -1, 0, 5)
    }
    assert told == {-10: False, -3: False, -1: True, 0: True, 5: True}


@virtual
async def test_a_run_that_tells_no_start_proves_nothing() -> None:
    """Nobody can say whether it began before."""
    assert not began_since(doors().services, seen(None), NOT_AFTER)


def test_who_is_of_another_provider() -> None:
    """Machines of Arc and of Azure Local are."""
    assert is_hybrid(SITE)


class Told:
    """A Resource Graph that comes to know, a row at a time."""

    def __init__(self, here: Doors, *answers: int | CloudError) -> None:
        self.answers = list(answers)
        self.asked = 0
        here.services.cloud.patches_of = self.patches  # type: ignore[method-assign]  # in place of the world's
        here.services.cloud.patches_found = self.patches  # type: ignore[method-assign,assignment]

    async def patches(self, _target: Target, _activity: str) -> Sequence[Mapping[str, Any]]:
        """So many rows as are known by now."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CloudError):
            raise answer
        return [{"kbId": str(number)} for number in range(answer)]


@virtual
async def test_rows_are_waited_for_until_all_are_there() -> None:
    """As many as the result counts."""
    here = doors()
    told = Told(here, 0, 2, 3)
    ended = await with_patches(here.services, SITE, COUNTED)
    assert [patch["kbId"] for patch in ended.result["patches"]] == ["0", "1", "2"]
    assert (told.asked, here.passed) == (3, timedelta(minutes=1))


@virtual
async def test_rows_that_never_come_are_done_without() -> None:
    """After a while the result is told as far as it goes."""
    here = doors()
    Told(here, 0)
    assert await with_patches(here.services, SITE, COUNTED) == COUNTED
    assert here.passed == here.services.settings.patches_for


@pytest.mark.parametrize(
    ("trouble", "asked"),
    [(AccessDenied("no"), 1), (CloudTransient("slow down", code=RATE_LIMITED, retry_after_s=5.0), 2)],
    ids=["denied", "throttled"],
)
def test_trouble(trouble: CloudError, asked: int) -> None:
    """Who may not read them does without at once; a quota that is used up is waited for."""

    @virtual
    async def scenario() -> None:
        here = doors()
        told = Told(here, trouble, 3)
        ended = await with_found(
            here.services, SITE, Ended(True, {**COUNTED.result, "assessmentActivityId": "b1"})
        )
        assert told.asked == asked
        assert ("availablePatches" in ended.result) == (asked > 1)

    scenario()


@virtual
async def test_nothing_to_wait_for() -> None:
    """A result that counts nothing has an empty list; one that counts not at all, none."""
    here = doors()
    told = Told(here, 3)
    ended = await with_found(
        here.services, SITE, Ended(True, {"assessmentActivityId": "b1", "otherPatchCount": 0})
    )
    assert ended.result["availablePatches"] == []
    failed = Ended(True, {"assessmentActivityId": "b1", "status": "Failed"})
    assert await with_found(here.services, SITE, failed) == failed
    assert told.asked == 0
