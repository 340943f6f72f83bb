"""The unmodified Azure SDK client against the emulator, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from azure.mgmt.compute.aio import ComputeManagementClient

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.server import Emulator
from orchestrator.inventory.model import AppHealth, Image, Inventory, Machine, Os
from tests.fleet import SUBSCRIPTION, arm_id, flex_id, inventory, set_id, vm

pytestmark = pytest.mark.wire

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
YEAR_2100 = 4_102_444_800
SCALE = 20_000  # an installation takes milliseconds
GROUP = "rg-shop"
OVER_HTTP: dict[str, Any] = {
    "enforce_https": False,
    "retry_total": 0,
}  # the client sends a token only if told so
BODY = {
    "maximumDuration": "PT4H",
    "rebootSetting": "IfRequired",
    "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
}


class Identity:
    """A credential that the emulator takes as any other."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token that outlives the test."""
        return AccessToken("anything", YEAR_2100)

    async def close(self) -> None:
        """Nothing is held."""


def windows(name: str, **facts: Any) -> Machine:
    """A Windows machine with an application health extension."""
    image = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")
    return vm(name, os=Os.WINDOWS, image=image, app_health=AppHealth.HEALTHY, **facts)


def fleet() -> Inventory:
    """Machines in an availability set, in a Flexible set and in none."""
    return inventory(
        *(windows(f"web{n}", availability_set=set_id("as-web")) for n in range(7)),
        *(windows(f"flex{n}", scale_set=flex_id("flex"), zone=str(n + 1)) for n in range(3)),
        windows("alone", tags={"app": "shop"}),
    )


@asynccontextmanager
async def served(
    *faults: str, scale: float = SCALE, **options: Any
) -> AsyncIterator[ComputeManagementClient]:
    """An SDK client of an emulator with these faults."""
    text = "version: 1\nfaults: [" + ", ".join(faults) + "]"
    emulator = Emulator(
        fleet(), start=START, time_scale=scale, faults=parse_faults(text, "test"), seed=1, **options
    )
    async with (
        emulator,
        ComputeManagementClient(
            Identity(), SUBSCRIPTION, base_url=emulator.url, polling_interval=0
        ) as client,
    ):
        yield client


async def test_machines_are_listed_page_by_page() -> None:
    """The client follows `nextLink` to the last machine."""
    async with served(page_size=3) as client:
        listed = [machine async for machine in client.virtual_machines.list_all(**OVER_HTTP)]

    assert sorted(machine.id for machine in fleet().machines) == [machine.id.lower() for machine in listed]
    alone = next(machine for machine in listed if machine.name == "alone")
    assert alone.tags == {"app": "shop"}
    assert alone.storage_profile.os_disk.os_type == "Windows"


async def test_status_only_lists_instance_views() -> None:
    """Each machine comes with its instance view, over pages too."""
    async with served(page_size=4) as client:
        listed = [m async for m in client.virtual_machines.list_all(status_only="true", **OVER_HTTP)]

    assert len(listed) == len(fleet().machines)
    assert {"PowerState/running"} == {machine.instance_view.statuses[1].code for machine in listed}
    assert {"HealthState/healthy"} == {machine.instance_view.vm_health.status.code for machine in listed}


async def test_an_instance_view_deserialises() -> None:
    """Domains, agent and health come through the SDK's own models."""
    async with served() as client:
        view = await client.virtual_machines.instance_view(GROUP, "web6", **OVER_HTTP)

    assert (view.platform_update_domain, view.vm_agent.statuses[0].display_status) == (1, "Ready")


async def test_sets_deserialise() -> None:
    """Availability sets and scale sets come through the SDK's own models."""
    async with served() as client:
        sets = [one async for one in client.availability_sets.list_by_subscription(**OVER_HTTP)]
        one = await client.availability_sets.get(GROUP, "as-web", **OVER_HTTP)
        flexible = [one async for one in client.virtual_machine_scale_sets.list_all(**OVER_HTTP)]

    assert [arm_id("as-web", "availabilitySets").lower()] == [each.id.lower() for each in sets]
    assert (one.platform_update_domain_count, len(one.virtual_machines)) == (5, 7)
    assert [(each.name, each.orchestration_mode) for each in flexible] == [("flex", "Flexible")]


