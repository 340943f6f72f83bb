"""`wavekeeper diff`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import SHOP, Typed


@pytest.fixture
def other(wavekeeper: Typed, fleet: str, policies: str, plan: str, tmp_path: Path) -> str:
    """A plan of the same company, whose web servers may go two at a time."""
    (tmp_path / policies / "shop.yaml").write_text(SHOP.replace("max_unavailable: 1", "max_unavailable: 2"))
    assert wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "other.json").code == 0
    return "other.json"


def test_people_are_told_what_is_different(wavekeeper: Typed, plan: str, other: str) -> None:
    """In a sentence, in figures, and respect by respect; nothing is wrong with plans that differ."""
    ran = wavekeeper("diff", plan, other)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("plan.json -> other.json\n")
    assert "Made of the same inventory, and other policies." in ran.out
    assert "Constraints: 1 loosened" in ran.out
    assert "loosened: at most 2 of 7 in shop (tier=web), was at most 1 of 7" in ran.out
    assert "rules/shop.yaml:5" in ran.out


def test_a_plan_and_itself(wavekeeper: Typed, plan: str) -> None:
    """Two lines."""
    ran = wavekeeper("diff", plan, plan)

    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert "Both plans do the same." in ran.out


def test_a_pull_request_gets_markdown(wavekeeper: Typed, plan: str, other: str) -> None:
    """Figures, and parts to unfold."""
    ran = wavekeeper("diff", plan, other, "--markdown")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("### Plan `monthly`\n")
    assert "<details><summary>Constraints: 1 loosened</summary>" in ran.out


def test_programs_get_all_of_it(wavekeeper: Typed, plan: str, other: str) -> None:
    """And whether there is anything."""
    told = wavekeeper("diff", plan, other, "--json").json()

    assert (told["differ"], wavekeeper("diff", plan, plan, "--json").json()["differ"]) == (True, False)
    assert [rule["course"] for rule in told["rules"]] == ["loosened"]


def test_long_lists_are_cut_unless_asked_for(wavekeeper: Typed, plan: str, tmp_path: Path) -> None:
    """With how many more there are, and how to see them."""
    text = (tmp_path / plan).read_text()
    told = text.replace(
        '"warnings": [',
        '"warnings": ['
        + ",".join(f'{{"what": "w{n}", "from": null}}' for n in range(20))
        + ("," if '"warnings": []' not in text else ""),
    )
    (tmp_path / "warned.json").write_text(told)

    assert "and 8 more: --verbose" in wavekeeper("diff", plan, "warned.json").out
    assert "- new: w19" in wavekeeper("diff", plan, "warned.json", "--verbose").out


def test_one_form_at_a_time(wavekeeper: Typed, plan: str) -> None:
    """Markdown and JSON are for different readers."""
    ran = wavekeeper("diff", plan, plan, "--markdown", "--json")

    assert (ran.code, ran.out) == (1, "")
    assert "leave one of --markdown and --json away" in ran.err


def test_what_is_no_plan_is_wrong_use(wavekeeper: Typed, plan: str, fleet: str) -> None:
    """In the words of whoever reads plans."""
    ran = wavekeeper("diff", plan, fleet)

    assert ran.code == 1
    assert "is no plan but a wavekeeper.inventory/1" in ran.err
