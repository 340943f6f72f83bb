"""The project's own inventory file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory import native
from orchestrator.inventory.model import (
    AppHealth,
    Image,
    Inventory,
    Kind,
    Location,
    Machine,
    Orchestration,
    Os,
    PatchState,
    Unreadable,
)
from tests.fleet import (
    SUBSCRIPTION,
    arm_id,
    availability_set,
    inventory,
    pool,
    pool_id,
    scale_set,
    set_id,
    vm,
    vm_id,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

FULL = inventory(
    vm(
        "web-1",
        kind=Kind.AZURE_LOCAL,
        zone="2",
        tags={"app": "shop", "Owner": "é"},
        os=Os.WINDOWS,
        size="Standard_D2s_v5",
        image=Image("p", "o", "s", "v"),
        availability_set=set_id("as-web"),
        update_domain=0,
        fault_domain=1,
        app_health=AppHealth.INITIALIZING,
        patches=PatchState(NOON, 1, 2, False, "9d3f", "Succeeded", NOON + timedelta(microseconds=5)),
        patch_mode="Manual",
        time_zone="UTC",
        computer_name="WEB1",
        private_ips=("10.0.0.9", "10.0.0.4"),
        provisioning="Succeeded",
    ),
    vm("web-2"),
    taken_at=NOON,
    source="arm",
    availability_sets=(availability_set("as-web", "web-1", "web-9", update_domains=5, fault_domains=3),),
    scale_sets=(scale_set("flex", orchestration=Orchestration.UNIFORM, fault_domains=1, instances=3),),
    locations=(Location("westeurope", ("northeurope",), {SUBSCRIPTION: {"1": "westeurope-az2"}}),),
    unreadable=(Unreadable("scale sets", "no permission"),),
)


def document(**machine: Any) -> dict[str, Any]:
    """A document with one machine."""
    return {"schema": native.SCHEMA, "machines": [{"id": arm_id("web-1"), **machine}]}


def problems(of: object) -> list[str]:
    """What is said to be wrong with a document."""
    with pytest.raises(InventoryError) as raised:
        native.parse(of)
    return str(raised.value).splitlines()


def test_everything_round_trips() -> None:
    """What is written is read back equal, whatever an inventory holds."""
    assert native.parse(orjson.loads(native.dump(FULL))) == FULL


def test_equal_inventories_give_equal_bytes() -> None:
    """The order in which things, tags and zones came makes no difference."""
    shuffled = Inventory(
        taken_at=NOON.astimezone(timezone(timedelta(hours=1))),
        source=FULL.source,
        machines=tuple(reversed(FULL.machines)),
        availability_sets=FULL.availability_sets,
        scale_sets=FULL.scale_sets,
        locations=FULL.locations,
        unreadable=FULL.unreadable,
    )

    assert native.dump(FULL) == native.dump(shuffled)


def test_the_file_is_fit_for_people() -> None:
    """It is indented, its keys are sorted, times are UTC, ids have the source's spelling, and it ends in a newline."""
    written = native.dump(FULL).decode()
    row = orjson.loads(written)["machines"][0]

    assert written.endswith("}\n")
    assert '  "taken_at": "2026-11-22T12:00:00Z",\n' in written
    assert (row["id"], list(row), list(row["image"])) == (arm_id("web-1"), sorted(row), sorted(row["image"]))


def test_only_the_id_of_a_machine_is_needed() -> None:
    """All else is read off the id or not known."""
    assert native.parse(document()).machines == (
        Machine(
            id=vm_id("web-1"),
            arm_id=arm_id("web-1"),
            name="web-1",
            subscription=SUBSCRIPTION,
            resource_group="rg-shop",
            location="",
        ),
    )


def test_null_is_the_same_as_a_missing_key() -> None:
    """A field that a person empties by writing null keeps its default."""
    emptied = document(name=None, tags={"a": None}, power=None, zone=None, image=None, patches=None)

    assert native.parse(emptied) == native.parse(document())


