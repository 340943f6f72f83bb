"""What must be right on this machine for a rollout: the journal, its disk, where webhooks go, whom probes reach."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orchestrator.errors import WavekeeperError
from orchestrator.inventory.model import Machine
from orchestrator.inventory.standing import is_off
from orchestrator.notify.webhook import Target
from orchestrator.policy.model import Policy, Probe, ProbeKind
from orchestrator.policy.select import matcher
from orchestrator.probes.http import HttpProber
from orchestrator.probes.port import Prober, Reply, Subject
from orchestrator.probes.tcp import TcpProber
from orchestrator.service.doctor import Check
from orchestrator.wiring.journal import file_problems, look_into

LEAST_FREE: Final = 256 << 20
"""Bytes: a rollout of 100,000 machines writes some 40 MB of journal, and SQLite's write-ahead log as much again."""

SAMPLE: Final = 3
"""Machines that each probe is tried on."""

CONNECT_S: Final = 5.0


async def journal_checks(path: Path) -> list[Check]:
    """The journal and its disk. Nothing is made, nothing is changed."""
    folder = next((up for up in path.parents if up.is_dir()), Path("/"))
    checks = [await _journal(path, folder)]
    free = shutil.disk_usage(folder).free
    said = f"{free / (1 << 30):.1f} GiB free at {folder}"
    checks.append(Check("disk", free >= LEAST_FREE, said if free >= LEAST_FREE else f"only {said}"))
    return checks


async def _journal(path: Path, folder: Path) -> Check:
    if not os.access(path, os.F_OK):
        if os.access(folder, os.W_OK):
            return Check("journal", True, f"{path}: will be made by the first rollout")
        return Check("journal", False, f"{path}: there is none, and {folder} can't be written")
    try:
        problems = await file_problems(path)
        journal = await look_into(path)
        try:
            writer = await journal.writer()
        finally:
            await journal.close()
    except WavekeeperError as error:
        return Check("journal", False, str(error))
    if problems:
        return Check(
            "journal", False, f"{path}: {problems[0]}; see: wavekeeper journal verify --journal {path}"
        )
    if not os.access(path, os.W_OK):
        return Check("journal", False, f"{path}: sound, but this user can't write it")
    held = f"; {writer.who}, process {writer.pid} on {writer.host}, writes it now" if writer else ""
    return Check("journal", True, f"{path}: sound{held}")


async def webhook_checks(targets: Mapping[str, Target]) -> list[Check]:
    """Whether each webhook's host takes connections. Nothing is posted: a drained machine is no way to test."""
    return list(await asyncio.gather(*(_webhook(name, targets[name]) for name in sorted(targets))))


async def _webhook(name: str, target: Target) -> Check:
    parts = urlsplit(target.url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=secure or None)
    except TimeoutError:
        return Check(f"webhook {name}", False, f"{host}:{port} takes no connection within {CONNECT_S:g} s")
    except OSError as error:
        return Check(f"webhook {name}", False, f"{host}:{port}: {error.strerror or error}")
    writer.close()
    return Check(f"webhook {name}", True, f"{host}:{port} takes connections; nothing was posted")


async def probe_checks(policies: Sequence[Policy], machines: Sequence[Machine]) -> list[Check]:
    """Each HTTP and TCP probe of the policies, tried on a few of its machines that run."""
    probers: dict[ProbeKind, Prober] = {ProbeKind.HTTP: HttpProber(), ProbeKind.TCP: TcpProber()}
    try:
        return [
            await _probe(probers[probe.kind], probe, policy, machines)
            for policy in policies
            for probe in policy.probes
            if probe.kind in probers
        ]
    finally:
        for prober in probers.values():
            await prober.close()


async def _probe(prober: Prober, probe: Probe, policy: Policy, machines: Sequence[Machine]) -> Check:
    selected, of = matcher(policy.select), matcher(probe.of)
    asked = [m for m in machines if selected(m) and of(m) and not is_off(m)][:SAMPLE]
    what = f"probe {probe.url or f'tcp {probe.host}:{probe.port}'} ({probe.origin})"
    if not asked:
        return Check(what, None, "no machine that runs has it")
    replies = await asyncio.gather(*(prober.ask(probe, _subject(machine)) for machine in asked))
    bad = [(machine, reply) for machine, reply in zip(asked, replies, strict=True) if not reply.well]
    if not bad:
        return Check(what, True, f"{len(asked)} of {len(asked)} tried are well")
    machine, reply = bad[0]
    return Check(
        what, _unwell(replies), f"{len(bad)} of {len(asked)} tried: {machine.name}: {reply.evidence}"
    )


def _unwell(replies: Sequence[Reply]) -> bool | None:
    """A question that can't be put is a mistake; a machine that isn't well is worth a look."""
    return None if any(reply.well for reply in replies) else False


def _subject(machine: Machine) -> Subject:
    address = machine.private_ips[0] if machine.private_ips else ""
    return Subject(machine.name, address, machine.computer_name, tuple(sorted(machine.tags.items())))
