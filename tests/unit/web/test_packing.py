"""Answers as bytes: the same JSON however it is written, compressed for whoever takes that, and large ones beside the loop."""

from __future__ import annotations

import gzip
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.service.chart import BarColumns, Chart, ChartLane, MachineColumns, WaveColumns
from orchestrator.service.overview import STANDINGS, Group, Members, Topology
from orchestrator.web import packing
from orchestrator.web.app import answer_of
from orchestrator.web.packing import MANY, is_large, pieces, takes_gzip
from orchestrator.web.routes import File, Route
from orchestrator.web.table import ROUTES

BY_NAME = {route.name: route for route in ROUTES}
AT = datetime(2026, 11, 22, 1, 0, 0, 250, UTC)


def chart(machines: int) -> Chart:
    """A chart of so many machines."""
    many, names = tuple(range(machines)), tuple(f'vm-"ü{i}' for i in range(machines))
    lanes = (ChartLane("l1", "<lane>", 0, (1, 2), 3),)
    return Chart(
        *("r1", "monthly", "running", 7, True, AT, AT, AT, ("pending",), (), lanes),
        WaveColumns((), (), (), ()),
        MachineColumns(many, names, many, many, many),
        BarColumns(many, many, many, many, many, many, many),
    )


def tree(groups: int) -> Topology:
    """A tree of so many groups."""
    one = Group("westeurope", "", "region", "westeurope", 3, {"serves": 2, "out": 1})
    return Topology(AT, STANDINGS, tuple(replace(one, id=f"{i}") for i in range(groups)))


def members(machines: int) -> Members:
    """A group of so many machines."""
    names = tuple(map(str, range(machines)))
    return Members("westeurope", STANDINGS, names, names, tuple(range(machines)), names)


@pytest.mark.parametrize("many", [0, 1, MANY, MANY + 1, 3 * MANY + 7])
@pytest.mark.parametrize(
    ("name", "made"), [("chart", chart), ("topology", tree), ("topology_members", members)]
)
def test_pieces_are_what_is_written_at_once(name: str, made: Any, many: int) -> None:
    """To the byte; and those of a large one are several."""
    value = made(many)
    told = list(pieces(value))
    assert b"".join(told) == BY_NAME[name].answers.dump_json(value)
    assert is_large(value) is (many > MANY)
    assert max(map(len, told)) < 120 * MANY


def seen_threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Notes whether writing and compressing are done beside the loop."""
    found: dict[str, bool] = {}
    for name in ("pieces", "_gzip"):
        real = getattr(packing, name)

        def noted(value: Any, name: str = name, real: Any = real) -> Any:
            found[name] = threading.current_thread() is not threading.main_thread()
            return real(value)

        monkeypatch.setattr(packing, name, noted)
    return found


async def test_a_large_answer_is_made_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and compressed there; a small one is made where it is."""
    found = seen_threads(monkeypatch)
    route, value = BY_NAME["chart"], chart(5 * MANY)
    answer = await answer_of(route, value, "gzip, deflate")
    assert found == {"pieces": True, "_gzip": True}
    assert isinstance(answer.body, bytes)
    assert gzip.decompress(answer.body) == route.answers.dump_json(value)
    assert answer.headers["Content-Encoding"] == "gzip"
    found.clear()
    await answer_of(route, chart(20), "gzip")
    assert found == {"_gzip": False}


async def test_what_may_still_change_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large: what a thread writes while the loop goes on would be of two moments."""
    found = seen_threads(monkeypatch)
    value = tree(2 * MANY)
    live = Route("live", "GET", "/live", BY_NAME["topology"].verb, "", BY_NAME["topology"].handle, Topology)
    answer = await answer_of(live, value)
    assert found == {}
    assert answer.body == live.answers.dump_json(value)


async def test_a_plan_is_compressed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is bytes already."""
    found = seen_threads(monkeypatch)
    plan = b"machine" * 20_000
    answer = await answer_of(BY_NAME["plan"], File(plan, "r1.plan.json"), "gzip")
    assert found == {"_gzip": True}
    assert isinstance(answer.body, bytes)
    assert gzip.decompress(answer.body) == plan


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("deflate", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
    ],
)
async def test_an_answer_is_compressed_for_whoever_takes_that(accepted: str, takes: bool) -> None:
    """And for nobody else."""
    assert takes_gzip(accepted) is takes
    answer = await answer_of(BY_NAME["chart"], chart(100), accepted)
    assert answer.headers.get("Content-Encoding") == ("gzip" if takes else None)


async def test_a_few_bytes_are_left_as_they_are() -> None:
    """Compressing them would help nobody."""
    answer = await answer_of(BY_NAME["topology"], tree(0), "gzip")
    assert "Content-Encoding" not in answer.headers
