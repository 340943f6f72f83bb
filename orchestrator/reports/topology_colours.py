"""What a machine's colour in a drawing says, and the legend that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.inventory.model import Agent, AppHealth, Kind, Machine, MachineId, Power
from orchestrator.inventory.standing import is_off


@dataclass(frozen=True, slots=True)
class Look:
    """How machines of one kind are drawn, and what that means. `order` is its place in the legend."""

    order: int
    means: str
    fill: str
    edge: str


Looks = Mapping[MachineId, Look]

_NEUTRAL_EDGE = "#6e7781"

# From the palette of Okabe and Ito, whose members people with any kind of colour vision tell apart.
_RUNS = Look(0, "runs", "#009e73", "#00785a")
_UNHEALTHY = Look(1, "application unhealthy", "#d55e00", "#7a3600")
_AGENT_SILENT = Look(2, "agent doesn't answer", "#e69f00", "#9a6a00")
_ON_ITS_WAY = Look(3, "starting or stopping", "#56b4e9", "#2b7fb0")
_OFF = Look(4, "off", "#d0d7de", _NEUTRAL_EDGE)
_UNKNOWN = Look(5, "power state unknown", "#ffffff", _NEUTRAL_EDGE)

_NOT_PLANNED = "in no wave"


def looks_by_state(machines: Iterable[Machine]) -> Looks:
    """By power and health: the worst that is known of each."""
    return {machine.id: _state(machine) for machine in machines}


def looks_by_wave(
    machines: Iterable[Machine], waves: Mapping[MachineId, str], shade: Callable[[float], str]
) -> Looks:
    """By wave, from the first to the last; `waves` names them in that order, by the first machine that it holds of each.

    `shade` gives the colour of a place between 0 and 1. Machines in no wave stay pale.
    """
    order = {wave: place for place, wave in enumerate(dict.fromkeys(waves.values()))}
    last = max(len(order) - 1, 1)
    looks = {wave: Look(place, wave, shade(place / last), "#30363d") for wave, place in order.items()}
    outside = Look(len(order), _NOT_PLANNED, "#ffffff", "#afb8c1")
    return {machine.id: looks[waves[machine.id]] if machine.id in waves else outside for machine in machines}


def legend_of(looks: Looks, most: int) -> tuple[tuple[Look, str], ...]:
    """Each look that occurs with its meaning and count; of more than `most`, evenly chosen ones with the first and last."""
    counts = Counter(looks.values())
    entries = sorted(counts, key=lambda look: look.order)
    if len(entries) > most:
        step = (len(entries) - 1) / (most - 1)
        entries = [entries[round(place * step)] for place in range(most)]
    return tuple((look, f"{look.means} · {counts[look]:,}") for look in entries)


def _state(machine: Machine) -> Look:
    if is_off(machine):
        return _OFF
    if machine.app_health is AppHealth.UNHEALTHY:
        return _UNHEALTHY
    if machine.power in {Power.STARTING, Power.STOPPING}:
        return _ON_ITS_WAY
    if machine.agent in {Agent.NOT_READY, Agent.MISSING}:
        return _AGENT_SILENT
    if machine.power is Power.UNKNOWN and machine.kind is Kind.AZURE_VM:
        return _UNKNOWN
    return _RUNS
