"""The topology as a picture that a person can read, and as GraphML for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import matplotlib as mpl
import networkx as nx
from matplotlib.colors import to_hex

from orchestrator.inventory.model import MachineId
from orchestrator.reports.topology_boxes import boxes_of
from orchestrator.reports.topology_colours import looks_by_state, looks_by_wave
from orchestrator.reports.topology_packing import lay_out, scale_for
from orchestrator.reports.topology_page import Page, as_png, as_svg, text_width
from orchestrator.topology.graph import MACHINE, Topology
from orchestrator.topology.model import GroupKind


def draw(
    topology: Topology,
    *,
    form: Literal["svg", "png"] = "svg",
    colour: Literal["state", "wave"] = "state",
    waves: Mapping[MachineId, str] | None = None,
    title: str = "",
) -> bytes:
    """Regions beside the regions they are paired with, zones and sets inside, and a square for each machine.

    Coloured by power and health, or by wave: `waves` says each machine's, in the order of the plan. The same topology gives
    the same bytes. Where there are at most 5,000 machines, each square of an SVG tells its machine's name under the pointer.
    """
    machines = [topology.machine(machine) for machine in topology.machines]
    if colour == "wave":
        shades = mpl.colormaps["viridis"]
        looks = looks_by_wave(machines, waves or {}, lambda place: to_hex(shades(place)))
    else:
        looks = looks_by_state(machines)
    scale = scale_for(len(machines))
    names = {machine.id: machine.name for machine in machines}
    page = Page(
        title=title or "Topology",
        facts=_facts(topology),
        body=lay_out(boxes_of(topology), scale, names.__getitem__, text_width),
        looks=looks,
        names=names,
        cell=scale.cell,
    )
    return as_png(page) if form == "png" else as_svg(page)


def to_graphml(topology: Topology) -> bytes:
    """The graph of the topology, with the facts of machines as attributes, for Gephi, yEd and the like."""
    plain: nx.DiGraph[str] = nx.DiGraph()
    for node, facts in topology.graph.nodes(data=True):
        told = {name: str(value) for name, value in sorted(facts.items())}
        if facts["kind"] == MACHINE:
            machine = topology.machine(MachineId(node))
            told |= {
                "location": machine.location,
                "zone": machine.zone or "",
                "os": str(machine.os),
                "size": machine.size,
                "power": str(machine.power),
                "agent": str(machine.agent),
                "app_health": str(machine.app_health),
                **{f"tag:{name}": value for name, value in sorted(machine.tags.items())},
            }
        plain.add_node(node, **told)
    plain.add_edges_from(topology.graph.edges)
    return ("\n".join(nx.generate_graphml(plain, named_key_ids=True)) + "\n").encode()


def _facts(topology: Topology) -> tuple[str, ...]:
    """What the fleet amounts to, and from where and when that is known; a line each."""
    counted = [f"{len(topology):,} machine" + ("" if len(topology) == 1 else "s")]
    for kind, called in (
        (GroupKind.REGION, "region"),
        (GroupKind.ZONE, "zone"),
        (GroupKind.AVAILABILITY_SET, "availability set"),
        (GroupKind.SCALE_SET, "scale set"),
        (GroupKind.LOAD_BALANCER, "back-end pool"),
        (GroupKind.CLUSTER, "cluster"),
    ):
        count = len(topology.groups(kind))
        if count:
            counted.append(f"{count:,} {called}" + ("" if count == 1 else "s"))
    taken, source = topology.inventory.taken_at, topology.inventory.source
    told = [f"from {source}"] if source else []
    if taken is not None:
        told.append(f"taken {taken:%Y-%m-%d %H:%M %Z}".rstrip())
    return tuple(", ".join(line) for line in (counted, told) if line)
