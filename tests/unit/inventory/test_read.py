"""Files that people have, read without being told what they are."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Kind, Location, Power, Unreadable, machine_id
from orchestrator.inventory.read import read
from tests.data.az_vm_list import vm_list
from tests.fleet import SUBSCRIPTION, arm_id, inventory, set_id, vm, vm_id

DATA = Path(__file__).parents[2] / "data"

EVERYTHING = (
    "this is JSON, but no inventory; it reads wavekeeper.inventory/1 and the JSON of az vm list (with or without "
    "--show-details), az vm get-instance-view, az connectedmachine list, az graph query and ARM's lists"
)


def sample(name: str) -> Inventory:
    """A file as its tool printed it, read."""
    return read((DATA / name).read_bytes(), name)


def rows(name: str) -> Any:
    """The JSON of a sample."""
    return orjson.loads((DATA / name).read_bytes())


def refusal(document: object) -> list[str]:
    """What reading this document as `fleet.json` says."""
    text = document if isinstance(document, bytes) else orjson.dumps(document)
    with pytest.raises(InventoryError) as raised:
        read(text, "fleet.json")
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("name", "source", "machines"),
    [
        ("az-vm-list.json", "az vm list", 4),
        ("az-vm-list-show-details.json", "az vm list --show-details", 4),
        ("az-vm-get-instance-view.json", "az vm get-instance-view", 2),
        ("az-connectedmachine-list.json", "az connectedmachine list", 2),
        ("az-graph-query.json", "az graph query", 6),
        ("az-graph-query-projected.json", "az graph query", 2),
        ("arm-vm-list.json", "arm", 4),
        ("arm-vm-status-only.json", "arm", 4),
    ],
)
def test_a_file_says_itself_what_it_is(name: str, source: str, machines: int) -> None:
    """Nobody has to name the format."""
    read_back = sample(name)

    assert (read_back.source, len(read_back.machines)) == (source, machines)


def test_show_details_adds_power_and_addresses() -> None:
    """Apart from that the two listings hold the same machines."""
    plain, detailed = sample("az-vm-list.json"), sample("az-vm-list-show-details.json")

    assert [machine.id for machine in plain.machines] == [machine.id for machine in detailed.machines]
    assert {machine.power for machine in plain.machines} == {Power.UNKNOWN}
    assert {machine.name: machine.power for machine in detailed.machines} == {
        "web-1": Power.RUNNING,
        "web-2": Power.DEALLOCATED,
        "api-1": Power.RUNNING,
        "db-1": Power.STOPPED,
    }


def test_a_graph_query_brings_sets_and_arc_machines_and_other_rows_are_passed_over() -> None:
    """A query over `resources` may hold anything; what an inventory knows is taken."""
    fleet = sample("az-graph-query.json")

    assert [held.name for held in fleet.availability_sets] == ["AS-WEB"]
    assert [held.name for held in fleet.scale_sets] == ["vmss-batch", "vmss-api"]
    assert {m.name: (m.kind, m.power) for m in fleet.machines if m.kind is not Kind.AZURE_VM} == {
        "branch-01": (Kind.ARC, Power.RUNNING),
        "branch-02": (Kind.AZURE_LOCAL, Power.UNKNOWN),
    }
    assert {m.name: m.power for m in fleet.machines if m.kind is Kind.AZURE_VM} == {
        "web-1": Power.RUNNING,
        "web-2": Power.DEALLOCATED,
        "api-1": Power.RUNNING,
        "db-1": Power.RUNNING,
    }


def test_a_bare_array_of_graph_rows_is_read_too() -> None:
    """`az graph query --query data` prints the rows alone."""
    page = rows("az-graph-query.json")

    assert read(orjson.dumps(page["data"]), "x") == read(orjson.dumps(page), "x")


def test_a_projection_is_read_and_what_it_leaves_out_is_named() -> None:
    """A missing column isn't the same as a machine without a set or a zone: the inventory says so."""
    cure = (
        "the file's rows leave them out; keep zones and properties in the query, or project no columns at all"
    )

    assert sample("az-graph-query-projected.json").unreadable == (
        Unreadable("the availability sets and scale sets of 2 machines", cure),
        Unreadable("the zones of 2 machines", cure),
    )


def test_rows_that_leave_out_nulls_are_whole() -> None:
    """Newer versions of az don't print keys without a value; a machine without a set has none there."""
    thin = [{k: v for k, v in row.items() if v is not None} for row in rows("az-vm-list.json")]

    assert read(orjson.dumps(thin), "x") == sample("az-vm-list.json")


def test_a_single_machine_is_a_fleet_of_one() -> None:
    """`az vm show` prints an object, not a list."""
    one = rows("az-vm-list.json")[0]

    assert [machine.name for machine in read(orjson.dumps(one), "x").machines] == ["web-1"]


def test_pages_that_were_joined_are_one_fleet() -> None:
    """`jq -s .` makes an array of pages."""
    page = rows("az-graph-query.json")
    half = len(page["data"]) // 2
    first = {**page, "data": page["data"][:half], "skip_token": "more"}
    second = {**page, "data": page["data"][half:]}

    assert read(orjson.dumps([first, second]), "x") == read(orjson.dumps(page), "x")


