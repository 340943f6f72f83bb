"""The emulator on the wire: its own paths, its audit, its end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.faults import Faults
from orchestrator.emulator.server import CLOCK_PATH, COUNTS_PATH, WEBHOOK_PATH, Emulator, serve
from orchestrator.errors import UsageError
from orchestrator.inventory.model import AppHealth, Power
from orchestrator.notify.webhook import HttpWebhooks, Target
from orchestrator.verify.steps import read_calls
from tests.fleet import SUBSCRIPTION, arm_id, inventory, vm

pytestmark = pytest.mark.wire

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
FLEET = inventory(
    vm("web"),
    vm("off", power=Power.STOPPED),
    vm("ill", app_health=AppHealth.UNHEALTHY),
    vm("twin", group="rg-a"),
    vm("twin", group="rg-b"),
)
TOKEN = {"Authorization": "Bearer anything"}
LINUX = {"rebootSetting": "Always", "linuxParameters": {"classificationsToInclude": ["Security"]}}
SERVER = """
import asyncio, sys
from pathlib import Path
from orchestrator.emulator.server import serve
from tests.contracts.test_emulator_server import FLEET, START
asyncio.run(serve(FLEET, time_scale=5000, start=START, audit_path=Path(sys.argv[1]),
                  ready=lambda port: print(port, flush=True)))
print("closed", flush=True)
"""


def emulator(scale: float = 1, **options: Any) -> Emulator:
    """An emulator of the fleet above."""
    return Emulator(FLEET, start=START, time_scale=scale, **options)


async def get(url: str) -> tuple[int, Any]:
    """Status and JSON of one GET."""
    async with aiohttp.ClientSession(headers=TOKEN) as session, session.get(url) as response:
        return response.status, await response.json()


async def install(of: Emulator, name: str = "web") -> int:
    """Ask for an installation that restarts; the answer's status."""
    url = f"{of.url}{arm_id(name)}/installPatches?api-version=2026-04-01"
    async with aiohttp.ClientSession(headers=TOKEN) as session, session.post(url, json=LINUX) as response:
        return response.status


async def until_audited(path: Path, event: str) -> list[dict[str, str]]:
    """The audit, once it holds that event; nobody asks the emulator for anything meanwhile."""
    async with asyncio.timeout(20):
        while True:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if event in {line["event"] for line in lines}:
                return lines
            await asyncio.sleep(0)


@pytest.mark.parametrize("name", ["web", "WEB", arm_id("web"), arm_id("twin").replace("rg-shop", "rg-a")])
async def test_a_healthy_machine_answers_200(name: str) -> None:
    """By name in any case, or by ARM id."""
    async with emulator() as it:
        status, body = await get(f"{it.url}/health/{name}")

    assert (status, body["status"]) == (200, "healthy")


async def test_an_unhealthy_machine_answers_503() -> None:
    """It answers, and says that it isn't well."""
    async with emulator() as it:
        assert await get(f"{it.url}/health/ill") == (503, {"machine": "ill", "status": "unhealthy"})


async def test_a_machine_that_is_off_answers_nobody() -> None:
    """The connection is cut."""
    async with emulator() as it:
        with pytest.raises(aiohttp.ClientConnectionError):
            await get(f"{it.url}/health/off")


@pytest.mark.parametrize(
    ("name", "why"), [("nobody", "doesn't hold it"), ("twin", "more than once; use its ARM id")]
)
async def test_a_name_that_is_no_machine_s(name: str, why: str) -> None:
    """404 that says what to do."""
    async with emulator() as it:
        status, body = await get(f"{it.url}/health/{name}")

    assert status == 404
    assert why in body["error"]


async def test_the_clock_is_published() -> None:
    """Epoch, scale, and the emulated instant."""
    async with emulator(scale=600) as it:
        status, body = await get(it.url + CLOCK_PATH)

    assert (status, body["epoch"], body["scale"]) == (200, "2026-11-22T01:00:00.000Z", 600.0)
    passed = datetime.fromisoformat(body["now"]) - START
    assert timedelta(0) < passed < timedelta(hours=12)


