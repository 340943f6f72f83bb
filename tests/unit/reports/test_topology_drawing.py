"""The topology as a picture and as GraphML."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from xml.etree import ElementTree as ET

import networkx as nx
import orjson
import pytest

from orchestrator.inventory.read import read
from orchestrator.reports.topology import draw, to_graphml
from orchestrator.topology.graph import Topology, build
from tests.data.az_vm_list import vm_list
from tests.fleet import inventory, set_id, vm, vm_id

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shop() -> Topology:
    """A fleet with names that markup would trip over."""
    return build(
        inventory(
            vm("web<1>", availability_set=set_id("as"), update_domain=0, tags={"Tier": "web & api"}),
            vm(r"$\db$", zone="1"),
            taken_at=datetime(2026, 11, 22, 1, tzinfo=UTC),
        )
    )


def titles(svg: bytes) -> list[str]:
    """What squares say under the pointer."""
    return sorted(title.text or "" for title in ET.fromstring(svg).iter(f"{SVG}title"))


def test_an_svg_tells_machines_under_the_pointer(shop: Topology) -> None:
    """Each by its name and what its colour means, whatever is in the name."""
    assert titles(draw(shop)) == [r"$\db$: runs", "web<1>: runs"]


def test_waves_tell_theirs(shop: Topology) -> None:
    """Machines in no wave say so."""
    drawn = draw(shop, colour="wave", waves={vm_id("web<1>"): "canary"})

    assert titles(drawn) == [r"$\db$: in no wave", "web<1>: canary"]


def test_a_large_fleet_has_no_titles() -> None:
    """Thousands of them would be slow to show; the picture is as it was."""
    fleet = build(read(orjson.dumps(vm_list(5001)), "x"))

    assert titles(draw(fleet)) == []


@pytest.mark.parametrize("count", [0, 1, 40, 300])
def test_fleets_of_any_size_are_drawn(count: int) -> None:
    """As a PNG and as a well-formed SVG, also a fleet of none."""
    fleet = build(read(orjson.dumps(vm_list(count, show_details=True)), "x"))

    assert draw(fleet, form="png").startswith(b"\x89PNG\r\n")
    assert len(titles(draw(fleet))) == count


def test_a_drawing_has_no_date(shop: Topology) -> None:
    """A picture in a repository changes when the fleet does, not when it is drawn again."""
    assert draw(shop) == draw(shop)
    assert b"<dc:date>" not in draw(shop)
    assert draw(shop, form="png") == draw(shop, form="png")


SCRIPT = """
from hashlib import sha256
import orjson
from orchestrator.inventory.read import read
from orchestrator.reports.topology import draw, to_graphml
from orchestrator.topology.graph import build
from tests.data.az_vm_list import vm_list
fleet = build(read(orjson.dumps(vm_list(90, show_details=True)), "x"))
print(sha256(draw(fleet) + draw(fleet, form="png") + to_graphml(fleet)).hexdigest())
"""


def test_drawings_do_not_depend_on_the_hash_seed() -> None:
    """The same fleet gives the same bytes in every process."""
    drawn = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ".", "HOME": "/tmp"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(drawn) == 1


def test_graphml_holds_the_graph_and_the_facts(shop: Topology) -> None:
    """Other programs read back every node and edge, and machines with what is known of them."""
    graph = nx.read_graphml(BytesIO(to_graphml(shop)))
    web = graph.nodes[vm_id("web<1>")]

    assert set(graph.nodes) == set(shop.graph.nodes)
    assert set(graph.edges) == set(shop.graph.edges)
    assert (web["kind"], web["name"], web["location"], web["power"], web["tag:Tier"]) == (
        "machine",
        "web<1>",
        "westeurope",
        "running",
        "web & api",
    )
