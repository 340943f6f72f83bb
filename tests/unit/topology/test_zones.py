"""Which zone a machine really stands in."""

from __future__ import annotations

from orchestrator.inventory.model import Location
from orchestrator.topology.zones import Zone, zones_of
from tests.fleet import inventory, vm

S1, S2 = "s1", "s2"


def west(**zones: dict[str, str]) -> tuple[Location, ...]:
    """The region westeurope as subscriptions were told of it."""
    return (Location("westeurope", ("northeurope",), zones),)


def test_one_subscription_is_told_apart_by_its_logical_zones() -> None:
    """Without a mapping, too: within a subscription zone 1 is one data centre."""
    one, other, nowhere = vm("a", zone="1"), vm("b", zone="2"), vm("c")
    zones = zones_of(inventory(one, other, nowhere))

    assert zones.of(one) == Zone("westeurope/1", "westeurope zone 1")
    assert zones.of(other) == Zone("westeurope/2", "westeurope zone 2")
    assert zones.of(nowhere) is None
    assert zones.mapping_unknown == ()


def test_one_subscription_with_a_mapping_goes_by_physical_zones() -> None:
    """The key is the data centre, the name what people of that subscription call it."""
    machine = vm("a", zone="1", subscription=S1)
    zones = zones_of(inventory(machine, locations=west(s1={"1": "westeurope-az2"})))

    assert zones.of(machine) == Zone("westeurope/westeurope-az2", "westeurope zone 1")


def test_subscriptions_meet_in_physical_zones() -> None:
    """Zone 1 of one subscription may be zone 2 of another: machines of both then stand together."""
    one, other = vm("a", zone="1", subscription=S1), vm("b", zone="2", subscription=S2)
    zones = zones_of(
        inventory(one, other, locations=west(s1={"1": "westeurope-az2"}, s2={"2": "westeurope-az2"}))
    )

    assert zones.of(one) == zones.of(other) == Zone("westeurope/westeurope-az2", "westeurope-az2")
    assert zones.mapping_unknown == ()


def test_subscriptions_that_cannot_be_compared_are_kept_apart() -> None:
    """One mapping missing is enough: no zone of that region may be taken for another's."""
    one, other = vm("a", zone="1", subscription=S1), vm("b", zone="1", subscription=S2)
    zones = zones_of(inventory(one, other, locations=west(s1={"1": "westeurope-az2"})))

    assert zones.of(one) == Zone("westeurope/s1/1", "westeurope zone 1 of subscription s1")
    assert zones.of(other) == Zone("westeurope/s2/1", "westeurope zone 1 of subscription s2")
    assert zones.mapping_unknown == ("westeurope",)


def test_each_region_is_settled_by_itself() -> None:
    """What isn't known of one region doesn't cost another its zones; machines without a zone ask for no mapping."""
    north = vm("c", zone="1", subscription=S1, location="northeurope")
    nowhere = vm("d", subscription=S2, location="northeurope")
    zones = zones_of(
        inventory(vm("a", zone="1", subscription=S1), vm("b", zone="1", subscription=S2), north, nowhere)
    )

    assert zones.mapping_unknown == ("westeurope",)
    assert zones.of(north) == Zone("northeurope/1", "northeurope zone 1")


def test_the_case_of_a_subscription_makes_no_difference() -> None:
    """A subscription that a file spells in two ways is one."""
    fleet = inventory(vm("a", zone="1", subscription="S1"), vm("b", zone="2", subscription="s1"))

    assert zones_of(fleet).mapping_unknown == ()
