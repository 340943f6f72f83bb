"""A TCP probe: whether a port of the machine takes connections. Nothing is sent."""

from __future__ import annotations

import asyncio
import socket
import time

from orchestrator.egress.connect import EgressRefused, open_tcp
from orchestrator.egress.rules import ON_A_DESK, Rules
from orchestrator.policy.model import Probe
from orchestrator.probes.evidence import broken, unasked, unwell
from orchestrator.probes.placeholders import Hole, fill
from orchestrator.probes.port import Reply, Subject

AT_ONCE = 500  # as for HTTP: each try is an open socket


class TcpProber:
    """`Prober` for TCP, where `egress` allows it. At most `at_once` tries are under way; the time that others wait is no time-out."""

    def __init__(self, at_once: int = AT_ONCE, egress: Rules = ON_A_DESK) -> None:
        self._egress = egress
        self._slots = asyncio.Semaphore(at_once)

    async def ask(self, probe: Probe, subject: Subject) -> Reply:
        """Connect to the probe's port once; without a host, at the machine's private address."""
        host = fill(probe.host or "{private_ip}", subject)
        if isinstance(host, Hole):
            return unasked(host.why)
        async with self._slots:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(probe.timeout.total_seconds()):
                    transport = await open_tcp(self._egress, host, probe.port)
            except TimeoutError:
                return unwell(f"no connection within {probe.timeout.total_seconds():g} s")
            except (socket.gaierror, UnicodeError):
                return unasked(f"{host} has no address")
            except EgressRefused as refused:
                return unasked(str(refused))
            except OSError as error:
                return broken(error)
            transport.close()
            took_ms = (time.perf_counter() - began) * 1000
            return Reply(well=True, asked=True, evidence=f"connected in {took_ms:.0f} ms")

    async def close(self) -> None:
        """No connection outlives its question."""
