"""Where everything of a drawing goes: nothing overlaps, nothing gets lost."""

from __future__ import annotations

from itertools import combinations

import orjson
import pytest

from orchestrator.inventory.read import read
from orchestrator.reports.topology_boxes import BoxKind, boxes_of
from orchestrator.reports.topology_packing import Frame, Label, Layout, lay_out, scale_for
from orchestrator.reports.topology_page import text_width
from orchestrator.topology.graph import Topology, build
from tests.data.az_vm_list import vm_list
from tests.fleet import availability_set, inventory, set_id, vm

SLACK = 0.1  # points; a tenth of a hair


def packed(topology: Topology) -> Layout:
    """The layout of a fleet."""
    names = {machine: topology.machine(machine).name for machine in topology.machines}
    return lay_out(boxes_of(topology), scale_for(len(topology)), names.__getitem__, text_width)


def company(count: int) -> Topology:
    """A realistic fleet."""
    return build(read(orjson.dumps(vm_list(count, show_details=True)), "x"))


def extent(label: Label) -> tuple[float, float, float, float]:
    """The left, upper, right and lower end of a line of text."""
    wide = text_width(label.text, label.size, label.bold)
    left = label.x - wide / 2 if label.centred else label.x
    return left, label.y - label.size * 0.4, left + wide, label.y + label.size * 0.4


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two rectangles have more than a line in common."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > SLACK and down > SLACK


def edges(frame: Frame) -> tuple[float, float, float, float]:
    """The left, upper, right and lower end of a frame."""
    return frame.x, frame.y, frame.x + frame.width, frame.y + frame.height


def inside(inner: tuple[float, float, float, float], outer: tuple[float, float, float, float]) -> bool:
    """Whether a rectangle lies in another."""
    return all(
        (
            inner[0] >= outer[0] - SLACK,
            inner[1] >= outer[1] - SLACK,
            inner[2] <= outer[2] + SLACK,
            inner[3] <= outer[3] + SLACK,
        )
    )


@pytest.mark.parametrize("count", [1, 10, 60, 61, 300, 1000])
def test_nothing_overlaps(count: int) -> None:
    """No two labels, no two squares, and no label and square."""
    layout = packed(company(count))
    cell = scale_for(count).cell
    squares = [(s.x, s.y, s.x + cell, s.y + cell) for s in layout.squares]
    labels = [extent(label) for label in layout.labels]

    if count <= 300:
        assert not any(overlap(one, other) for one, other in combinations([*squares, *labels], 2))
    assert not any(overlap(one, other) for one, other in combinations(labels, 2))


@pytest.mark.parametrize("count", [1, 10, 61, 300, 1000, 7000])
def test_every_machine_has_a_square_on_the_page(count: int) -> None:
    """One each, and all of it inside of the page, as are frames and text."""
    topology = company(count)
    layout = packed(topology)
    cell = scale_for(count).cell
    page = (0.0, 0.0, layout.width, layout.height)

    assert sorted(square.machine for square in layout.squares) == list(topology.machines)
    assert all(inside((s.x, s.y, s.x + cell, s.y + cell), page) for s in layout.squares)
    assert all(inside(edges(frame), page) for frame in layout.frames)
    assert all(inside(extent(label), page) for label in layout.labels)


@pytest.mark.parametrize("count", [10, 300, 1000])
def test_frames_nest(count: int) -> None:
    """Two frames lie apart, or one in the other, the outer one drawn first."""
    frames = packed(company(count)).frames
    for one, other in combinations(frames, 2):
        assert not overlap(edges(one), edges(other)) or inside(edges(other), edges(one))


@pytest.mark.parametrize(
    ("count", "names", "sets"), [(60, True, True), (61, False, True), (6001, False, False)]
)
def test_names_fall_away_as_a_fleet_grows(count: int, names: bool, sets: bool) -> None:
    """First machines' names, then titles of sets; zones and regions are named at any size."""
    written = {label.text.split(" · ")[0] for label in packed(company(count)).labels}

    assert any("-web-" in text for text in written) == names
    assert any(text.startswith("as-app") for text in written) == sets
    assert any(text.startswith("zone 1") for text in written)
    assert "westeurope" in written


@pytest.mark.parametrize("count", [300, 1000])
def test_a_page_has_about_the_shape_of_a_screen(count: int) -> None:
    """Neither a ribbon nor a tower."""
    layout = packed(company(count))

    assert 0.8 < layout.width / layout.height < 2.5


def test_a_long_title_is_cut_and_keeps_its_count() -> None:
    """The set is no wider than its room, and how many it holds can still be read."""
    name = "an-availability-set-" * 10
    held = {"availability_set": set_id(name)}
    fleet = build(
        inventory(vm("a", **held), vm("b", **held), availability_sets=(availability_set(name, "zz"),))
    )
    layout = packed(fleet)
    (frame,) = [frame for frame in layout.frames if frame.kind is BoxKind.AVAILABILITY_SET]
    (title,) = [label.text for label in layout.labels if label.text.startswith("an-avail")]

    assert title.endswith("… · 2 (+1 unknown)")
    assert frame.width < 200


def test_an_empty_fleet_is_an_empty_page() -> None:
    """There is nothing to lay out."""
    assert packed(build(inventory())) == Layout(0.0, 0.0)
