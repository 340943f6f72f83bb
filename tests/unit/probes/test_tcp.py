"""The TCP probe, against real sockets on loopback."""

from __future__ import annotations

import asyncio
import errno
import socket
from datetime import timedelta

import pytest
from aiohttp.test_utils import unused_port

from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.port import Reply, Subject
from orchestrator.probes.tcp import TcpProber

WEB = Subject("vm-web-1", "127.0.0.1", "WEB1", (("dns", "localhost"),))


def probe(port: int, host: str = "", timeout_ms: int = 5_000) -> Probe:
    """A TCP probe."""
    return Probe(ProbeKind.TCP, host=host, port=port, timeout=timedelta(milliseconds=timeout_ms))


@pytest.mark.parametrize("host", ["", "{private_ip}", "127.0.0.1"])
async def test_a_port_that_takes_connections_is_well(host: str) -> None:
    """Without a host, it is the machine's private address that is asked; nothing is sent."""
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.put_nowait(await reader.read())
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    reply = await TcpProber().ask(probe(server.sockets[0].getsockname()[1], host), WEB)
    assert (reply.well, reply.asked) == (True, True)
    assert reply.evidence.startswith("connected in ")
    assert await received.get() == b""
    server.close()
    await server.wait_closed()


async def test_a_refused_connection_is_unwell() -> None:
    """It is an answer about the machine."""
    reply = await TcpProber().ask(probe(unused_port()), WEB)
    assert reply == Reply(well=False, asked=True, evidence="connection refused")


async def test_no_connection_in_time_is_unwell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall that drops packets says nothing at all."""

    async def never(*_args: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    reply = await TcpProber().ask(probe(80, timeout_ms=20), WEB)
    assert reply == Reply(well=False, asked=True, evidence="no connection within 0.02 s")


@pytest.mark.parametrize(
    ("host", "evidence"),
    [
        ("{tag:none}", "{tag:none} has no value for this machine"),
        ("no-such-host.invalid", "no-such-host.invalid has no address"),
        ("a" * 70 + ".example", "a" * 70 + ".example has no address"),
    ],
)
async def test_a_question_that_cannot_be_put_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, host: str, evidence: str
) -> None:
    """A hole in the host, a name without an address: that says nothing of the machine."""

    async def resolve(*_args: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    assert await TcpProber().ask(probe(80, host), WEB) == Reply(well=False, asked=False, evidence=evidence)


async def test_running_out_of_files_is_no_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process lacks is not held against whom it would have asked."""

    def no_more(*_args: object, **_named: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("socket.socket", no_more)
    reply = await TcpProber().ask(probe(80), WEB)
    monkeypatch.undo()
    assert reply == Reply(well=False, asked=False, evidence="this process can't ask: too many open files")


async def test_closing_may_be_repeated() -> None:
    """There is nothing to give back."""
    prober = TcpProber()
    await prober.close()
    await prober.close()
