"""`wavekeeper inventory`."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Unreadable
from orchestrator.inventory.read import read
from orchestrator.inventory.regions import with_regions
from tests.data.az_vm_list import vm_list
from tests.fleet import inventory, vm, vm_id
from tests.unit.cli.conftest import Typed, company

STOCK = """\
12 machines in 1 subscription, from test, which doesn't say when it was taken
  kind   azure vm 12
  os     linux 8, windows 3, unknown 1
  power  running 11, deallocated 1
  agent  ready 11, unknown 1

Regions
  region       machines  zone 1  zone 2  zone 3  no zone  off  paired with
  northeurope         2       -       -       -        2    1  westeurope
  westeurope         10       3       2       2        3    -  northeurope

Sets: 3 machines in 1, 9 in none
  set    kind              region      machines  domains
  as-db  availability set  westeurope         3  3 update domains

Can't be rolled: 1 machine
  machines  why                who
         1  it is deallocated  far-2

Not known
  - no state of the guest agent for 1 of 12 machines: a rollout reads it before it acts
"""


def test_it_counts_what_is_there(wavekeeper: Typed, fleet: str) -> None:
    """Machines by what they are and where they stand, who can't be rolled and why, and what isn't known."""
    ran = wavekeeper("inventory", "-i", fleet)
    assert (ran.code, ran.out, ran.err) == (0, STOCK, "")


def test_it_tells_programs_the_same(wavekeeper: Typed, fleet: str) -> None:
    """Every group and every machine that can't be rolled, without the shortening for people."""
    told = wavekeeper("inventory", "-i", fleet, "--json").json()
    assert told["by_os"] == {"linux": 8, "windows": 3, "unknown": 1}
    assert told["by_region"]["westeurope"] == {
        "machines": 10,
        "off": 0,
        "zones": {"none": 3, "1": 3, "2": 2, "3": 2},
    }
    assert [{"machine": vm_id("far-2"), "name": "far-2", "why": "it is deallocated"}] == told["cannot_roll"]
    assert [(g["name"], g["machines"]) for g in told["groups"] if g["kind"] == "availability_set"] == [
        ("as-db", 3)
    ]


@pytest.mark.parametrize("name", ["kept.json", "kept.json.gz"])
def test_it_keeps_every_fact(wavekeeper: Typed, fleet: str, tmp_path: Path, name: str) -> None:
    """What -o keeps is the same inventory again, and every command reads it."""
    ran = wavekeeper("inventory", "-i", fleet, "-o", name)
    assert (0, f"\nkept in {name}\n") == (ran.code, ran.out.removeprefix(STOCK))
    kept = (tmp_path / name).read_bytes()
    document = gzip.decompress(kept) if name.endswith(".gz") else kept
    assert native.dump(with_regions(company())) == document
    assert wavekeeper("inventory", "-i", name).out == STOCK


@pytest.mark.parametrize("cut", [slice(0, 40), slice(0, -8), slice(5, None)], ids=["torn", "tail", "head"])
def test_a_packed_file_that_is_broken_is_one_message(
    wavekeeper: Typed, fleet: str, tmp_path: Path, cut: slice
) -> None:
    """Torn, cut off, or no gzip at all."""
    packed = gzip.compress((tmp_path / fleet).read_bytes())
    (tmp_path / "torn.json.gz").write_bytes(packed[cut])
    ran = wavekeeper("inventory", "-i", "torn.json.gz")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: inventory torn.json.gz can't be read: ")
    assert ran.err.count("\n") == 1


