"""The emulator on the wire: ARM's surface, the machines' own health endpoints and the emulated clock, over HTTP on loopback.

One process, one event loop, no framework: a handler that calls the pure `answer` and writes what comes back. Emulated
time runs `time_scale` times as fast as real time; whatever is due in the world is done when somebody asks, and by a timer
when nobody does, so that the audit is written as things happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Self
from urllib.parse import unquote

import orjson
from aiohttp import web

from orchestrator.clock import ScaledClock, SystemClock
from orchestrator.emulator.arm import DEFAULT_PAGE_SIZE, answer, http_date
from orchestrator.emulator.audit import audit_lines, audit_time, webhook_line
from orchestrator.emulator.call import Request
from orchestrator.emulator.faults import NO_FAULTS, Faults
from orchestrator.emulator.months import USUAL, Calendar
from orchestrator.emulator.rights import ALL, Rights
from orchestrator.emulator.state import Delivery
from orchestrator.emulator.tempo import Tempo
from orchestrator.emulator.world import World
from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory, MachineId

CLOCK_PATH = "/_wavekeeper/clock"
COUNTS_PATH = "/_wavekeeper/requests"
HEALTH_PATH = "/health/"
WEBHOOK_PATH = "/_wavekeeper/webhooks/"
_BACKLOG = 4096  # connections that wait to be accepted: benchmarks open thousands at once
_SHUTDOWN_S = 1.0  # real seconds that requests under way get when the emulator is told to end


class Emulator:
    """A world behind a socket. `async with` it, or call `open` and `close`."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        time_scale: float = 1.0,
        faults: Faults = NO_FAULTS,
        audit_path: Path | None = None,
        start: datetime | None = None,
        page_size: int = DEFAULT_PAGE_SIZE,
        rights: Rights = ALL,
        calendar: Calendar = USUAL,
        azure_patches: bool = False,
        tempos: Mapping[MachineId, Tempo] = MappingProxyType({}),
    ) -> None:
        _require_loopback(host)
        if time_scale <= 0:
            raise UsageError(f"a time scale must be greater than 0, not {time_scale:g}")
        if page_size < 1:
            raise UsageError(f"a page must hold at least one machine, not {page_size}")
        self._host, self._port = host, port
        self._scale = time_scale
        self._page_size = page_size
        self._epoch = SystemClock().now() if start is None else start
        self.world = World(
            inventory,
            seed=seed,
            start=self._epoch,
            faults=faults,
            tempos=tempos,
            calendar=calendar,
            azure_patches=azure_patches,
        )
        self.world.rights = rights
        self._clock = ScaledClock(self._epoch, time_scale)
        self._names = _unique_names(self.world)
        self._counts: Counter[tuple[str, int]] = Counter()  # by what was asked, and the answer's status
        self._audit_path = audit_path
        self._audit: BinaryIO | None = None
        self._runner: web.ServerRunner | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, once it is open."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients find it, once it is open."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Open it."""
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it."""
        await self.close()

    async def open(self) -> None:
        """Listen; emulated time begins. UsageError if the port is taken or the audit can't be written."""
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, backlog=_BACKLOG).start()
            # After the port, so that a second emulator started by mistake doesn't wipe the first one's audit.
            self._audit = _open_audit(self._audit_path)
        except OSError as error:
            await runner.cleanup()
            raise UsageError(
                f"port {self._port} on {self._host} can't be used ({error.strerror or error}); choose another, "
                "or 0 for any that is free"
            ) from None
        except UsageError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        self._clock = ScaledClock(self._epoch, self._scale)
        self._tick()

    async def close(self) -> None:
        """Stop listening, write what happened until now, close the audit."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._record()
        self._close_audit()

    # The audit --------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Do what is due, write it down, and come again when the next thing is."""
        self._record()
        self._set_timer()

    def _record(self) -> None:
        happened = self.world.advance(self._clock.now())
        if happened and self._audit is not None:
            self._audit.write(audit_lines(happened))
            self._audit.flush()

    def _set_timer(self) -> None:
        due = self.world.next_happening()
        if due is None:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, (due - self._clock.now()).total_seconds() / self._scale)
        if self._timer is not None:
            if not self._timer.cancelled() and loop.time() < self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._tick)

    def _close_audit(self) -> None:
        if self._audit is not None:
            self._audit.close()
            self._audit = None

    # Requests ---------------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith(HEALTH_PATH):
            return self._probe(request, path.removeprefix(HEALTH_PATH))
        if path == CLOCK_PATH:
            return self._tell_time()
        if path == COUNTS_PATH:
            return self._tell_counts()
        body = await request.read() if request.can_read_body else b""
        if path.startswith(WEBHOOK_PATH):
            return self._called(request, unquote(path.removeprefix(WEBHOOK_PATH)), body)
        url = request.raw_path
        asked = Request(
            method=request.method,
            path=path,
            query=url.partition("?")[2],
            headers=request.headers,
            body=body,
            base=f"http://{request.headers.get('Host') or request.host}",
        )
        response = answer(self.world, asked, self._clock.now(), page_size=self._page_size)
        self._tick()
        self._counts[_asked_for(request.method, path), response.status] += 1
        if response.delay_s:
            await self._clock.sleep(response.delay_s)
        if response.delivery is not Delivery.DELIVERED:
            return _cut(request)
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    def _probe(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        """A machine's own health endpoint, by name or by ARM id. A machine that is out answers nobody."""
        wanted = unquote(name)
        machine = self._names.get(wanted.lower()) if "/" not in wanted else "/" + wanted.strip("/")
        if machine is None or self.world.record(machine) is None:
            known = wanted.lower() in self._names
            why = "has that name more than once; use its ARM id" if known else "doesn't hold it"
            return _json(404, {"error": f"no machine '{wanted}': the inventory {why}"})
        status, body = self.world.probe(machine, self._clock.now())
        return _json(status, body) if status else _cut(request)

    def _called(self, request: web.BaseRequest, name: str, body: bytes) -> web.StreamResponse:
        """A receiver of webhooks that says yes to everything and writes it down: what steps were done is judged from that."""
        try:
            said = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError:
            return _json(400, {"error": "the body is not JSON"})
        self._record()
        if self._audit is not None:
            key = request.headers.get("Idempotency-Key", "")
            self._audit.write(webhook_line(self._clock.now(), name, key, said, ok=True))
            self._audit.flush()
        return web.Response(status=204)

    def _tell_time(self) -> web.StreamResponse:
        now = self._clock.now()
        told = {"epoch": audit_time(self._epoch), "scale": self._scale, "now": audit_time(now)}
        return _json(200, told, {"Date": http_date(now)})

    def _tell_counts(self) -> web.StreamResponse:
        """How much was asked of Azure so far; a request that got no answer is counted by the status that it would have had."""
        told: dict[str, dict[str, int]] = {}
        for (asked, status), count in sorted(self._counts.items()):
            told.setdefault(asked, {})[str(status)] = count
        throttled = sum(count for (_, status), count in self._counts.items() if status == 429)
        return _json(200, {"requests": self._counts.total(), "throttled": throttled, "by": told})


def _asked_for(method: str, path: str) -> str:
    """A request without the names in it: `GET virtualmachines/*/instanceview`."""
    kind = path.lower().rpartition("/providers/")[2].split("/")[1:]
    words = [word if place % 2 == 0 else "*" for place, word in enumerate(kind)]
    return f"{method} {'/'.join(words) or path.lower().rpartition('/')[2]}"


async def serve(
    inventory: Inventory,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    time_scale: float = 1.0,
    faults: Faults = NO_FAULTS,
    audit_path: Path | None = None,
    start: datetime | None = None,
    page_size: int = DEFAULT_PAGE_SIZE,
    rights: Rights = ALL,
    calendar: Calendar = USUAL,
    azure_patches: bool = False,
    tempos: Mapping[MachineId, Tempo] = MappingProxyType({}),
    ready: Callable[[int], None] | None = None,
) -> None:
    """Run an emulator until SIGTERM or SIGINT, or until cancelled. `ready` is told the port once it listens.

    `port` 0 takes any free one; `start` is the emulated time to begin with, None for now; `calendar` is what months bring besides the
    usual, `azure_patches` whether Azure patches machines whose settings let it, `tempos` what isn't left to chance. Raises UsageError for a port in
    use, a host that isn't loopback, an audit file that can't be written.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    emulator = Emulator(
        inventory,
        host=host,
        port=port,
        seed=seed,
        time_scale=time_scale,
        faults=faults,
        audit_path=audit_path,
        start=start,
        page_size=page_size,
        rights=rights,
        calendar=calendar,
        azure_patches=azure_patches,
        tempos=tempos,
    )
    async with emulator:
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(
                NotImplementedError, RuntimeError, ValueError
            ):  # not in a thread, not on Windows
                loop.add_signal_handler(number, stop.set)
        try:
            if ready is not None:
                ready(emulator.port)
            await stop.wait()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.remove_signal_handler(number)


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", headers=headers
    )


def _cut(request: web.BaseRequest) -> web.Response:
    """Cut the connection without a byte of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)  # written to a connection that is gone


def _require_loopback(host: str) -> None:
    if host == "localhost":
        return
    with contextlib.suppress(ValueError):
        if ip_address(host).is_loopback:
            return
    raise UsageError(
        f"the emulator listens on loopback only, since it checks no token; use 127.0.0.1 instead of {host}"
    )


def _unique_names(world: World) -> dict[str, str | None]:
    """Machine names in lower case to ids; None where several machines share a name."""
    names: dict[str, str | None] = {}
    records = [record for record in map(world.record, world.machines()) if record is not None]
    counts = Counter(record.name.lower() for record in records)
    for record in records:
        names[record.name.lower()] = record.id if counts[record.name.lower()] == 1 else None
    return names


def _open_audit(path: Path | None) -> BinaryIO | None:
    if path is None:
        return None
    try:
        return path.open("wb")  # the audit of this run; an older one would be another world's
    except OSError as error:
        raise UsageError(
            f"the audit {path} can't be written ({error.strerror}); name a file in a folder that exists"
        ) from None
