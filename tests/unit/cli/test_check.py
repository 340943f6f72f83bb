"""`wavekeeper check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Machine, Power
from tests.data.az_vm_list import vm_list
from tests.fleet import vm
from tests.unit.cli.conftest import Typed, company

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"


def edited(path: Path, change: Any) -> None:
    """A plan file with a change made to its JSON by hand."""
    document = orjson.loads(path.read_bytes())
    change(document)
    path.write_bytes(orjson.dumps(document))


def all_at_once(document: dict[str, Any]) -> None:
    """Every lane in a single wave, and none waits for another."""
    for lane in document["lanes"]:
        lane["after"] = []
        lane["waves"] = [{"machines": [m for wave in lane["waves"] for m in wave["machines"]]}]


def moved(**changes: Any) -> Inventory:
    """The company with facts of some machines changed; None for one that is gone."""
    held = company()
    machines: list[Machine] = []
    for machine in held.machines:
        change = changes.get(machine.name.replace("-", "_"), {})
        if change is not None:
            machines.append(replace(machine, **change))
    return replace(held, machines=tuple(machines))


def test_a_good_plan_passes(wavekeeper: Typed, fleet: str, plan: str) -> None:
    """By its own constraints and by the built-in rules, with how much was judged."""
    ran = wavekeeper("check", plan, "-i", fleet)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("plan.json: monthly, 11 machines\n  ✓ its own constraints: ")
    assert "\n  ✓ the built-in rules, read off the inventory: " in ran.out


def test_without_an_inventory_the_floor_isn_t_judged(wavekeeper: Typed, plan: str) -> None:
    """Nobody must believe that more was judged than was."""
    ran = wavekeeper("check", plan)
    assert ran.code == 0
    assert "the built-in rules: not judged; that takes --inventory FILE" in ran.out
    assert wavekeeper("check", plan, "--json").json()["floor"] is None


def test_a_plan_that_breaks_rules_is_refused_in_sentences(
    wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path
) -> None:
    """Which rule, where, by which machines; exit code 3."""
    edited(tmp_path / plan, all_at_once)
    ran = wavekeeper("check", plan, "-i", fleet)
    assert ran.code == 3
    assert "  ✗ its own constraints: broken in " in ran.out
    assert "web-1" in ran.out
    assert "  ✗ the built-in rules, read off the inventory: broken in " in ran.out
    told = wavekeeper("check", plan, "-i", fleet, "--json")
    assert (told.code, told.json()["ok"], told.json()["older_than_inventory"]) == (3, False, False)
    assert told.json()["plan"]["violations"]


def test_the_first_few_of_a_rule_are_told(wavekeeper: Typed, tmp_path: Path) -> None:
    """A plan that is all wrong doesn't fill screens; --verbose tells more."""
    (tmp_path / "vms.json").write_bytes(orjson.dumps(vm_list(200)))
    (tmp_path / "all.yaml").write_text("version: 1\nname: all\nselect: {names: '*'}\nchange: {patches: {}}\n")
    assert wavekeeper("plan", "-i", "vms.json", "-p", "all.yaml", "-o", "plan.json").code == 0
    edited(tmp_path / "plan.json", all_at_once)
    ran = wavekeeper("check", "plan.json", "-i", "vms.json")
    assert sum(line.startswith("    - budget:") for line in ran.out.splitlines()) == 4
    assert "more of budget\n" in ran.out
    assert "notes more: --verbose\n" in ran.out
    assert len(wavekeeper("check", "plan.json", "-i", "vms.json", "--verbose").out) > 2 * len(ran.out)


def test_a_plan_that_doesn_t_hang_together_is_the_judge_s(
    wavekeeper: Typed, plan: str, tmp_path: Path
) -> None:
    """A machine in two waves is a broken rule of the plan, not a file that can't be read."""

    def twice(document: dict[str, Any]) -> None:
        first, *_, last = document["lanes"]
        last["waves"][0]["machines"].append(first["waves"][0]["machines"][0])

    edited(tmp_path / plan, twice)
    ran = wavekeeper("check", plan)
    assert ran.code == 3
    assert "a plan changes a machine once" in ran.out


