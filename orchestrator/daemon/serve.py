"""Putting the daemon together from its configuration, and taking it apart again; what signals mean to it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from orchestrator.access.doubts import doubts, endings
from orchestrator.access.gate import Gate
from orchestrator.access.settings import Access
from orchestrator.clock import SystemClock
from orchestrator.daemon.apart import Apart
from orchestrator.daemon.config import Config, read_config
from orchestrator.daemon.desk import DaemonDesk
from orchestrator.daemon.opening import WHO
from orchestrator.daemon.operated import line, operated
from orchestrator.daemon.service import Daemon
from orchestrator.errors import PolicyError, Refused, UsageError
from orchestrator.telemetry.metrics import Metrics
from orchestrator.telemetry.supervisor import Supervisor
from orchestrator.web.app import build
from orchestrator.web.pages import add_page
from orchestrator.web.person import recognising
from orchestrator.web.server import listening
from orchestrator.web.signing_in import add_signing_in
from orchestrator.wiring.cloud import open_cloud
from orchestrator.wiring.counted import CountedWebhooks, TimedJournal
from orchestrator.wiring.files import make_folder
from orchestrator.wiring.journal import become_writer, open_journal, whoami
from orchestrator.wiring.rollout import aim, doors, open_scope, settings_of

log = structlog.get_logger("wavekeeper.daemon")


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT. SIGHUP reads the configuration once more.

    Raises:
        UsageError, AccessDenied, JournalError: it can't be started like this; nothing was done.
        Refused: another process writes the journal.
    """
    gate, metrics, supervisor = Gate(config.access), Metrics(), Supervisor(os.environ)
    async with (
        opened(config, metrics) as daemon,
        served(daemon, gate) as url,
        operated(daemon, metrics, supervisor),
    ):
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        assert me is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, me.cancel)
        loop.add_signal_handler(signal.SIGHUP, reload, daemon, gate, supervisor)
        log.info(
            "ready",
            journal=str(config.journal),
            policies=config.git.source,
            branch=config.git.branch,
            web=url or "not served",
            metrics=str(config.metrics or "not served"),
        )
        supervisor.ready(line(daemon))
        try:
            await daemon.run()
        except asyncio.CancelledError:
            me.uncancel()
            supervisor.stopping("told to end; the next start goes on")
            log.info("left; what was going on is in the journal, and the next start goes on with it")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)


@asynccontextmanager
async def opened(config: Config, metrics: Metrics) -> AsyncIterator[Daemon]:
    """A daemon that has its journal, ready to run. What goes through its doors is counted."""
    make_folder(config.state)
    cloud = await open_cloud(config.endpoint, hear=metrics.request)
    async with doors(cloud, config.webhooks, settings_of(cloud, config.health_every), config.egress) as made:
        journal = await open_journal(config.journal)
        apart = Apart()
        try:
            if not await become_writer(journal, f"{WHO} ({whoami()})", cloud.clock.now()):
                writer = await journal.writer()
                by = f"{writer.who}, process {writer.pid} on {writer.host}" if writer else "another process"
                raise Refused(f"{by} writes {config.journal}; a daemon needs a journal to itself")
            services = replace(
                made,
                webhooks=CountedWebhooks(made.webhooks, metrics.called),
                settings=replace(made.settings, link_base=config.tell.page or config.access.url),
            )
            timed = TimedJournal(journal, metrics.appended)
            house = await open_scope(timed, services, endpoint=cloud.endpoint, stay=True)
            daemon = Daemon(config, cloud, house, apart, metrics.request)
            yield daemon
        finally:
            apart.end()
            await journal.close()


@asynccontextmanager
async def served(daemon: Daemon, gate: Gate) -> AsyncIterator[str]:
    """The API and the page, if the configuration says where, to whomever the gate knows: its URL, else nothing."""
    settings = daemon.config.web
    if settings is None:
        yield ""
        return
    page = urlsplit(daemon.config.access.url).hostname  # browsers come by it
    settings = replace(settings, names=(*settings.names, *([page] if page else [])))
    app = build(DaemonDesk(daemon), settings, recognising(gate))
    add_signing_in(app, gate)
    add_page(app)
    doubting = asyncio.create_task(_tell_doubts(gate.access))
    try:
        async with listening(app, settings) as url:
            yield url
    finally:
        doubting.cancel()
        await gate.close()


async def _tell_doubts(access: Access) -> None:
    """Rollouts don't wait for an issuer: the daemon runs without it, and says so."""
    for doubt in await doubts(access, SystemClock().now()):
        log.warning("access may not be as it is meant", why=doubt)


def reload(daemon: Daemon, gate: Gate, supervisor: Supervisor) -> None:
    """Take over what a changed configuration says; what needs a restart is named. A bad one changes nothing."""
    supervisor.reloading()
    try:
        _reload(daemon, gate)
    finally:
        supervisor.ready(line(daemon))


def _reload(daemon: Daemon, gate: Gate) -> None:
    old = daemon.config
    try:
        new = read_config(old.file)
    except (PolicyError, UsageError) as error:
        problems = str(error).splitlines()
        log.warning("the configuration is bad; going on with the one before", problems=problems)
        return
    daemon.config, restart = old.taken_over(new)
    aim(daemon.house.services, new.webhooks)
    if restart:
        log.warning("these keys differ and need a restart of the daemon", keys=restart)
    if new.access.open and "web" in restart:
        log.warning("access is not opened before the restart: the server still listens where it did")
    else:
        gate.change(new.access)
        for ending in endings(new.access, gate.now()):
            log.warning("access may not be as it is meant", why=ending)
    daemon.warn_of_strangers()
    log.info("the configuration was read once more")