async def test_an_installation_is_followed_to_its_end() -> None:
    """The client polls the signed URL as it was given, fetches the result, and the instance view shows the same run."""
    async with served() as client:
        poller = await client.virtual_machines.begin_install_patches(GROUP, "web0", BODY, **OVER_HTTP)
        result = await poller.result()
        view = await client.virtual_machines.instance_view(GROUP, "web0", **OVER_HTTP)

    assert (result.status, result.failed_patch_count, result.error.code) == ("Succeeded", 0, "Success")
    assert result.installed_patch_count > 0
    summary = view.patch_status.last_patch_installation_summary
    assert (summary.installation_activity_id, summary.status) == (
        result.installation_activity_id,
        "Succeeded",
    )


async def test_a_poller_is_resumed_from_its_token(tmp_path: Path) -> None:
    """A token of 9 kB carries the signed URLs; resuming from it starts nothing again."""
    audit = tmp_path / "audit.jsonl"
    async with served(audit_path=audit) as client:
        first = await client.virtual_machines.begin_install_patches(GROUP, "web0", BODY, **OVER_HTTP)
        token = first.continuation_token()
        again = await client.virtual_machines.begin_install_patches(
            GROUP, "web0", BODY, continuation_token=token, **OVER_HTTP
        )
        results = [await again.result(), await first.result()]

    assert len(token) > 9000
    assert audit.read_text(encoding="utf-8").count('"event":"install",') == 1
    assert results[0].installation_activity_id == results[1].installation_activity_id


async def test_an_assessment_lists_patches() -> None:
    """The result has every patch with its reboot behavior."""
    async with served() as client:
        poller = await client.virtual_machines.begin_assess_patches(GROUP, "web1", **OVER_HTTP)
        result = await poller.result()

    assert result.status == "Succeeded"
    assert result.critical_and_security_patch_count > 0
    assert {"CanRequestReboot", "NeverReboots"} >= {
        patch.reboot_behavior for patch in result.available_patches
    }


async def test_a_signed_url_comes_back_to_the_byte() -> None:
    """The client's pipeline alters nothing in 3 kB of URL: what it sends is what it was given."""
    headers: dict[str, str] = {}
    async with served(scale=1) as client:
        await client.virtual_machines.begin_install_patches(
            GROUP,
            "web0",
            BODY,
            polling=False,
            raw_response_hook=lambda response: headers.update(response.http_response.headers),
            **OVER_HTTP,
        )
        urls = [headers["Azure-AsyncOperation"], headers["Location"]]
        answers = [await client.send_request(HttpRequest("GET", url), **OVER_HTTP) for url in urls]
        altered = await client.send_request(HttpRequest("GET", urls[0] + "A"), **OVER_HTTP)

    assert [answer.status_code for answer in answers] == [200, 202]
    assert altered.status_code == 403


async def test_a_second_installation_is_a_conflict() -> None:
    """409 arrives as ResourceExistsError, with ARM's code."""
    async with served(scale=1) as client:
        await client.virtual_machines.begin_install_patches(GROUP, "web0", BODY, polling=False, **OVER_HTTP)
        with pytest.raises(ResourceExistsError) as caught:
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", BODY, polling=False, **OVER_HTTP
            )

    assert caught.value.error.code == "Conflict"


async def test_an_invalid_body_is_explained() -> None:
    """400 arrives with the code and the parameter."""
    async with served() as client:
        with pytest.raises(HttpResponseError) as caught:
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", {"rebootSetting": "Sometimes"}, polling=False, **OVER_HTTP
            )

    assert (
        caught.value.status_code,
        caught.value.error.code,
        caught.value.error.target,
    ) == (400, "InvalidParameter", "rebootSetting")


async def test_a_machine_that_is_gone() -> None:
    """404 arrives as ResourceNotFoundError."""
    async with served() as client:
        with pytest.raises(ResourceNotFoundError) as caught:
            await client.virtual_machines.instance_view(GROUP, "nobody", **OVER_HTTP)

    assert caught.value.error.code == "ResourceNotFound"


async def test_a_storm_arrives_with_its_retry_after() -> None:
    """429 is an HttpResponseError whose response names the seconds."""
    async with served("{throttle: {on: [install], retry_after: 42}}") as client:
        with pytest.raises(HttpResponseError) as caught:
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", BODY, polling=False, **OVER_HTTP
            )

    assert caught.value.status_code == 429
    assert caught.value.response is not None
    assert caught.value.response.headers["Retry-After"] == "42"


