"""The unmodified Azure SDK client for Arc against the emulator, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.server import Emulator
from orchestrator.inventory.model import Agent, Connection, Kind, Os, resource_id
from tests.fleet import SUBSCRIPTION, arc, arc_id, inventory, vm

pytestmark = pytest.mark.wire

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
SCALE = 20_000  # an installation takes milliseconds
GROUP = "rg-site"
OVER_HTTP: dict[str, Any] = {"enforce_https": False, "retry_total": 0}
BODY = {
    "maximumDuration": "PT4H",
    "rebootSetting": "IfRequired",
    "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
}
CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.AzureStackHCI/clusters/nl"
FLEET = inventory(
    *(arc(f"site{n}", tags={"site": "nl"}) for n in range(5)),
    arc("local1", kind=Kind.AZURE_LOCAL, cluster=resource_id(CLUSTER)),
    arc("linux1", os=Os.LINUX),
    arc("away1", agent=Agent.NOT_READY, connection=Connection.DISCONNECTED),
    vm("web01"),
)


class Identity:
    """A credential that the emulator takes as any other."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token that outlives the test."""
        return AccessToken("anything", 4_102_444_800)

    async def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def served(*faults: str, **options: Any) -> AsyncIterator[HybridComputeManagementClient]:
    """An SDK client of an emulator with these faults."""
    wrong = parse_faults("version: 1\nfaults: [" + ", ".join(faults) + "]", "test")
    emulator = Emulator(FLEET, start=START, time_scale=SCALE, faults=wrong, seed=1, **options)
    async with (
        emulator,
        HybridComputeManagementClient(
            Identity(), SUBSCRIPTION, base_url=emulator.url, polling_interval=0
        ) as client,
    ):
        yield client


async def test_machines_are_listed_page_by_page() -> None:
    """The client follows `nextLink` to the last machine, and its models hold what Azure tells of each."""
    async with served(page_size=3) as client:
        listed = {
            machine.name: machine async for machine in client.machines.list_by_subscription(**OVER_HTTP)
        }

    assert sorted(listed) == ["away1", "linux1", "local1", *(f"site{n}" for n in range(5))]
    assert listed["site0"].tags == {"site": "nl"}
    assert (listed["site0"].properties.status, listed["away1"].properties.status) == (
        "Connected",
        "Disconnected",
    )
    assert (listed["local1"].kind, listed["local1"].properties.parent_cluster_resource_id) == (
        "HCI",
        CLUSTER.lower(),
    )
    assert listed["linux1"].properties.os_type == "linux"


async def test_one_machine() -> None:
    """By its name; one that isn't there is not found."""
    async with served() as client:
        assert (await client.machines.get(GROUP, "site1", **OVER_HTTP)).id == arc_id("site1")
        with pytest.raises(ResourceNotFoundError):
            await client.machines.get(GROUP, "nobody", **OVER_HTTP)


async def test_an_installation_is_followed_to_its_end() -> None:
    """The SDK's own poller follows the Location through its 202s to a result that names no patch."""
    async with served() as client:
        poller = await client.machines.begin_install_patches(GROUP, "site1", BODY, **OVER_HTTP)
        result = await poller.result()

    assert (result.status, result.failed_patch_count, result.error_details) == ("Succeeded", 0, None)
    assert result.installed_patch_count > 0
    assert (result.started_by, result.os_type, result.patch_service_used) == ("User", "Windows", "WU")
    assert result.installation_activity_id
    assert "patches" not in result.as_dict()


async def test_an_assessment_is_followed_to_its_end() -> None:
    """Counts by classification, through the SDK's own models."""
    async with served() as client:
        result = await (await client.machines.begin_assess_patches(GROUP, "linux1", **OVER_HTTP)).result()

    assert result.status == "Succeeded"
    assert result.available_patch_count_by_classification.security > 0
    assert result.patch_service_used == "APT"


async def test_what_is_refused() -> None:
    """A body without a duration, a machine that is away, a second operation."""
    async with served("install_never_ends: {}") as client:
        short = {key: value for key, value in BODY.items() if key != "maximumDuration"}
        with pytest.raises(HttpResponseError) as raised:
            await client.machines.begin_install_patches(GROUP, "site1", short, **OVER_HTTP)
        assert (raised.value.status_code, raised.value.error.code) == (400, "InvalidParameter")
        with pytest.raises(ResourceExistsError):  # what the SDK makes of any 409
            await client.machines.begin_install_patches(GROUP, "away1", BODY, **OVER_HTTP)
        await client.machines.begin_install_patches(GROUP, "site1", BODY, polling=False, **OVER_HTTP)
        with pytest.raises(ResourceExistsError):
            await client.machines.begin_install_patches(GROUP, "site1", BODY, **OVER_HTTP)


async def test_a_run_that_failed_says_so_in_its_result() -> None:
    """The operation succeeds, the result is Failed, and `errorDetails` says why."""
    async with served("install_fails: {code: '0x80070643'}") as client:
        result = await (
            await client.machines.begin_install_patches(GROUP, "site1", BODY, **OVER_HTTP)
        ).result()

    assert result.status == "Failed"
    assert result.error_details.details[0].code == "0x80070643"