@pytest.mark.parametrize(
    ("page", "of_total"),
    [
        ({"data": [], "count": 0, "skip_token": "x", "total_records": 1500}, " of 1,500"),
        ({"data": [], "count": 0, "skip_token": None, "total_records": 1500}, " of 1,500"),
        ({"value": [], "nextLink": "https://management.azure.com/next"}, ""),
    ],
)
def test_a_part_of_a_fleet_is_refused(page: dict[str, Any], of_total: str) -> None:
    """Planned with a part of each group, a plan would break its rules; the message says how to get the rest."""
    assert refusal(page) == [
        (
            f"fleet.json: it holds only the first 0{of_total} rows; fetch the other pages too "
            "(az graph query --first 1000, then --skip-token) and join them with jq -s . PAGE..."
        )
    ]


def test_the_projects_own_file_is_read() -> None:
    """With the regions that it doesn't describe filled in."""
    fleet = inventory(vm("web-1"))

    assert read(native.dump(fleet), "x") == Inventory(
        taken_at=None,
        source="test",
        machines=fleet.machines,
        locations=(Location("westeurope", ("northeurope",)),),
    )


@pytest.mark.parametrize("empty", [b"[]", b'{"data": [], "count": 0, "total_records": 0}', b'{"value": []}'])
def test_an_empty_fleet_is_an_inventory(empty: bytes) -> None:
    """Whether nothing can be planned with it is for the planner to say."""
    assert read(empty, "x").machines == ()


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: codecs.BOM_UTF8 + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: text.decode().encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.decode().encode("utf-16-be"),
    ],
)
def test_what_powershell_redirects_is_read(encoded: Any) -> None:
    """It writes UTF-16, or UTF-8 with a byte order mark."""
    text = (DATA / "az-vm-list.json").read_bytes()

    assert read(encoded(text), "x") == read(text, "x")


def test_ids_keep_their_spelling_for_display_only() -> None:
    """Two machines whose ids spell one set in two ways stand in the same set."""
    fleet = sample("az-vm-list.json")
    web = [machine for machine in fleet.machines if machine.name.startswith("web")]

    assert {machine.availability_set for machine in web} == {set_id("as-web")}
    assert {machine.resource_group for machine in web} == {"rg-shop"}
    assert "/resourceGroups/RG-SHOP/" in web[0].arm_id


def test_a_thousand_machines_are_read() -> None:
    """What a company's `az vm list` holds arrives whole: every machine, once, with its region described."""
    listed = vm_list(1000)
    fleet = read(orjson.dumps(listed), "x")

    assert [machine.id for machine in fleet.machines] == sorted(machine_id(row["id"]) for row in listed)
    assert [location.name for location in fleet.locations] == ["northeurope", "westeurope"]
    assert sum(m.availability_set is not None for m in fleet.machines) == sum(
        row["availabilitySet"] is not None for row in listed
    )


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"", ["fleet.json: the file is empty; did the command that should have filled it fail?"]),
        (b" \n", ["fleet.json: the file is empty; did the command that should have filled it fail?"]),
        (b"[\xff]", ["fleet.json: byte 1 is not utf-8; save the file as UTF-8"]),
        ({}, [f"fleet.json: {EVERYTHING}"]),
        (7, [f"fleet.json: {EVERYTHING}"]),
        (
            {"error": {"code": "AuthorizationFailed", "message": "The client has no authorization."}},
            [
                "fleet.json: this is an error that Azure answered: AuthorizationFailed: The client has no authorization."
            ],
        ),
        (
            {"schema": "wavekeeper.plan/1"},
            ["fleet.json: its schema is 'wavekeeper.plan/1'; this program reads \"wavekeeper.inventory/1\""],
        ),
        (
            [
                {"name": "web-1"},
                7,
                {"id": "web-1"},
                {"id": arm_id("a"), "location": "x"},
                {"id": arm_id("b")},
            ],
            [
                "fleet.json: row 1 (web-1) has no id; keep id in the query",
                "fleet.json: row 2 is no object",
                "fleet.json: row 3: 'web-1' is no id of Azure Resource Manager",
                "fleet.json: row 5 (b) has no location; keep location in the query",
            ],
        ),
        (
            [{"id": arm_id("web-1"), "location": "x"}, {"id": arm_id("WEB-1"), "location": "x"}],
            [f"fleet.json: the same machine is there more than once: {vm_id('web-1')}"],
        ),
        (
            [
                {
                    "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n"
                }
            ],
            [
                (
                    "fleet.json: none of its 1 rows is a machine; it reads wavekeeper.inventory/1 and the JSON of az vm "
                    "list (with or without --show-details), az vm get-instance-view, az connectedmachine list, az graph "
                    "query and ARM's lists"
                )
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: object, told: list[str]) -> None:
    """Each message names the file, the place, what is wrong and what to do."""
    assert refusal(document) == told


def test_what_is_no_json_is_said_with_line_and_column() -> None:
    """The parser's own words may change; the place and the cure don't."""
    (told,) = refusal(b"[\n  {'id': 1}]")

    assert told.startswith("fleet.json: line 2, column 4: this is not JSON (")
    assert told.endswith("let az print it with --output json, and redirect only its standard output")
