"""The listener for whoever operates the service, over a real socket."""

from __future__ import annotations

import aiohttp
import pytest

from orchestrator.errors import UsageError
from orchestrator.telemetry.endpoint import Address, listening
from tests.unit.telemetry.test_metrics import WHOLE, reading

pytestmark = pytest.mark.wire
HERE = Address("127.0.0.1", 0)


async def test_it_tells_metrics_and_whether_it_is_well() -> None:
    """With every reason, once there is one."""
    wrong: list[str] = []
    async with (
        listening(HERE, reading(WHOLE), list, lambda: wrong) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        async with client.get("/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert "wavekeeper_journal_rows 99.0" in await answer.text()
        async with client.get("/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "alive\n")
        async with client.get("/readyz") as answer:
            assert (answer.status, await answer.text()) == (200, "ready\n")
        wrong += ["no commit counts yet", "the fleet was never read"]
        async with client.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.text() == "no commit counts yet\nthe fleet was never read\n"
            assert answer.headers["Cache-Control"] == "no-store"
        async with client.get("/") as answer:
            assert answer.status == 404
        async with client.post("/metrics") as answer:
            assert answer.status == 405


async def test_an_address_that_is_taken_is_refused_by_name() -> None:
    """Before anything is begun."""
    metrics = reading(WHOLE)
    async with listening(HERE, metrics, list, list) as port:
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: .*address already in use"):
            async with listening(Address("127.0.0.1", port), metrics, list, list):
                pass


def test_addresses_are_written_as_people_write_them() -> None:
    """IPv6 in brackets."""
    assert str(Address("::1", 9464)) == "[::1]:9464"
    assert str(Address("127.0.0.1", 9464)) == "127.0.0.1:9464"
