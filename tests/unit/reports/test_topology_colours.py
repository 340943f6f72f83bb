"""What a machine's colour says."""

from __future__ import annotations

import pytest

from orchestrator.inventory.model import Agent, AppHealth, Kind, Machine, Power
from orchestrator.reports.topology_colours import legend_of, looks_by_state, looks_by_wave
from tests.fleet import vm, vm_id


def shade(place: float) -> str:
    """A colour that can be read off a test."""
    return f"{place:.2f}"


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (vm("m"), "runs"),
        (vm("m", agent=Agent.UNKNOWN), "runs"),
        (vm("m", app_health=AppHealth.UNHEALTHY), "application unhealthy"),
        (vm("m", agent=Agent.NOT_READY), "agent doesn't answer"),
        (vm("m", agent=Agent.NOT_READY, power=Power.STARTING), "starting or stopping"),
        (vm("m", agent=Agent.NOT_READY, power=Power.STOPPED, app_health=AppHealth.UNHEALTHY), "off"),
        (vm("m", power=Power.UNKNOWN), "power state unknown"),
        (vm("m", kind=Kind.ARC, power=Power.UNKNOWN, agent=Agent.READY), "runs"),
        (vm("m", kind=Kind.ARC, power=Power.UNKNOWN, agent=Agent.NOT_READY), "off"),
    ],
)
def test_a_state_has_a_look(machine: Machine, expected: str) -> None:
    """The one that explains the others: an agent on a machine that is off is silent, and that's no news."""
    assert looks_by_state([machine])[machine.id].means == expected


def test_waves_are_shaded_in_the_order_of_the_plan() -> None:
    """From the first to the last, whatever they are called; machines in none stay pale and come last in the legend."""
    machines = [vm(name) for name in "abcd"]
    waves = {vm_id("b"): "canary", vm_id("a"): "broad 10", vm_id("c"): "broad 9"}
    looks = looks_by_wave(machines, waves, shade)

    assert [(text, look.fill) for look, text in legend_of(looks, 10)] == [
        ("canary · 1", "0.00"),
        ("broad 10 · 1", "0.50"),
        ("broad 9 · 1", "1.00"),
        ("in no wave · 1", "#ffffff"),
    ]


def test_a_single_wave_is_the_first() -> None:
    """There is no division by nothing."""
    looks = looks_by_wave([vm("a")], {vm_id("a"): "canary"}, shade)

    assert looks[vm_id("a")].fill == "0.00"


def test_a_long_legend_keeps_its_ends() -> None:
    """Of a hundred waves it names some, evenly, with the first and the last."""
    machines = [vm(f"m{number}") for number in range(100)]
    looks = looks_by_wave(machines, {machine.id: machine.name for machine in machines}, shade)

    assert [text for _, text in legend_of(looks, 4)] == ["m0 · 1", "m33 · 1", "m66 · 1", "m99 · 1"]
