"""`wavekeeper explain`."""

from __future__ import annotations

from tests.fleet import vm_id
from tests.unit.cli.conftest import Typed


def test_a_machine_is_told_its_wave_and_why(wavekeeper: Typed, plan: str) -> None:
    """Where it is, and for each earlier wave what kept it out."""
    ran = wavekeeper("explain", "web-4", "--plan", plan)
    assert (ran.code, ran.err) == (0, "")
    first, *others = ran.out.splitlines()
    assert first.startswith("web-4 is in wave ")
    assert all(line.startswith("  - ") for line in others)


def test_id_and_name_are_the_same_machine(wavekeeper: Typed, plan: str) -> None:
    """Case doesn't matter, as in Azure."""
    by_name = wavekeeper("explain", "WEB-4", "--plan", plan)
    by_id = wavekeeper("explain", vm_id("web-4").upper(), "--plan", plan)
    assert by_name == by_id


def test_who_is_left_out_is_told_why(wavekeeper: Typed, plan: str) -> None:
    """A machine that isn't changed has a reason."""
    ran = wavekeeper("explain", "far-2", "--plan", plan)
    assert ran.out.startswith("far-2 is left out: it is deallocated\n")


def test_programs_get_the_same(wavekeeper: Typed, plan: str) -> None:
    """Stage, lane, wave, and the constraints by their ids."""
    told = wavekeeper("explain", "web-4", "--plan", plan, "--json").json()
    assert (told["id"], told["name"], told["stages"]) == (vm_id("web-4"), "web-4", 3)
    assert told["wave"] <= told["waves"]


def test_without_a_machine_all_lanes_are_told(wavekeeper: Typed, plan: str) -> None:
    """Every lane by its stage, with how many waves it takes and why it can't be fewer."""
    ran = wavekeeper("explain", "--plan", plan)
    assert ran.out.startswith("Plan monthly: install critical, security patches")
    told = wavekeeper("explain", "--plan", plan, "--json").json()
    lanes = told["lanes_in_detail"]
    assert f"11 machines in {told['waves']} waves, {len(lanes)} lanes in 3 stages" in ran.out
    assert sum(lane["machines"] for lane in lanes) == 11
    assert all(lane["id"] in ran.out and lane["bound"]["because"] for lane in lanes)


def test_an_unknown_machine_is_asked_back(wavekeeper: Typed, plan: str) -> None:
    """The nearest names, and that a plan knows only whom it concerns."""
    ran = wavekeeper("explain", "web-44", "--plan", plan)
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean web-4" in ran.err


def test_a_plan_that_isn_t_there_is_wrong_use(wavekeeper: Typed) -> None:
    """One message, without a traceback."""
    ran = wavekeeper("explain", "--plan", "nowhere.json")
    assert (ran.code, ran.err) == (1, "wavekeeper: there is no plan nowhere.json\n")


def test_what_holds_a_plan_up_is_told(wavekeeper: Typed, plan: str) -> None:
    """What loosening a rule saves, with the line that it is written in."""
    ran = wavekeeper("explain", "--plan", plan, "--loosen")
    assert (ran.code, ran.err) == (0, "")
    assert "shop (tier=web) at 2 instead of 1" in ran.out
    assert "rules/shop.yaml:5" in ran.out
    assert "1 at a time (at most 1 of 7 in shop (tier=web))" in ran.out
    told = wavekeeper("explain", "--plan", plan, "--loosen", "--json").json()
    assert [stage["waves"] >= stage["bound"]["waves"] for stage in told["stages"]] == [True, True]
    assert all(one["after"] < one["before"] == told["waves"] for one in told["found"])


def test_nothing_to_loosen_is_told_too(wavekeeper: Typed, fleet: str) -> None:
    """A plan of one machine is as short as can be."""
    restart = ("--change", "restart", "--select", "name=web-1")
    assert wavekeeper("plan", "-i", fleet, *restart, "-o", "one.json").code == 0
    ran = wavekeeper("explain", "--plan", "one.json", "--loosen")
    assert (ran.code, ran.err) == (0, "")
    assert "nothing that was tried saves a wave" in ran.out


def test_a_machine_has_nothing_to_loosen(wavekeeper: Typed, plan: str) -> None:
    """The plan as a whole has."""
    ran = wavekeeper("explain", "web-4", "--plan", plan, "--loosen")
    assert (ran.code, ran.out) == (1, "")
    assert "leave web-4 away, or --loosen" in ran.err
