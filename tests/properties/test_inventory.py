"""Inventories and topologies of any shape: what is written is read back, and what is asked comes in one order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.errors import InventoryError
from orchestrator.inventory import ids, native
from orchestrator.inventory.arm import machine_from_arm
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    BackendPool,
    Connection,
    Image,
    Installed,
    Inventory,
    Kind,
    Location,
    Machine,
    Orchestration,
    Os,
    PatchSettings,
    PatchState,
    Power,
    ScaleSet,
    Unreadable,
    machine_id,
    resource_id,
)
from orchestrator.inventory.read import read
from orchestrator.inventory.standing import cannot_roll, unknowns
from orchestrator.topology.graph import build
from orchestrator.topology.model import GroupKind
from tests.fleet import arm_id, pool_id

# Few names, so that machines meet: in sets, in zones, in regions of one pair.
NAMES = st.sampled_from(["a", "b", "c", "D", "e", "f", "é"])
REGIONS = st.sampled_from(["westeurope", "northeurope", "eastus", "westus", "westus3", "atlantis"])
SUBSCRIPTIONS = st.sampled_from(["s1", "s2", "s3"])
TEXT = st.text(max_size=8)
DOMAINS = st.none() | st.integers(0, 19)
MOMENTS = st.none() | st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the time zone itself
    timezones=st.just(UTC),
)

WORDS = st.none() | TEXT
TRUTHS = st.none() | st.booleans()
INSTALLED = st.lists(
    st.builds(Installed, st.sampled_from(["5066835", "5070881"]), TEXT, MOMENTS),
    unique_by=lambda one: one.kb,
    max_size=2,
).map(lambda found: tuple(sorted(found, key=lambda one: one.kb)))
SETS = NAMES.map(lambda name: resource_id(arm_id(name, "availabilitySets")))
SCALE_SETS = NAMES.map(lambda name: resource_id(arm_id(name, "virtualMachineScaleSets")))
POOLS = st.sampled_from(["api", "web"]).map(pool_id)
MEMBERS = st.lists(NAMES.map(lambda name: machine_id(arm_id(name))), unique=True, max_size=4).map(
    lambda members: tuple(sorted(members))
)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine with any facts."""
    subscription = draw(SUBSCRIPTIONS)
    spelled = arm_id(draw(NAMES), subscription=subscription)
    return draw(
        st.builds(
            Machine,
            id=st.just(machine_id(spelled)),
            arm_id=st.just(spelled),
            name=st.just(ids.name_of(spelled)) | TEXT,
            subscription=st.just(subscription),
            resource_group=st.sampled_from(["rg-shop", "rg-other", ""]),
            location=REGIONS | st.just(""),
            kind=st.sampled_from(Kind),
            zone=st.none() | st.sampled_from("123"),
            tags=st.dictionaries(TEXT, TEXT, max_size=3),
            os=st.sampled_from(Os),
            size=TEXT,
            image=st.builds(Image, TEXT, TEXT, TEXT, TEXT, st.none() | TEXT),
            availability_set=st.none() | SETS,
            scale_set=st.none() | SCALE_SETS,
            backend_pools=st.none() | st.lists(POOLS, unique=True, max_size=2).map(sorted).map(tuple),
            update_domain=DOMAINS,
            fault_domain=DOMAINS,
            power=st.sampled_from(Power),
            agent=st.sampled_from(Agent),
            app_health=st.sampled_from(AppHealth),
            patches=st.builds(
                PatchState,
                MOMENTS,
                DOMAINS,
                DOMAINS,
                st.none() | st.booleans(),
                st.none() | TEXT,
                st.none() | TEXT,
                MOMENTS,
                installed=st.none() | INSTALLED,
            ),
            patch_settings=st.builds(PatchSettings, WORDS, TRUTHS, WORDS, WORDS, WORDS, TRUTHS, TRUTHS),
            patch_mode=TEXT,
            time_zone=TEXT,
            computer_name=TEXT,
            private_ips=st.lists(TEXT, max_size=2).map(tuple),
            provisioning=st.sampled_from(["", "Succeeded", "Updating", "Failed", "Deleting"]),
            os_name=WORDS,
            os_version=WORDS,
            os_edition=WORDS,
            vbs=TRUTHS,
            agent_version=WORDS,
            connection=st.sampled_from(Connection),
            connection_since=MOMENTS,
            cluster=st.none() | SETS,
            schedules=st.none() | st.lists(SETS, max_size=2, unique=True).map(sorted).map(tuple),
        )
    )


