"""Having one machine assess: what is asked again, what isn't, and what an end means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.cloud.port import Ended
from orchestrator.executor.assessing import Assessed, assess_machine, judged
from orchestrator.executor.services import target_of
from orchestrator.inventory.model import Os, Power
from tests.builders import lane, plan_of
from tests.fleet import vm
from tests.unit.executor.doors import Doors
from tests.virtual import virtual


def doors(faults: str = "") -> Doors:
    """Two Linux machines."""
    return Doors(plan_of(lane("west", "a b")), faults)


async def assessed(here: Doors, name: str = "a", *, counts_do: bool = False) -> Assessed:
    """What comes of asking the machine."""
    return await assess_machine(
        here.services, target_of(vm(name, os=Os.LINUX)), "key", None, counts_do=counts_do
    )


@virtual
async def test_a_machine_tells_what_it_lacks() -> None:
    """Package by package, in the versions that it would come to."""
    got = await assessed(doors())

    assert got.found is not None
    assert got.found.updates is not None
    assert got.found.reboot_pending is False
    assert [(update.name, update.version) for update in got.found.updates][:2] == [
        ("libcurl4", "7.81.0-1ubuntu1.22"),
        ("linux-headers-azure", "6.8.0-1044.50~22.04.1"),
    ]


@virtual
async def test_too_many_requests_are_waited_for() -> None:
    """As long as the cloud says, for the whole queue, and no try is lost by it."""
    here = doors("- throttle: {on: [assess], times: 5, retry_after: 600}")
    got = await assessed(here)

    assert got.found is not None
    assert timedelta(seconds=5 * 600) < here.passed < timedelta(seconds=5 * 660 + 600)


@virtual
async def test_a_refusal_that_lasts_is_not_asked_again() -> None:
    """A machine that is off refuses at once."""
    here = doors("- goes_off: {machines: [a], at: 0s}")
    await here.clock.sleep(1)
    got = await assessed(here)

    assert (got.found, got.code, got.lasting) == (None, "OperationNotAllowed", True)
    assert here.passed < timedelta(seconds=30)


@virtual
async def test_an_answer_that_was_lost_is_asked_for_again() -> None:
    """Once the first assessment shows in the view: which updates there are, an answer alone tells."""
    got = await assessed(doors("- lost_answer: {on: [assess], times: 1}"))

    assert got.found is not None
    assert got.found.updates is not None


@virtual
async def test_counts_are_enough_where_they_do() -> None:
    """Then the view is the answer, and nothing is asked again."""
    here = doors("- lost_answer: {on: [assess], times: 1}")
    got = await assessed(here, counts_do=True)

    assert got.found is not None
    assert got.found.updates is None
    assert got.found.critical_and_security == 4
    assert here.events("a", "assess_end") == 1


@virtual
async def test_an_error_that_stays_is_given_up() -> None:
    """After three tries, half a minute apart: no more than Azure takes of one machine."""
    here = doors("- server_error: {on: [assess]}")
    got = await assessed(here)

    assert (got.found, got.code) == (None, "Unsettled")


def ended(
    result: dict[str, Any] | None = None, code: str = "", message: str = "", *, succeeded: bool = True
) -> Ended:
    """An operation's end."""
    return Ended(succeeded, result or {}, code, message)


@pytest.mark.parametrize(
    ("end", "code", "lasting"),
    [
        (
            ended(
                code="VMGuestPatchInternalError",
                message="An internal execution error occurred.",
                succeeded=False,
            ),
            "VMGuestPatchInternalError",
            False,
        ),
        (
            ended(
                code="Strange",
                message="The operation did not return a response and should be retried.",
                succeeded=False,
            ),
            "Strange",
            False,
        ),
        (
            ended(code="VMAgentStatusCommunicationError", message="no agent", succeeded=False),
            "VMAgentStatusCommunicationError",
            True,
        ),
        (ended(code="SomethingNew", message="?", succeeded=False), "SomethingNew", True),
        (
            ended(
                {
                    "status": "Failed",
                    "error": {
                        "code": "1",
                        "details": [{"code": "PACKAGE_MANAGER_FAILURE", "message": "apt"}],
                    },
                }
            ),
            "PACKAGE_MANAGER_FAILURE",
            True,
        ),
        (
            ended({"status": "Failed", "error": {"code": "0x8024402C", "message": "no network"}}),
            "0x8024402C",
            True,
        ),
        (ended({"status": "Unknown"}), "status Unknown", True),
        (ended(), "status Unknown", True),
    ],
)
def test_what_an_end_without_a_list_means(end: Ended, code: str, *, lasting: bool) -> None:
    """The operation's success isn't the assessment's; what passes is asked again, what nobody knows isn't."""
    got = judged(end)

    assert (got.found, got.code, got.lasting) == (None, code, lasting)
    assert got.message


@pytest.mark.parametrize("status", ["Succeeded", "CompletedWithWarnings"])
def test_an_end_with_a_list(status: str) -> None:
    """A machine that lacks nothing says so; one that told fewer than it counted told nothing."""
    whole = {
        "status": status,
        "criticalAndSecurityPatchCount": 0,
        "otherPatchCount": 0,
        "availablePatches": [],
    }
    got, short = judged(ended(whole)), judged(ended({**whole, "otherPatchCount": 1}))

    assert got.found is not None
    assert got.found.updates == ()
    assert short.found is not None
    assert short.found.updates is None


def test_power_is_not_the_assessments_business() -> None:
    """A target is made of a machine of an inventory as of a plan's."""
    machine = vm("a", os=Os.LINUX, power=Power.STOPPED)

    assert target_of(machine).resource_group == machine.resource_group