async def test_the_audit_is_written_as_things_happen(tmp_path: Path) -> None:
    """Though nobody asks for anything, every line is in the file at its time, while the emulator runs."""
    path = tmp_path / "audit.jsonl"
    path.write_text("an older run\n", encoding="utf-8")
    async with emulator(scale=10_000, audit_path=path) as it:
        assert await install(it) == 202
        lines = await until_audited(path, "install_end")

    assert {"install", "out", "back", "install_end"} <= {line["event"] for line in lines}
    assert {arm_id("web")} == {line["machine"] for line in lines}
    assert sorted(line["at"] for line in lines) == [line["at"] for line in lines]


async def test_calls_of_webhooks_are_written_into_the_audit(tmp_path: Path) -> None:
    """As our own webhooks make them: the judge reads them off it."""
    path = tmp_path / "audit.jsonl"
    body = {"each": "stage", "stage": "canary", "phase": "before"}
    async with emulator(audit_path=path) as it:
        hooks = HttpWebhooks({"silence": Target(it.url + WEBHOOK_PATH + "silence")})
        delivery = await hooks.call("silence", "r1-around-0-1-before-0", body, 5)
        await hooks.close()
        (line,) = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]

    assert delivery.ok
    assert line | {"at": ""} == {
        "at": "",
        "event": "webhook",
        "name": "silence",
        "key": "r1-around-0-1-before-0",
        "ok": True,
        "body": body,
    }
    assert [call.stretch for call in read_calls([line])] == [("stage", "canary")]


async def test_a_slow_answer_is_divided_by_the_scale() -> None:
    """An hour of emulated delay passes in no time at this scale, and the answer comes."""
    faults = parse_faults("version: 1\nfaults: [{slow: {seconds: 3600}}]", "test")
    async with emulator(scale=1_000_000, faults=faults) as it:
        assert await install(it) == 202


async def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    """The port is named, and what to do; the audit of whoever has the port stays as it is."""
    path = tmp_path / "audit.jsonl"
    path.write_text("of another\n", encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=rf"^port {port} on 127\.0\.0\.1 can't be used .*; choose another, or 0"
        ):
            await serve(FLEET, port=port, audit_path=path)
    assert path.read_text(encoding="utf-8") == "of another\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"host": "0.0.0.0"}, "loopback only"),
        ({"host": "emulator.example"}, "loopback only"),
        ({"time_scale": 0}, "time scale must be greater than 0"),
        ({"page_size": 0}, "a page must hold at least one"),
        (
            {"audit_path": Path("/nonexistent/audit.jsonl")},
            "the audit /nonexistent/audit.jsonl can't be written",
        ),
    ],
)
async def test_wrong_use_is_explained(options: dict[str, Any], expected: str) -> None:
    """Each mistake is a UsageError before anything is opened."""
    with pytest.raises(UsageError, match=expected):
        await serve(FLEET, **options)


async def test_serve_tells_its_port_and_ends_when_cancelled() -> None:
    """`ready` is called once it can be asked, and a cancelled emulator gives its port back."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(FLEET, faults=Faults(), ready=ready.set_result))
    port = await ready

    assert (await get(f"http://127.0.0.1:{port}/health/web"))[0] == 200
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(f"http://127.0.0.1:{port}/health/web")


@pytest.mark.process
async def test_sigterm_closes_it_cleanly(tmp_path: Path) -> None:
    """The process ends by itself with nothing on its error output, and the audit is whole."""
    path = tmp_path / "audit.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", SERVER, str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    url = f"http://127.0.0.1:{port}{arm_id('web')}/installPatches?api-version=2026-04-01"
    async with aiohttp.ClientSession(headers=TOKEN) as session, session.post(url, json=LINUX) as response:
        assert response.status == 202
    await until_audited(path, "back")

    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()

    assert (process.returncode, out, err) == (0, b"closed\n", b"")
    assert path.read_text(encoding="utf-8").endswith("}\n")


async def test_it_tells_how_much_was_asked_of_azure() -> None:
    """By kind and status, without the names; what is no request of Azure's isn't counted."""
    async with emulator() as it:
        await get(it.url + CLOCK_PATH)
        subscription = f"{it.url}/subscriptions/{SUBSCRIPTION}"
        await get(f"{subscription}/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01")
        await get(
            f"{subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/none/instanceView?api-version=2024-07-01"
        )
        status, told = await get(it.url + COUNTS_PATH)
    assert status == 200
    assert told["requests"] == 2
    assert told["throttled"] == 0
    assert set(told["by"]) == {"GET virtualmachines", "GET virtualmachines/*/instanceview"}
