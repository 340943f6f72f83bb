"""`wavekeeper audit`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Os, resource_id
from tests.fleet import SUBSCRIPTION, inventory, vm
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_emulator import emulated
from tests.unit.service.test_audit import run


@pytest.fixture
def history(tmp_path: Path) -> str:
    """What `az graph query` printed: two web servers patched at once."""
    (tmp_path / "runs.json").write_bytes(orjson.dumps({"data": [run("web-1", 22), run("web-2", 22)]}))
    return "runs.json"


def test_it_says_what_was_broken(wavekeeper: Typed, fleet: str, policies: str, history: str) -> None:
    """The rule by file and line, when, by whom; as Markdown too. The exit code says that something was."""
    ran = wavekeeper("audit", "-i", fleet, "-p", policies, "--installations", history, "-o", "audit.md")
    assert ran.code == 3
    assert ran.out.startswith(
        "2 patch runs on 2 of 12 machines, 2026-10-15 22:20 UTC to 2026-11-14 22:20 UTC\n"
    )
    assert (
        "(rules/shop.yaml:5)\n    2026-11-14 22:00 UTC to 2026-11-14 22:20 UTC, by somebody, on demand\n"
        in ran.out
    )
    assert "Approximate: " in ran.out
    assert "# Patching from 2026-10-15 to 2026-11-14" in Path("audit.md").read_text()
    told = wavekeeper("audit", "-i", fleet, "-p", policies, "--installations", history, "--json").json()
    assert (told["ok"], told["runs"], told["findings"][0]["kind"]) == (False, 2, "budget")


def test_nothing_broken(wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path) -> None:
    """One after the other is fine."""
    (tmp_path / "runs.json").write_bytes(orjson.dumps([run("web-1", 20), run("web-4", 22)]))
    ran = wavekeeper("audit", "-i", fleet, "-p", policies, "--installations", "runs.json", "--last", "2w")
    assert (ran.code, "✓ no rule was broken" in ran.out) == (0, True)


def test_wrong_use(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """A length that is none, and a file without runs, which says how to get one."""
    assert (
        "--last month is no length of time; write it as 30d"
        in wavekeeper("audit", "-i", fleet, "--last", "month").err
    )
    (tmp_path / "none.json").write_text("[]")
    assert (
        "none.json holds no patch run; ask for them with: az graph query"
        in wavekeeper("audit", "-i", fleet, "--installations", "none.json").err
    )


@pytest.mark.process
def test_a_schedule_that_starts_all_its_machines_at_once(
    wavekeeper: Typed, policies: str, tmp_path: Path
) -> None:
    """Live, over the wire: Azure's own history names the maintenance configuration by which the rules were broken."""
    monthly = resource_id(
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.maintenance/maintenanceconfigurations/monthly"
    )
    shop = {"app": "shop", "tier": "web"}
    fleet = inventory(*(vm(f"web-{n}", os=Os.WINDOWS, tags=shop, schedules=(monthly,)) for n in range(1, 5)))
    (tmp_path / "fleet.json").write_bytes(native.dump(fleet))
    (tmp_path / "faults.yaml").write_text(
        "version: 1\nfaults:\n  - foreign_run: {machines: ['web-*'], at: 1m, by: schedule, reboot: Always}\n"
    )
    with emulated(tmp_path, "--json", "--time-scale", "60000", "--faults", "faults.yaml") as line:
        live = ("-s", SUBSCRIPTION, "--endpoint", orjson.loads(line)["url"])
        ran = wavekeeper("audit", *live, "-p", policies, "--json")
        while ran.json()["statuses"] != {"Succeeded": 4}:  # an hour of it is a sixteenth of a second
            ran = wavekeeper("audit", *live, "-p", policies, "--json")
    told = ran.json()
    assert (ran.code, told["by"], told["restarts"]) == (3, {"schedule monthly": 4}, {"yes": 4})
    (broken,) = [one for one in told["findings"] if one["from"] == "rules/shop.yaml:5"]
    assert (broken["sure"], broken["limit"], broken["by"]) == (True, 1, ["schedule monthly"])
