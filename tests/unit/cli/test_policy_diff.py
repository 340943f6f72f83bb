"""`wavekeeper policy diff`."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.inventory import native
from tests.rehearsing import CAMPAIGN
from tests.unit.cli.conftest import Typed, company

OTHER = CAMPAIGN.replace("name: monthly", "name: other")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two folders of the same campaign, and a fleet."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "monthly.yaml").write_text(CAMPAIGN)
    (tmp_path / "fleet.json").write_bytes(native.dump(company()))
    return tmp_path


def test_the_same_policies_in_two_places_make_no_difference(wavekeeper: Typed, folders: Path) -> None:
    """Where they lie is nothing to a plan."""
    ran = wavekeeper("policy", "diff", "old", "new", "-i", "fleet.json", "--json")
    printed = wavekeeper("policy", "diff", "old", "new", "-i", "fleet.json", "--markdown")

    assert (ran.code, ran.json()["differ"]) == (0, False)
    assert printed.out == "No difference for `monthly`.\n"


def test_a_tighter_rule_is_told_for_people_programs_and_pull_requests(
    wavekeeper: Typed, folders: Path
) -> None:
    """By its campaign."""
    (folders / "new" / "monthly.yaml").write_text(
        CAMPAIGN.replace("max_unavailable: 2", "max_unavailable: 1")
    )
    typed = ("policy", "diff", "old", "new", "-i", "fleet.json")

    people, programs, pulls = (
        wavekeeper(*typed),
        wavekeeper(*typed, "--json"),
        wavekeeper(*typed, "--markdown"),
    )

    assert "tightened: " in people.out
    assert "tightened: " in pulls.out
    assert programs.json()["campaigns"][0]["plans"]["differ"] is True


def test_campaigns_come_and_go(wavekeeper: Typed, folders: Path) -> None:
    """Each in a sentence."""
    (folders / "new" / "other.yaml").write_text(OTHER.replace("{app: shop}", "{app: sohp}"))
    (folders / "old" / "gone.yaml").write_text(
        CAMPAIGN.replace("name: monthly", "name: gone").replace("{app: shop}", "{app: none}")
    )

    ran = wavekeeper("policy", "diff", "old", "new", "-i", "fleet.json")

    assert "gone\n  The campaign is gone." in ran.out
    assert (
        "other\n  A new campaign. Nothing can be planned: campaign other selects none of 12 machines"
        in ran.out
    )


def test_what_can_be_planned_now_and_what_cannot_any_more(wavekeeper: Typed, folders: Path) -> None:
    """With the reason, which in Markdown mentions nobody."""
    (folders / "new" / "monthly.yaml").write_text(CAMPAIGN.replace("{app: shop}", '{app: "@all"}'))

    there, back = (
        wavekeeper("policy", "diff", *order, "-i", "fleet.json", "--markdown")
        for order in (("old", "new"), ("new", "old"))
    )

    assert "**Nothing can be planned: `` campaign monthly selects none" in there.out
    assert "**Nothing could be planned before. It changes " in back.out


def test_the_first_policies_are_compared_with_nothing(wavekeeper: Typed, folders: Path) -> None:
    """An empty folder stands for none; one that isn't there is a mistake."""
    (folders / "old" / "monthly.yaml").unlink()

    first = wavekeeper("policy", "diff", "old", "new", "-i", "fleet.json")
    wrong = wavekeeper("policy", "diff", "odl", "new", "-i", "fleet.json")
    neither = wavekeeper("policy", "diff", "new", "old", "-i", "fleet.json")

    assert "A new campaign. It changes " in first.out
    assert (wrong.code, wrong.err) == (1, "wavekeeper: odl is no folder of policies\n")
    assert (neither.code, "holds no policy" in neither.err) == (1, True)
