"""Connections that keep to the rules: each address is judged after its name was resolved, and it is the one that is connected to.

So a name that answers differently the second time (DNS rebinding) gains nothing: there is no second time.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from orchestrator.egress.rules import Rules, literal


class EgressRefused(OSError):
    """An address that isn't to be connected to; its text says which, and why."""


def refuse_literal(rules: Rules, url: str) -> None:
    """Raise `EgressRefused` for a url whose host is an address that may not be asked: of those, no resolver is asked."""
    host = (URL(url).raw_host or "").strip("[]")
    if literal(host) and (why := rules.refusal(host, host)):
        raise EgressRefused(why)


def reason(error: BaseException) -> str:
    """Why a connection wasn't made, if the rules are why; else nothing."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, EgressRefused):
            return str(at)
        at = getattr(at, "os_error", None) or at.__cause__
    return ""


class _Judging(AbstractResolver):
    """Gives out the addresses of a name that may be asked, and says why not if there is none."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._asked = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._asked.resolve(host, port, family)
        allowed = [one for one in found if not self._rules.refusal(host, one["host"])]
        if found and not allowed:
            raise EgressRefused(self._rules.refusal(host, found[0]["host"]))
        return allowed

    async def close(self) -> None:
        await self._asked.close()


def connector(rules: Rules, **how: Any) -> aiohttp.TCPConnector:
    """A connector for `aiohttp.ClientSession`. Whatever way an address came, no socket is made for one that is special."""

    def made(info: Any) -> socket.socket:
        family, kind, protocol, _, (address, *_) = info
        if why := Rules(networks=rules.networks).refusal("", address):
            raise EgressRefused(why)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(resolver=_Judging(rules), socket_factory=made, **how)


async def open_tcp(rules: Rules, host: str, port: int) -> asyncio.Transport:
    """A connection to the first address of a host that may be asked and takes one. Raises `EgressRefused`, `OSError`."""
    loop = asyncio.get_running_loop()
    failed: OSError | None = None
    for family, _, _, _, (address, *_) in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if why := rules.refusal(host, str(address)):
            failed = failed or EgressRefused(why)
            continue
        try:
            transport, _ = await loop.create_connection(asyncio.Protocol, str(address), port, family=family)
        except OSError as error:
            failed = error
        else:
            return transport
    raise failed or OSError(f"{host} has no address")
