"""When the loops of packing are compiled, and what happens where they can't be."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from orchestrator.planner import filling, machine_code, packing
from orchestrator.planner.machine_code import compiled
from orchestrator.planner.nesting import of_all
from orchestrator.planner.rules import number
from orchestrator.planner.waves import pack
from tests.builders import budget, ids


@pytest.fixture
def unloaded() -> Iterator[None]:
    """As in a process that hasn't asked yet."""
    compiled.cache_clear()
    yield
    compiled.cache_clear()


@pytest.mark.usefixtures("unloaded")
def test_without_the_package_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an optional extra: a lane of any size is packed without."""
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiled() is None
    monkeypatch.setattr(filling, "LARGE", 0)
    monkeypatch.setattr(filling, "SMALL", 0)
    rules = number(ids("a b c d"), [budget(2, "a b c"), budget(2, "b c d")])
    assert pack(rules, range(4), 2, of_all(rules)) == [[1, 2], [0, 3]]


@pytest.mark.usefixtures("unloaded")
def test_where_nothing_can_be_kept_it_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the folder of the program nor the user's cache can be written to."""
    asked: list[bool] = []

    class Numba:
        @staticmethod
        def njit(*, nogil: bool, cache: bool = False) -> object:
            asked.append(cache)
            if cache:
                raise RuntimeError("cannot cache function 'fill': no locator available for file")
            return lambda loop: loop

    monkeypatch.setitem(sys.modules, "numba", Numba)
    found = compiled()
    assert found is not None
    assert found.fill is packing.fill
    assert asked == [True, False] * 6


def test_a_lane_that_is_not_large_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing takes longer than packing it as it is."""

    def loaded() -> machine_code.Loops:
        raise AssertionError("loaded")

    monkeypatch.setattr(filling, "compiled", loaded)
    monkeypatch.setattr(filling, "SMALL", 0)
    monkeypatch.setattr(filling, "LARGE", 5)
    monkeypatch.setattr(filling, "AGAIN", 5)
    names = "a b c d"
    rules = number(ids(names), [budget(2, "a b c"), budget(2, "b c d")])
    assert pack(rules, range(4), 2, of_all(rules)) == [[1, 2], [0, 3]]
    names = "a b c d e"
    rules = number(ids(names), [budget(2, "a b c"), budget(2, "b c d e")])
    with pytest.raises(AssertionError, match="loaded"):
        pack(rules, range(5), 2, of_all(rules))


def test_a_lane_that_is_packed_again_is_worth_it_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first try is made as the loops stand; each one more would cost as much."""
    asked: list[bool] = []
    monkeypatch.setattr(filling, "compiled", lambda: asked.append(True))
    monkeypatch.setattr(filling, "SMALL", 0)
    monkeypatch.setattr(filling, "AGAIN", 4)
    rules = number(ids("a b c d"), [budget(2, "a b c"), budget(2, "a b d"), budget(1, "c d")])
    assert pack(rules, range(4), 3, of_all(rules)) is not None
    assert asked == []
    assert pack(rules, range(4), 2, of_all(rules)) is not None
    assert asked
