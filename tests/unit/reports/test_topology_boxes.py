"""What a drawing shows inside of what."""

from __future__ import annotations

from orchestrator.inventory.model import Location, MachineId
from orchestrator.reports.topology_boxes import Box, BoxKind, boxes_of, natural
from orchestrator.topology.graph import build
from tests.fleet import SUBSCRIPTION, availability_set, flex_id, inventory, pool_id, set_id, vm, vm_id

PAIR = (Location("northeurope", ("westeurope",)), Location("westeurope", ("northeurope",)))


def ids(*names: str) -> tuple[MachineId, ...]:
    """The ids of machines that `vm` made."""
    return tuple(vm_id(name) for name in names)


def loose(*names: str) -> Box:
    """Machines in no set."""
    return Box(BoxKind.LOOSE, "", len(names), columns=(ids(*names),))


def test_zones_come_before_what_stands_in_none_and_pairs_stand_together() -> None:
    """Each machine is drawn once: in its region, in its zone, by its name."""
    fleet = build(
        inventory(
            vm("a10", zone="2"), vm("a2", zone="2"), vm("a1", zone="1"), vm("b"), vm("n", location="northeurope"),
            vm("u", location="uksouth"), vm("x", location=""), locations=PAIR,
        )
    )  # fmt: skip

    north = Box(BoxKind.REGION, "northeurope", 1, (Box(BoxKind.NO_ZONE, "no zone", 1, (loose("n"),)),))
    west = Box(
        BoxKind.REGION,
        "westeurope",
        4,
        (
            Box(BoxKind.ZONE, "zone 1", 1, (loose("a1"),)),
            Box(BoxKind.ZONE, "zone 2", 2, (loose("a2", "a10"),)),
            Box(BoxKind.NO_ZONE, "no zone", 1, (loose("b"),)),
        ),
    )
    assert boxes_of(fleet) == (
        Box(BoxKind.PAIRS, "paired: northeurope + westeurope", 5, (north, west)),
        Box(BoxKind.REGION, "uksouth", 1, (Box(BoxKind.NO_ZONE, "no zone", 1, (loose("u"),)),)),
        Box(BoxKind.REGION, "no region", 1, (Box(BoxKind.NO_ZONE, "no zone", 1, (loose("x"),)),)),
    )


def test_regions_that_pairs_tie_in_a_chain_stand_together() -> None:
    """The title names each pair: the first and the last of the chain are none."""
    fleet = build(
        inventory(
            *(vm(name, location=name) for name in ("brazilsouth", "northcentralus", "southcentralus")),
            locations=(
                Location("brazilsouth", ("southcentralus",)),
                Location("northcentralus", ("southcentralus",)),
                Location("southcentralus", ("northcentralus",)),
            ),
        )
    )
    (together,) = boxes_of(fleet)

    assert together.title == "paired: brazilsouth + southcentralus, northcentralus + southcentralus"
    assert [region.title for region in together.boxes] == ["brazilsouth", "northcentralus", "southcentralus"]


def test_columns_of_an_availability_set_are_its_update_domains() -> None:
    """Members whose domain is unknown stand in a column of their own, and members nobody can read are counted."""
    held = {"availability_set": set_id("as")}
    fleet = build(
        inventory(
            vm("a", **held, update_domain=10),
            vm("b", **held, update_domain=2),
            vm("c", **held, update_domain=2),
            vm("d", **held),
            availability_sets=(availability_set("as", "a", "stranger"),),
        )
    )
    (region,) = boxes_of(fleet)

    assert region.boxes[0].boxes == (
        Box(
            BoxKind.AVAILABILITY_SET,
            "as",
            4,
            columns=(ids("b", "c"), ids("a"), ids("d")),
            column_names=("2", "10", "?"),
            note=" (+1 unknown)",
        ),
    )


def test_a_set_without_known_domains_has_no_columns() -> None:
    """Nor has a scale set with a single fault domain: there is nothing to tell apart."""
    flex = {"scale_set": flex_id("ss"), "fault_domain": 0, "zone": "1"}
    unknown = {"availability_set": set_id("as")}
    fleet = build(inventory(vm("a", **unknown), vm("b", **unknown), vm("c", **flex), vm("d", **flex)))
    (region,) = boxes_of(fleet)

    assert [zone.boxes for zone in region.boxes] == [
        (Box(BoxKind.SCALE_SET, "ss", 2, columns=(ids("c", "d"),)),),
        (Box(BoxKind.AVAILABILITY_SET, "as", 2, columns=(ids("a", "b"),)),),
    ]


def test_a_scale_set_across_zones_is_drawn_in_each() -> None:
    """A zone's box holds only what stands in it."""
    fleet = build(inventory(*(vm(f"m{zone}", scale_set=flex_id("ss"), zone=zone) for zone in "12")))
    (region,) = boxes_of(fleet)

    assert [(zone.title, zone.count, zone.boxes[0].title) for zone in region.boxes] == [
        ("zone 1", 1, "ss"),
        ("zone 2", 1, "ss"),
    ]


def test_a_subscription_is_shortened_in_titles() -> None:
    """Zones that can't be compared name their subscription by its first digits."""
    fleet = build(inventory(vm("a", zone="1"), vm("b", zone="1", subscription="22222222" + SUBSCRIPTION[8:])))
    (region,) = boxes_of(fleet)

    assert [zone.title for zone in region.boxes] == ["zone 1 of 11111111…", "zone 1 of 22222222…"]


def test_names_sort_as_people_count() -> None:
    """Numbers inside of names compare as numbers."""
    assert sorted(["web-10", "Web-2", "web", "10", "9"], key=natural) == ["9", "10", "web", "Web-2", "web-10"]


def test_a_pool_is_drawn_in_each_zone_that_it_spans_and_a_set_goes_before_it() -> None:
    """With how many there are in all, where it spans several; each machine is drawn once, in the first of its pools."""
    web, api = pool_id("web"), pool_id("api")
    fleet = build(
        inventory(
            vm("a", zone="1", backend_pools=(web,)),
            vm("b", zone="2", backend_pools=(api, web)),
            vm("c", zone="2", backend_pools=()),
            vm("s", availability_set=set_id("as"), backend_pools=(web,)),
        )
    )
    (region,) = boxes_of(fleet)
    first, second, none = (zone.boxes for zone in region.boxes)

    assert first == (Box(BoxKind.POOL, "lb/web", 1, columns=(ids("a"),), note=" of 3"),)
    assert second == (Box(BoxKind.POOL, "lb/api", 1, columns=(ids("b"),)), loose("c"))
    assert [box.kind for box in none] == [BoxKind.AVAILABILITY_SET]