def once(things: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few things, each id once, sorted by id."""
    return st.lists(things, max_size=8, unique_by=lambda thing: thing.id).map(
        lambda found: tuple(sorted(found, key=lambda thing: thing.id))
    )


ZONES = st.dictionaries(
    SUBSCRIPTIONS,
    st.dictionaries(st.sampled_from("123"), st.sampled_from(["az1", "az2"]), min_size=1),
    max_size=3,
)
LOCATIONS = st.lists(
    st.builds(Location, REGIONS, st.lists(REGIONS, unique=True, max_size=2).map(sorted).map(tuple), ZONES),
    unique_by=lambda location: location.name,
    max_size=4,
).map(lambda found: tuple(sorted(found, key=lambda location: location.name)))
UNREADABLE = st.lists(st.builds(Unreadable, TEXT.filter(bool), TEXT), max_size=2).map(
    lambda found: tuple(sorted(found, key=lambda u: (u.what, u.why)))
)
INVENTORIES = st.builds(
    Inventory,
    taken_at=MOMENTS,
    source=TEXT,
    machines=once(machines()),
    availability_sets=once(st.builds(AvailabilitySet, SETS, TEXT, REGIONS, DOMAINS, DOMAINS, MEMBERS)),
    backend_pools=once(st.builds(BackendPool, POOLS, TEXT.filter(bool), MEMBERS)),
    scale_sets=once(
        st.builds(
            ScaleSet,
            SCALE_SETS,
            TEXT,
            REGIONS,
            st.sampled_from(Orchestration),
            DOMAINS,
            MEMBERS,
            st.integers(0, 9),
            TRUTHS,
        )
    ),
    locations=LOCATIONS,
    unreadable=UNREADABLE,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
ARM_KEYS = st.sampled_from(
    [
        "id",
        "name",
        "type",
        "location",
        "zones",
        "tags",
        "properties",
        "instanceView",
        "statuses",
        "code",
        "vmAgent",
        "displayStatus",
        "osProfile",
        "storageProfile",
        "availabilitySet",
        "virtualMachineScaleSet",
        "platformUpdateDomain",
        "patchStatus",
        "extended",
        "powerState",
        "data",
        "value",
        "count",
        "total_records",
        "skip_token",
        "schema",
        "machines",
        "availability_sets",
        "power",
        "members",
    ]
)
ARM = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(arm_id("a")) | st.just(native.SCHEMA) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ARM_KEYS, inner, max_size=5),
    max_leaves=20,
)


def reading(text: bytes) -> tuple[Inventory | None, list[str]]:
    """What a file holds, or what is said to be wrong with it."""
    try:
        return read(text, "fleet.json"), []
    except InventoryError as error:
        return None, str(error).splitlines()


@given(INVENTORIES)
def test_what_is_written_is_read_back(fleet: Inventory) -> None:
    """The project's own file keeps everything, and writing it again gives the same bytes."""
    written = native.dump(fleet)
    again = native.parse(orjson.loads(written))

    assert again == fleet
    assert native.dump(again) == written


@given(JSON | ARM)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_an_inventory_or_refused_with_words(document: object) -> None:
    """A file never ends in an exception that isn't a message, and each of its lines names the file."""
    fleet, said = reading(orjson.dumps(document))

    assert all(line.startswith("fleet.json: ") for line in said)
    assert fleet is None or native.parse(orjson.loads(native.dump(fleet))) == fleet


@given(st.binary(max_size=40))
def test_any_bytes_are_an_inventory_or_refused(text: bytes) -> None:
    """Whatever is in a file."""
    assert all(line.startswith("fleet.json: ") for line in reading(text)[1])


@given(st.dictionaries(ARM_KEYS, ARM, max_size=8), st.none() | st.dictionaries(ARM_KEYS, ARM, max_size=8))
def test_an_id_is_all_that_a_machine_needs(model: dict[str, Any], view: dict[str, Any] | None) -> None:
    """Whatever else ARM answers, it is read or counts as not told."""
    machine = machine_from_arm({**model, "properties": view, "id": arm_id("web-1")}, view)

    assert machine.id == machine_id(arm_id("web-1"))


@given(INVENTORIES)
def test_each_machine_is_in_the_groups_that_name_it(fleet: Inventory) -> None:
    """Members of a group and groups of a machine are two views of one relation, both sorted, without repeats."""
    topology = build(fleet)
    for kind in GroupKind:
        groups = topology.groups(kind)
        assert [group.key for group in groups] == sorted({group.key for group in groups})
        for group in groups:
            assert list(group.members) == sorted(set(group.members))
            assert list(group.unknown) == sorted(set(group.unknown) - set(topology.machines))
            assert all(group in topology.groups_of(machine) for machine in group.members)
    for machine in topology.machines:
        assert all(machine in group.members for group in topology.groups_of(machine))


@given(INVENTORIES)
def test_zones_of_two_subscriptions_meet_only_in_a_known_data_centre(fleet: Inventory) -> None:
    """Never are machines of two subscriptions taken to be in one zone because their numbers are the same."""
    topology = build(fleet)
    physical = {
        (location.name, subscription, zone): name
        for location in fleet.locations
        for subscription, mapping in location.zones.items()
        for zone, name in mapping.items()
    }
    for group in topology.groups(GroupKind.ZONE):
        held = [topology.machine(member) for member in group.members]
        assert len({machine.location for machine in held}) == 1
        if len({machine.subscription for machine in held}) > 1:
            found = {physical.get((m.location, m.subscription, m.zone or "")) for m in held}
            assert len(found) == 1
            assert None not in found


@given(INVENTORIES, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_order_makes_no_difference(fleet: Inventory, chance: Any) -> None:
    """The same facts in any order are the same topology, with the same sentences about them."""
    mixed = list(fleet.machines)
    chance.shuffle(mixed)
    other = replace(fleet, source="elsewhere", machines=tuple(mixed))

    assert build(other).fingerprint == build(fleet).fingerprint
    assert [build(other).groups(kind) for kind in GroupKind] == [
        build(fleet).groups(kind) for kind in GroupKind
    ]
    assert (unknowns(other), cannot_roll(other)) == (unknowns(fleet), cannot_roll(fleet))


@pytest.mark.parametrize(
    "kind", [kind for kind in GroupKind if kind not in {GroupKind.TAG, GroupKind.LOAD_BALANCER}]
)
@given(INVENTORIES)
@settings(max_examples=20)
def test_every_kind_but_pairs_and_pools_gives_a_machine_at_most_one_group(
    kind: GroupKind, fleet: Inventory
) -> None:
    """Only where a machine and a set contradict each other it is in two."""
    topology = build(fleet)
    claimed = {member for held in (*fleet.availability_sets, *fleet.scale_sets) for member in held.members}
    for machine in topology.machines:
        found = [group for group in topology.groups_of(machine) if group.kind is kind]
        assert len(found) <= 1 or kind is GroupKind.REGION_PAIR or machine in claimed
