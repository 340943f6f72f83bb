"""`wavekeeper inventory` over whole estates, against an emulator in a process of its own."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from orchestrator.inventory import native
from tests.fleet import SUBSCRIPTION, arc, inventory, vm
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_emulator import emulated

OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"


@pytest.mark.process
def test_all_that_can_be_seen(wavekeeper: Typed, tmp_path: Path) -> None:
    """Both subscriptions, told with what it took; on standard error, so that JSON stays JSON."""
    held = inventory(vm("web", zone="1"), arc("site1", subscription=OTHER))
    (tmp_path / "fleet.json").write_bytes(native.dump(held))
    with emulated(tmp_path, "--json") as line:
        endpoint = ("--endpoint", orjson.loads(line)["url"])
        ran = wavekeeper("inventory", "--all-subscriptions", *endpoint, "--json")
        assert (ran.code, ran.json()["source"], ran.json()["machines"]) == (0, "graph", 2)
        assert ran.json()["by_kind"] == {"arc": 1, "azure_vm": 1}
        assert "2 machines of 2 subscriptions read in" in ran.err
        assert "3 queries of Resource Graph" in ran.err

        ran = wavekeeper("inventory", "-s", OTHER, "--via", "graph", *endpoint)
        assert (ran.code, "from Azure Resource Graph" in ran.out) == (0, True)
        assert "1 machine of 1 subscription" in ran.err

        ran = wavekeeper("inventory", "-s", SUBSCRIPTION, "-s", "nobody", "--via", "graph", *endpoint)
        assert ran.code != 0
        assert "there is no subscription nobody for this identity" in ran.err


@pytest.mark.process
def test_an_estate_that_shows_nothing(wavekeeper: Typed, tmp_path: Path) -> None:
    """Resource Graph leaves out what may not be read without a word, so that is said instead."""
    (tmp_path / "fleet.json").write_bytes(native.dump(inventory(vm("web"))))
    with emulated(tmp_path, "--json", "--rights", "none") as line:
        ran = wavekeeper("inventory", "--all-subscriptions", "--endpoint", orjson.loads(line)["url"])
        assert ran.code == 3
        assert "1 subscription showed no machine, empty or closed to this identity" in ran.err
        assert "wavekeeper doctor" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all-subscriptions", "-s", "one"), "leave --subscription and --inventory away"),
        (("--all-subscriptions", "--via", "arm"), "ARM lists one subscription at a time"),
        (("-s", "one", "--updates"), "add --via graph"),
        (("--via", "graph"), "which subscriptions?"),
        (("-i", "fleet.json", "--via", "graph"), "about reading live"),
    ],
)
def test_options_that_contradict_each_other(wavekeeper: Typed, words: tuple[str, ...], said: str) -> None:
    """Each is told before anything is read."""
    ran = wavekeeper("inventory", *words)
    assert ran.code == 1
    assert said in ran.err
