"""Inventories put together from parts."""

from __future__ import annotations

import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.model import Location, Unreadable
from tests.fleet import availability_set, scale_set, set_id, vm, vm_id


def test_parts_are_sorted_and_regions_settled() -> None:
    """Described regions in which nothing stands are dropped, missing ones come from the table."""
    fleet = assemble(
        source="arm",
        taken_at=None,
        machines=[vm("b"), vm("a", location="uksouth")],
        availability_sets=[availability_set("z"), availability_set("y")],
        scale_sets=[scale_set("x")],
        locations=[
            Location("eastus", ("westus",)),
            Location("westeurope", ("northeurope",), {"s1": {"1": "p1"}}),
        ],
        unreadable=[Unreadable("b", "x"), Unreadable("a", "x"), Unreadable("b", "x")],
    )

    assert [machine.name for machine in fleet.machines] == ["a", "b"]
    assert [held.name for held in fleet.availability_sets] == ["y", "z"]
    assert fleet.locations == (
        Location("uksouth", ("ukwest",)),
        Location("westeurope", ("northeurope",), {"s1": {"1": "p1"}}),
    )
    assert fleet.unreadable == (Unreadable("a", "x"), Unreadable("b", "x"))


def test_everything_that_is_there_twice_is_named() -> None:
    """One message for all."""
    with pytest.raises(InventoryError) as raised:
        assemble(source="", taken_at=None, machines=[vm("a"), vm("A"), vm("b"), vm("b"), vm("b")])

    assert str(raised.value).splitlines() == [
        f"the same machine is there more than once: {vm_id('a')}",
        f"the same machine is there more than once: {vm_id('b')}",
    ]


def test_sets_are_there_once() -> None:
    """As machines are."""
    with pytest.raises(
        InventoryError, match=f"the same availability set is there more than once: {set_id('as')}"
    ):
        assemble(
            source="",
            taken_at=None,
            machines=(),
            availability_sets=[availability_set("as"), availability_set("AS")],
        )