async def test_a_dropped_connection_starts_nothing(tmp_path: Path) -> None:
    """The client sees a lost connection, and the audit has nothing."""
    audit = tmp_path / "audit.jsonl"
    async with served("{drop: {on: [install]}}", audit_path=audit) as client:
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", BODY, polling=False, **OVER_HTTP
            )

    assert audit.read_text(encoding="utf-8") == ""


async def test_a_lost_answer_started_it_all_the_same(tmp_path: Path) -> None:
    """The client sees a lost connection too, but the installation runs."""
    audit = tmp_path / "audit.jsonl"
    async with served("{lost_answer: {times: 1}}", scale=1, audit_path=audit) as client:
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", BODY, polling=False, **OVER_HTTP
            )
        with pytest.raises(ResourceExistsError):
            await client.virtual_machines.begin_install_patches(
                GROUP, "web0", BODY, polling=False, **OVER_HTTP
            )

    events = [
        line.split('"event":"')[1].split('"')[0] for line in audit.read_text(encoding="utf-8").splitlines()
    ]
    assert events == ["install", "refused"]


async def test_a_failed_operation_raises() -> None:
    """An operation that fails as a whole raises from the poller, with its code."""
    fault = (
        "{install_fails: {operation: true, code: VMGuestPatchInternalError, message: Please retry later.}}"
    )
    async with served(fault) as client:
        poller = await client.virtual_machines.begin_install_patches(GROUP, "web0", BODY, **OVER_HTTP)
        with pytest.raises(HttpResponseError) as caught:
            await poller.result()

    assert caught.value.error.code == "VMGuestPatchInternalError"


async def test_a_run_command_answers_with_its_streams() -> None:
    """The action's poller ends with a status for each stream."""
    body = {"commandId": "RunPowerShellScript", "script": ["Write-Output hello", "throw 'no'"]}
    async with served() as client:
        poller = await client.virtual_machines.begin_run_command(GROUP, "web0", body, **OVER_HTTP)
        result = await poller.result()

    assert [(status.code, status.message) for status in result.value] == [
        ("ComponentStatus/StdOut/succeeded", "hello\n"),
        ("ComponentStatus/StdErr/succeeded", "no\n"),
    ]


async def test_a_managed_run_command_is_followed_by_its_instance_view() -> None:
    """The poller ends with the resource; its instance view deserialises; a list holds it until it is deleted."""
    body = {"location": "westeurope", "properties": {"source": {"script": "Write-Output hello\nexit 3"}}}
    async with served() as client:
        commands = client.virtual_machine_run_commands
        made = await (
            await commands.begin_create_or_update(GROUP, "web0", "check", body, **OVER_HTTP)
        ).result()
        shown = await commands.get_by_virtual_machine(
            GROUP, "web0", "check", expand="instanceView", **OVER_HTTP
        )
        listed = [one.name async for one in commands.list_by_virtual_machine(GROUP, "web0", **OVER_HTTP)]
        await (await commands.begin_delete(GROUP, "web0", "check", **OVER_HTTP)).result()
        left = [one.name async for one in commands.list_by_virtual_machine(GROUP, "web0", **OVER_HTTP)]

    assert (made.properties.provisioning_state, listed, left) == ("Succeeded", ["check"], [])
    view = shown.properties.instance_view
    assert (view.execution_state, view.exit_code, view.output) == ("Failed", 3, "hello\n")


async def test_patch_settings_are_updated() -> None:
    """The poller ends with the machine as it is now, and so is what is read afterwards."""
    settings = {"patchMode": "AutomaticByPlatform", "assessmentMode": "AutomaticByPlatform"}
    body = {"properties": {"osProfile": {"windowsConfiguration": {"patchSettings": settings}}}}
    async with served() as client:
        poller = await client.virtual_machines.begin_update(GROUP, "web0", body, **OVER_HTTP)
        updated = await poller.result()
        read = await client.virtual_machines.get(GROUP, "web0", **OVER_HTTP)

    for machine in (updated, read):
        assert machine.os_profile.windows_configuration.patch_settings.patch_mode == "AutomaticByPlatform"
