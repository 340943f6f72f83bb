"""The cloud that a command speaks to: Azure, or an emulator on this machine, with the clock that belongs to it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from orchestrator.clock import Clock, ScaledClock, SystemClock
from orchestrator.cloud.port import CloudProvider
from orchestrator.errors import UsageError


@dataclass(frozen=True, slots=True)
class Cloud:
    """A provider and its time. `endpoint` is empty for Azure's own."""

    provider: CloudProvider
    clock: Clock
    endpoint: str


Hear = Callable[[str, int, float | None], None]
"""Told of each request: its method, the status (0: no answer came), the cloud's Retry-After in seconds."""


def unheard(_: str, __: int, ___: float | None) -> None:
    """Nobody wants to know."""


async def open_cloud(endpoint: str | None, time_scale: float | None = None, hear: Hear = unheard) -> Cloud:
    """Connect to Azure (no endpoint) or to another ARM, such as the emulator.

    An emulator tells its epoch and its scale; a scale asked for that differs is refused, and so is any but 1 on an endpoint
    that isn't loopback. Raises `UsageError`, `AccessDenied`.
    """
    from orchestrator.cloud.arm.provider import ArmProvider  # the SDK takes a second to import

    if endpoint is None:
        _require(
            time_scale in (None, 1.0), "a time scale makes sense for an emulator only; give its --endpoint"
        )
        system = SystemClock()
        return Cloud(ArmProvider(system, hear=hear), system, "")
    clock = await _clock_of(endpoint, time_scale)
    return Cloud(ArmProvider(clock, endpoint=endpoint, hear=hear), clock, endpoint)


async def _clock_of(endpoint: str, time_scale: float | None) -> Clock:
    if not is_loopback(endpoint):
        _require(time_scale in (None, 1.0), f"{endpoint} isn't on this machine: time can't be scaled there")
        return SystemClock()
    told = await _ask_clock(endpoint)
    if told is None:
        _require(time_scale in (None, 1.0), f"{endpoint} tells no clock: it is no Wavekeeper emulator")
        return SystemClock()
    epoch, scale = told
    differs = f"the emulator at {endpoint} runs at {scale:g} times real time, not {time_scale}"
    _require(time_scale is None or time_scale == scale, differs)
    return ScaledClock(epoch, scale)


async def _ask_clock(endpoint: str) -> tuple[datetime, float] | None:
    """The emulator's present instant and its scale; None where something else answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(f"{endpoint.rstrip('/')}/_wavekeeper/clock") as response,
        ):
            if response.status != 200:
                return None
            body = await response.json()
            return datetime.fromisoformat(body["now"]), float(body["scale"])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UsageError(
            f"nothing answers at {endpoint} ({error}); start an emulator with: wavekeeper emulator --inventory FILE --port N",
        ) from None
    except (ValueError, KeyError, TypeError):
        return None


def is_loopback(endpoint: str) -> bool:
    """Whether an endpoint is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UsageError(otherwise)