def test_a_packed_file_with_a_wrong_bit_is_one_message(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """What zlib calls an invalid block is an error of the file, not of ours."""
    packed = bytearray(gzip.compress((tmp_path / fleet).read_bytes()))
    packed[10:14] = b"\xff\xff\xff\xff"
    (tmp_path / "torn.json.gz").write_bytes(bytes(packed))
    assert wavekeeper("inventory", "-i", "torn.json.gz").code == 1


def test_a_packed_file_is_the_same_bytes_every_time(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """No time and no name stands in it."""
    for name in ("one.json.gz", "two.json.gz"):
        wavekeeper("inventory", "-i", fleet, "-o", name)
    packed = (tmp_path / "one.json.gz").read_bytes()
    assert packed == (tmp_path / "two.json.gz").read_bytes()
    assert packed[4:8] == bytes(4)


@pytest.mark.parametrize("name", ["kept.yaml", "nowhere/kept.json", "fleet.json/kept.json"])
def test_a_file_that_can_t_be_kept_is_not_begun(
    wavekeeper: Typed, fleet: str, tmp_path: Path, name: str
) -> None:
    """A wrong ending, or a folder that isn't there, is one message; nothing is left behind."""
    before = sorted(tmp_path.rglob("*"))
    ran = wavekeeper("inventory", "-i", fleet, "-o", name)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert before == sorted(tmp_path.rglob("*"))


def test_long_lists_are_shortened(wavekeeper: Typed, tmp_path: Path) -> None:
    """The largest sets and a few names of each reason; --all tells all."""
    (tmp_path / "vms.json").write_bytes(orjson.dumps(vm_list(300, show_details=True)))
    short = wavekeeper("inventory", "-i", "vms.json")
    whole = wavekeeper("inventory", "-i", "vms.json", "--all")
    off = [row["name"] for row in vm_list(300, show_details=True) if row["powerState"] != "VM running"]
    assert "more: --all" in short.out
    assert "more: --all" not in whole.out
    assert sum(" set " in line for line in short.out.splitlines() if "  unknown" in line) == 8
    assert set(off) == {name for name in off if name in whole.out}
    assert set(off) > {name for name in off if name in short.out}


def test_what_couldn_t_be_read_is_named(wavekeeper: Typed, tmp_path: Path) -> None:
    """A hole in the inventory is told with its cause: whoever plans from it must know."""
    held = inventory(vm("a"), unreadable=(Unreadable("the sets of rg-x", "no permission to read them"),))
    (tmp_path / "hole.json").write_bytes(native.dump(held))
    ran = wavekeeper("inventory", "-i", "hole.json")
    assert "  - the sets of rg-x could not be read: no permission to read them\n" in ran.out
    assert "no machine stands in an availability set or a scale set" in ran.out
    assert "every machine can be rolled, as far as is known" in ran.out


def test_an_empty_fleet_is_refused(wavekeeper: Typed, tmp_path: Path) -> None:
    """Nothing can be planned for nobody: exit code 3."""
    (tmp_path / "empty.json").write_text("[]")
    ran = wavekeeper("inventory", "-i", "empty.json", "-o", "kept.json")
    assert (ran.code, ran.out) == (3, "")
    assert "empty.json holds no machine" in ran.err
    assert not (tmp_path / "kept.json").exists()


@pytest.mark.parametrize(
    ("text", "message"), [("{", "this is not JSON"), ("{}", "no inventory"), ("", "is empty")]
)
def test_what_is_no_inventory_says_so(wavekeeper: Typed, tmp_path: Path, text: str, message: str) -> None:
    """A file that holds something else is named, with what it should hold."""
    (tmp_path / "odd.json").write_text(text)
    ran = wavekeeper("inventory", "-i", "odd.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: odd.json: ")
    assert message in ran.err


def test_what_is_printed_by_az_is_read(wavekeeper: Typed, tmp_path: Path) -> None:
    """The file that people already have is an inventory."""
    (tmp_path / "vms.json").write_bytes(orjson.dumps(vm_list(20)))
    ran = wavekeeper("inventory", "-i", "vms.json", "-o", "kept.json")
    assert ran.out.startswith("20 machines in")
    assert len(read((tmp_path / "kept.json").read_bytes(), "kept").machines) == 20


def test_who_else_patches_is_told(wavekeeper: Typed, tmp_path: Path) -> None:
    """A sentence a group, with what to set; for programs with every machine."""
    fleet = inventory(*(vm(f"web-{n}", patch_mode="AutomaticByPlatform") for n in (1, 2)))
    (tmp_path / "fleet.json").write_bytes(native.dump(fleet))
    told = "Azure patches 2 machines (web-1, web-2) by itself as well (patchMode AutomaticByPlatform): set"
    assert f"\nNot yours alone\n  - {told}" in wavekeeper("inventory", "-i", "fleet.json").out
    (group,) = wavekeeper("inventory", "-i", "fleet.json", "--json").json()["also_patched"]
    assert (group["hand"], group["machines"]) == ("azure", [vm_id("web-1"), vm_id("web-2")])
    planned = wavekeeper("plan", "-i", "fleet.json", "--change", "patches", "--select", "name=web-1")
    assert "Azure patches web-1 by itself as well" in planned.out
