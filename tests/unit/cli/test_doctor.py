"""`wavekeeper doctor`, against an emulator in a process of its own."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.fleet import SUBSCRIPTION
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_emulator import emulated


@pytest.mark.process
def test_a_reader_may_plan_and_not_patch(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """What is missing is told by name, the least role is written, and the exit code says that it isn't enough."""
    with emulated(tmp_path, "--json", "--rights", "reader") as line:
        live = ("-s", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"], "--journal", "j.db")
        ran = wavekeeper("doctor", *live, "--role", "role.json")
        assert ran.code == 3
        assert "✗ patch Microsoft.Compute/virtualMachines/installPatches/action" in " ".join(ran.out.split())
        assert "✓  plan" in ran.out
        assert "j.db: will be made by the first rollout" in ran.out
        role = orjson.loads(Path("role.json").read_bytes())
        assert "Microsoft.Compute/virtualMachines/restart/action" in role["Actions"]
        told = wavekeeper("doctor", *live, "--for", "plan", "--for", "audit", "--json")
        assert (told.code, told.json()["ok"], told.json()["for"]) == (0, True, ["plan", "audit"])
        asked = (*live[:-2], "--server", "http://127.0.0.1:1", "--for", "plan", "--json")
        (server,) = (one for one in wavekeeper("doctor", *asked).json()["checks"] if one["what"] == "server")
        assert (server["ok"], "can't be reached: Connection refused" in server["said"]) == (False, True)
    assert not Path("j.db").exists()


def test_an_unknown_use_is_wrong_use(wavekeeper: Typed) -> None:
    """It names those that there are."""
    ran = wavekeeper("doctor", "-s", "one", "--for", "fly")
    assert ran.code == 1
    assert "--for fly isn't known; it is one of: plan, patch, restart" in ran.err
