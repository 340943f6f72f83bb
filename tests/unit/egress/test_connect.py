"""Connections that keep to the rules: probes and webhooks, against a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientConnectorError, ClientSession, web
from aiohttp.test_utils import TestServer

from orchestrator.egress.connect import EgressRefused, connector, open_tcp, reason, refuse_literal
from orchestrator.egress.rules import ON_A_DESK, Rules, read_network
from orchestrator.notify.webhook import HttpWebhooks, Target
from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.http import HttpProber
from orchestrator.probes.port import Subject
from orchestrator.probes.tcp import TcpProber

CLOSED = "127.0.0.1 is this machine itself, and `egress` doesn't allow it by name: allow: [127.0.0.1]"
WEB = Subject(name="web-1", private_ip="127.0.0.1", computer_name="web-1.corp")


@dataclass(slots=True)
class Names:
    """A DNS of ours: each question takes the next answer."""

    answers: dict[str, list[str]] = field(default_factory=dict)

    async def ask(self, host: str, port: int, **how: Any) -> list[Any]:
        """As `loop.getaddrinfo`."""
        told = self.answers.get(host, [host])
        address = told.pop(0) if len(told) > 1 else told[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for one in address.split(",")]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """In place of the machine's resolver."""
    made = Names()

    async def ask(_: object, host: str, port: int, **how: Any) -> list[Any]:
        return await made.ask(host, port, **how)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", ask)
    return made


@dataclass(slots=True)
class Heard:
    """What a server on loopback was asked."""

    port: int = 0
    paths: list[str] = field(default_factory=list)


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    """On this machine, where nobody should get to."""
    made = Heard()

    async def answer(request: web.Request) -> web.Response:
        made.paths.append(request.path)
        return web.Response(text="secret of this machine")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    made.port = server.port or 0
    yield made
    await server.close()


def _http(url: str) -> Probe:
    return Probe(kind=ProbeKind.HTTP, url=url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "{private_ip}", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "0x7f000001", "2130706433"],
)
async def test_a_probe_does_not_reach_this_machine(heard: Heard, host: str) -> None:
    """However its address is written; and nothing of it is told."""
    prober = HttpProber(egress=Rules())
    reply = await prober.ask(_http(f"http://{host}:{heard.port}/"), WEB)
    await prober.close()
    assert (reply.well, reply.asked, heard.paths) == (False, False, [])
    assert "this machine itself" in reply.evidence or "not a url" in reply.evidence


async def test_a_name_is_judged_by_what_it_resolves_to(heard: Heard, names: Names) -> None:
    """And by nothing else: names are whoever's who owns them."""
    names.answers = {"web-1.corp": ["127.0.0.1"]}
    prober, desk = HttpProber(egress=Rules()), HttpProber(egress=ON_A_DESK)
    refused = await prober.ask(_http(f"http://{{computer_name}}:{heard.port}/"), WEB)
    allowed = await desk.ask(_http(f"http://{{computer_name}}:{heard.port}/desk"), WEB)
    await prober.close()
    await desk.close()
    assert (refused.evidence, refused.asked) == (CLOSED, False)
    assert allowed.well
    assert heard.paths == ["/desk"]


async def test_a_name_that_changes_its_mind_gains_nothing(heard: Heard, names: Names) -> None:
    """DNS rebinding: what was judged is what is connected to, and it is asked once."""
    names.answers = {"rebinds.example": ["127.0.0.2", "127.0.0.1"]}
    allowed = read_network("127.0.0.2")
    assert allowed is not None
    rules = Rules(networks=(allowed,))
    async with ClientSession(connector=connector(rules, use_dns_cache=False)) as session:
        url = f"http://rebinds.example:{heard.port}/"
        with pytest.raises(ClientConnectorError, match=r"Connect call failed .*127.0.0.2"):
            await session.get(url)
        with pytest.raises(ClientConnectorError) as refused:
            await session.get(url)
    assert reason(refused.value) == CLOSED
    assert heard.paths == []