def test_ids_and_regions_are_brought_to_one_spelling() -> None:
    """A set that is spelt in two ways is one set, and `West Europe` is westeurope."""
    read = native.parse(
        {
            "schema": native.SCHEMA,
            "machines": [
                {
                    "id": arm_id("web-1"),
                    "availability_set": arm_id("AS", "availabilitySets"),
                    "location": "West Europe",
                }
            ],
            "availability_sets": [{"id": arm_id("as", "availabilitySets"), "members": [arm_id("WEB-1")]}],
            "locations": [
                {"name": "West Europe", "paired": ["North Europe"], "zones": {"SUB": {"1": "WE-az1"}}}
            ],
        }
    )

    assert read.machines[0].availability_set == read.availability_sets[0].id
    assert read.availability_sets[0].members == (read.machines[0].id,)
    assert read.machines[0].location == "westeurope"
    assert read.locations == (Location("westeurope", ("northeurope",), {"sub": {"1": "we-az1"}}),)


def test_every_problem_is_told_at_once_with_its_place() -> None:
    """One message names all that is wrong, where, and what to write instead."""
    wrong = {
        "schema": native.SCHEMA,
        "taken_at": "2026-11-22T12:00:00",
        "machine": [],
        "machines": [
            {"id": arm_id("web-1"), "name": "web-1", "availabilty_set": "x", "power": "runing"},
            {"id": arm_id("web-2"), "update_domain": -1, "tags": {"a": 1}, "private_ips": "10.0.0.4"},
            {"name": "web-3", "patches": {"reboot_pending": "no"}},
            "web-4",
        ],
        "scale_sets": {},
    }

    assert problems(wrong) == [
        'taken_at is "2026-11-22T12:00:00"; write a time with its offset, such as "2026-11-22T01:00:00Z"',
        "machine is no key of this format; did you mean machines?",
        "machines[0] (web-1).availabilty_set is no key of this format; did you mean availability_set?",
        (
            'machines[0] (web-1).power is "runing"; write one of running, starting, stopping, stopped, deallocating, '
            "deallocated, unknown"
        ),
        "machines[1].update_domain is -1; write a whole number, 0 or more",
        "machines[1].tags.a is 1; write a string",
        'machines[1].private_ips is "10.0.0.4"; write a list of strings',
        'machines[2] (web-3).patches.reboot_pending is "no"; write true or false',
        "machines[2] (web-3) has no id",
        'machines[3] is "web-4"; write an object',
        "scale_sets is {}; write a list",
    ]


def test_a_long_value_is_cut_in_the_message() -> None:
    """A message stays a line that can be read."""
    (problem,) = problems(document(power="x" * 500))

    assert len(problem) < 250


def test_ids_compare_without_regard_to_case() -> None:
    """Two spellings of one id are one machine, and a machine is there once."""
    twice = {"schema": native.SCHEMA, "machines": [{"id": arm_id("web-1")}, {"id": arm_id("WEB-1")}]}

    assert problems(twice) == [
        f"machines holds {vm_id('web-1')} more than once; ids compare without regard to case"
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([], 'an inventory is a JSON object that begins with "schema": "wavekeeper.inventory/1"'),
        (
            {"schema": "wavekeeper.inventory/2"},
            "its schema is 'wavekeeper.inventory/2'; this program reads \"wavekeeper.inventory/1\"",
        ),
        (
            {"schema": "wavekeeper.plan/1"},
            "its schema is 'wavekeeper.plan/1'; this program reads \"wavekeeper.inventory/1\"",
        ),
    ],
)
def test_another_document_is_refused(wrong: object, told: str) -> None:
    """A newer version, a plan, or anything else isn't read as if it were an inventory."""
    assert problems(wrong) == [told]


def test_pools_that_nobody_told_are_not_none() -> None:
    """Both are kept as they are, and a fleet without any has the document that it always had."""
    told = inventory(
        vm("a", backend_pools=(pool_id("web"),)),
        vm("b", backend_pools=()),
        vm("c"),
        backend_pools=(pool("web", "a", "ghost"),),
    )

    assert native.parse(orjson.loads(native.dump(told))) == told
    assert b"backend_pools" not in native.dump(inventory(vm("c")))
