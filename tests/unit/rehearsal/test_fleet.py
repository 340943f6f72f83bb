"""Fleets written inline."""

from __future__ import annotations

import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory.model import Agent, AppHealth, Inventory, Machine, Orchestration, Power
from orchestrator.policy.model import Selector
from orchestrator.rehearsal.fleet import made, placed
from orchestrator.rehearsal.model import MONDAY_MORNING, Situation
from orchestrator.rehearsal.read import read_books


def fleet_of(rows: str) -> Inventory:
    """The inventory of these entries of `machines`."""
    text = f"version: 1\nfleet:\n  machines:\n{rows}tests: [{{name: t, expect: [{{changes: x}}]}}]\n"
    (book,) = read_books([("a.test.yaml", text)])
    return made(book.cases[0].fleet.machines, MONDAY_MORNING)


def by_name(fleet: Inventory) -> dict[str, Machine]:
    """Its machines."""
    return {machine.name: machine for machine in fleet.machines}


def test_values_in_a_list_are_dealt_in_turn() -> None:
    """Zones and tags go round; one value is everybody's."""
    machines = by_name(
        fleet_of("    - {name: 'w-[1-4]', zone: [1, 2, 3], tags: {app: shop, ring: [a, b]}}\n")
    )

    assert [(m.zone, m.tags["ring"], m.tags["app"]) for m in machines.values()] == [
        ("1", "a", "shop"), ("2", "b", "shop"), ("3", "a", "shop"), ("1", "b", "shop"),
    ]  # fmt: skip


def test_a_count_numbers_a_name() -> None:
    """From one on."""
    assert list(by_name(fleet_of("    - {name: db, count: 3}\n"))) == ["db-1", "db-2", "db-3"]


def test_availability_sets_get_domains_as_azure_deals_them_over_several_entries() -> None:
    """Five update domains in turn; the next entry goes on where the last one ended."""
    fleet = fleet_of(
        "    - {name: 'a-[1-4]', availability_set: as}\n    - {name: 'b-[1-2]', availability_set: as}\n"
        "    - {name: c, availability_set: as, update_domain: unknown}\n"
    )
    (held,) = fleet.availability_sets

    assert [m.update_domain for m in fleet.machines] == [0, 1, 2, 3, 4, 0, None]
    assert (len(held.members), held.update_domains) == (7, 5)


def test_a_scale_set_is_flexible_and_spread_as_widely_as_can_be_unless_domains_are_told() -> None:
    """Azure tells one fault domain then, so that no rule of fault domains holds."""
    wide = fleet_of("    - {name: 'n-[1-3]', scale_set: pool}\n")
    told = fleet_of("    - {name: 'n-[1-3]', scale_set: pool, fault_domain: [0, 1, 2]}\n")

    assert wide.scale_sets[0].orchestration is Orchestration.FLEXIBLE
    assert [(f.scale_sets[0].fault_domains, [m.fault_domain for m in f.machines]) for f in (wide, told)] == [
        (1, [0, 0, 0]),
        (3, [0, 1, 2]),
    ]


def test_a_situation_switches_off_and_makes_unwell() -> None:
    """Azure VMs are deallocated, Arc machines disconnected; the inventory is of that moment."""
    fleet = fleet_of("    - {name: 'v-[1-3]'}\n    - {name: arc-1, kind: arc}\n")
    situation = Situation(MONDAY_MORNING, Selector(names=("v-1", "arc-1")), Selector(names=("v-2",)))

    there = by_name(placed(fleet, situation))

    assert (there["v-1"].power, there["arc-1"].agent) == (Power.DEALLOCATED, Agent.NOT_READY)
    assert (there["v-2"].app_health, there["v-3"].app_health) == (AppHealth.UNHEALTHY, AppHealth.HEALTHY)
    assert placed(fleet, situation).taken_at == MONDAY_MORNING


def test_zones_of_several_subscriptions_are_numbered_alike() -> None:
    """So a fleet needs no mapping to be planned zone by zone."""
    fleet = fleet_of("    - {name: 'v-[1-2]', zone: 1, subscription: [s1, s2]}\n")
    zones = next(location.zones for location in fleet.locations if location.zones)

    assert zones["s1"]["1"] == zones["s2"]["1"]


def test_two_machines_of_one_name_are_an_error() -> None:
    """They would be one resource."""
    with pytest.raises(InventoryError, match="more than once"):
        fleet_of("    - {name: a}\n    - {name: a}\n")


def test_pools_are_of_a_balancer_or_unknown() -> None:
    """A name without a slash is that of both; left out, the machine is in none."""
    rows = "{name: a, load_balancer: [lb/web, media]}", "{name: b}", "{name: c, load_balancer: unknown}"
    held = fleet_of("".join(f"    - {row}\n" for row in rows))
    told = {machine.name: machine.backend_pools for machine in held.machines}

    assert [pool.name for pool in held.backend_pools] == ["lb/web", "media/media"]
    assert len(told["a"] or ()) == 2
    assert (told["b"], told["c"]) == ((), None)