async def test_of_several_addresses_those_are_asked_that_may_be(heard: Heard, names: Names) -> None:
    """One that may not doesn't shut out the others."""
    names.answers = {"both.example": ["169.254.1.1,127.0.0.1"]}
    network = read_network("127.0.0.1")
    assert network is not None
    prober = HttpProber(egress=Rules(networks=(network,)))
    assert (await prober.ask(_http(f"http://both.example:{heard.port}/x"), WEB)).well
    await prober.close()


async def test_no_socket_is_made_for_what_is_special(heard: Heard) -> None:
    """Also where somebody forgot to look at the url first."""
    async with ClientSession(connector=connector(Rules())) as session:
        with pytest.raises(ClientConnectorError) as refused:
            await session.get(f"http://127.0.0.1:{heard.port}/")
    assert reason(refused.value) == CLOSED


async def test_a_tcp_probe_does_not_reach_this_machine(heard: Heard, names: Names) -> None:
    """Neither by address nor by name."""
    names.answers = {"web-1.corp": ["127.0.0.1"]}
    for host in ("127.0.0.1", "{computer_name}"):
        probe = Probe(kind=ProbeKind.TCP, host=host, port=heard.port)
        reply = await TcpProber(egress=Rules()).ask(probe, WEB)
        assert (reply.well, reply.asked, reply.evidence) == (False, False, CLOSED)
        assert (await TcpProber(egress=ON_A_DESK).ask(probe, WEB)).well


async def test_a_tcp_connection_goes_on_to_the_next_address(heard: Heard, names: Names) -> None:
    """Past one that may not be asked; the last failure is told if none takes it."""
    names.answers = {"both.example": ["169.254.169.254,127.0.0.1"]}
    (await open_tcp(ON_A_DESK, "both.example", heard.port)).close()
    names.answers = {"none.example": ["169.254.169.254"]}
    with pytest.raises(EgressRefused, match="never asked"):
        await open_tcp(ON_A_DESK, "none.example", heard.port)


async def test_a_webhook_goes_only_where_it_may(heard: Heard, names: Names) -> None:
    """Its url isn't in what is told of it."""
    names.answers = {"hooks.example": ["127.0.0.1"]}
    targets = {
        "name": Target(f"http://hooks.example:{heard.port}/tok3n"),
        "literal": Target(f"http://127.0.0.1:{heard.port}/tok3n"),
        "metadata": Target("http://169.254.169.254/metadata/identity/oauth2/token"),
    }
    hooks = HttpWebhooks(targets, egress=Rules())
    told = {name: (await hooks.call(name, "k", {}, 5)).evidence for name in targets}
    await hooks.close()
    secret = "169.254.169.254 hands out secrets of this machine, and is never asked"
    assert {"name": CLOSED, "literal": CLOSED, "metadata": secret} == told
    assert heard.paths == []


async def test_an_address_that_a_list_leaves_out_is_not_connected_to() -> None:
    """No resolver is asked for one, so nothing else would judge it."""
    listed = Rules(hosts=("*.example",))
    prober, hooks = HttpProber(egress=listed), HttpWebhooks({"w": Target("http://10.9.8.7/")}, egress=listed)
    why = "10.9.8.7 isn't among what `egress` allows"
    assert (await prober.ask(_http("http://10.9.8.7/"), WEB)).evidence == why
    assert (await hooks.call("w", "k", {}, 5)).evidence == why
    tcp = Probe(kind=ProbeKind.TCP, host="10.9.8.7", port=80)
    assert (await TcpProber(egress=listed).ask(tcp, WEB)).evidence == why
    await prober.close()
    await hooks.close()


def test_a_literal_is_judged_as_it_will_be_connected_to() -> None:
    """Digits of other scripts are digits to a url."""
    for url in ("http://127.0.0.1/", "http://[::1]:80/", "http://169.254.169.254/"):
        with pytest.raises(EgressRefused):
            refuse_literal(Rules(), url)
    refuse_literal(Rules(), "http://10.0.0.1/")
    refuse_literal(Rules(), "http://name.example/")


def test_a_reason_is_found_wherever_it_hides() -> None:
    """Libraries wrap what they are told; other errors have none."""
    outer = OSError("failed")
    outer.__cause__ = EgressRefused("no")
    assert (reason(outer), reason(OSError("x"))) == ("no", "")
