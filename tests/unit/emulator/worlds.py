"""Short ways to make worlds for tests, and to read what happened in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.emulator.faults import Fault, Faults
from orchestrator.emulator.state import Answer
from orchestrator.emulator.world import World
from orchestrator.inventory.model import AppHealth, Image, Machine, Os
from tests.fleet import inventory, vm, vm_id

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
WEB, DB = vm_id("web"), vm_id("db")
IMAGE = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")
ALL = {
    "maximumDuration": "PT4H",
    "rebootSetting": "IfRequired",
    "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
}


def windows(name: str, **facts: Any) -> Machine:
    """A Windows machine with an application health extension."""
    return vm(name, **{"os": Os.WINDOWS, "image": IMAGE, "app_health": AppHealth.HEALTHY, **facts})


def world(*faults: Fault, machines: tuple[Machine, ...] = (), share: float = 1.0, seed: int = 1) -> World:
    """A world of `web` and `db`, or of these machines; all wait for a restart unless `share` says otherwise."""
    fleet = inventory(*(machines or (windows("web"), windows("db"))))
    return World(fleet, seed=seed, start=START, faults=Faults(tuple(faults)), restart_share=share)


def at(seconds: float) -> datetime:
    """An instant, counted from the start."""
    return START + timedelta(seconds=seconds)


def install(of: World, machine: str = WEB, now: datetime = START, **changes: Any) -> Answer:
    """Ask for all critical and security patches."""
    return of.install(machine, {**ALL, **changes}, now, "key-1")


def story(of: World, until: datetime = START + timedelta(days=2)) -> list[tuple[str, str]]:
    """What the audit says until then: names of machines and events."""
    return [(happening.machine.rsplit("/", 1)[1], happening.event) for happening in of.advance(until)]


def moments(of: World, until: datetime = START + timedelta(days=2)) -> dict[str, datetime]:
    """When each event happened, for a world in which each happens once."""
    return {happening.event: happening.at for happening in of.advance(until)}


def health(of: World, machine: str, now: datetime) -> str:
    """What the instance view says of the application."""
    return str(of.view(machine, now)["vmHealth"]["status"]["code"]).removeprefix("HealthState/")


def agent(of: World, machine: str, now: datetime) -> str:
    """What the instance view says of the guest agent."""
    return str(of.view(machine, now)["vmAgent"]["statuses"][0]["displayStatus"])


def last_installation(of: World, machine: str, now: datetime) -> dict[str, Any]:
    """What the instance view says of the last installation; empty if it shows none."""
    return dict(of.view(machine, now).get("patchStatus", {}).get("lastPatchInstallationSummary", {}))