def test_a_plan_that_no_rollout_could_read_doesn_t_pass(wavekeeper: Typed, plan: str, tmp_path: Path) -> None:
    """What the judge doesn't look at must be whole too."""
    edited(tmp_path / plan, lambda document: document.update(health=[]))
    ran = wavekeeper("check", plan)
    assert (ran.code, ran.out) == (1, "")
    assert "names health 0, and there are 0" in ran.err


@pytest.mark.parametrize(
    ("fleet_now", "sentence"),
    [
        (moved(web_1=None), "1 machine: gone since the plan was made (web-1)"),
        (moved(web_1={"power": Power.STOPPED}), "1 machine: it is stopped (web-1)"),
        (
            moved(web_1={"zone": "3"}),
            "1 machine changed in what rules read: zone, set, domain or tags (web-1)",
        ),
    ],
)
def test_a_plan_older_than_its_inventory_is_told_so(
    wavekeeper: Typed, plan: str, tmp_path: Path, fleet_now: Inventory, sentence: str
) -> None:
    """With what has moved since, and what to do; exit code 3."""
    (tmp_path / "now.json").write_bytes(native.dump(fleet_now))
    ran = wavekeeper("check", plan, "-i", "now.json")
    assert ran.code == 3
    assert "  ✗ the plan is older than this inventory. What has moved:\n" in ran.out
    assert f"    - {sentence}\n" in ran.out
    assert "    plan again, or check it against the inventory that it was made from\n" in ran.out
    assert wavekeeper("check", plan, "-i", "now.json", "--json").json()["older_than_inventory"]


@pytest.mark.parametrize(
    ("fleet_now", "sentence"),
    [
        (moved(web_1={"size": "Standard_B1s"}), "nothing that its rules read, only states and times"),
        (
            replace(
                company(), machines=tuple(sorted((*company().machines, vm("web-99")), key=lambda m: m.id))
            ),
            "1 machine that the plan doesn't name: new, or never of its concern (web-99)",
        ),
    ],
)
def test_a_plan_that_still_fits_a_newer_inventory_passes(
    wavekeeper: Typed, plan: str, tmp_path: Path, fleet_now: Inventory, sentence: str
) -> None:
    """What a rollout would run all the same is noted, and no refusal."""
    (tmp_path / "now.json").write_bytes(native.dump(fleet_now))
    ran = wavekeeper("check", plan, "-i", "now.json")
    assert ran.code == 0
    assert "  - the plan is older than this inventory, and still fits it:\n" in ran.out
    assert f"    - {sentence}\n" in ran.out
    assert "plan again" not in ran.out


def test_when_it_was_taken_makes_no_plan_older(wavekeeper: Typed, fleet: str, plan: str) -> None:
    """The same facts, kept again, are the same inventory."""
    assert wavekeeper("inventory", "-i", fleet, "-o", "again.json.gz").code == 0
    assert wavekeeper("check", plan, "-i", "again.json.gz").code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "odd.json is not JSON"),
        ("[]", "odd.json is no plan"),
        ('{"schema": "wavekeeper.plan/9"}', "odd.json is of a newer form, wavekeeper.plan/9"),
        ('{"schema": "wavekeeper.inventory/1"}', "odd.json is no plan but a wavekeeper.inventory/1"),
    ],
)
def test_what_is_no_plan_is_wrong_use(wavekeeper: Typed, tmp_path: Path, text: str, message: str) -> None:
    """Another file is told by what it is, and how a plan is made."""
    (tmp_path / "odd.json").write_text(text)
    ran = wavekeeper("check", "odd.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"wavekeeper: {message}")


@pytest.mark.parametrize("details", [False, True])
def test_a_plan_of_a_thousand_machines_as_az_lists_them_passes(
    wavekeeper: Typed, tmp_path: Path, details: bool
) -> None:
    """The file that people have, the policies that they copy: planned, and passed by the judge."""
    (tmp_path / "vms.json").write_bytes(orjson.dumps(vm_list(1000, seed=7, show_details=details)))
    under = [word for folder in ("shop", "domain-controllers") for word in ("-p", EXAMPLES / folder)]
    made = wavekeeper("plan", "-i", "vms.json", *under, "-c", "monthly", "-o", "plan.json")
    assert made.code == 0
    checked = wavekeeper("check", "plan.json", "-i", "vms.json")
    assert (checked.code, checked.out.count("✓")) == (0, 2)
