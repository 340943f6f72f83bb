"""What became of updates: kept short, and put together over several attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rollout.patch_results import (
    LONGEST,
    MOST,
    PatchResult,
    PatchState,
    installed_kbs,
    keep,
    read,
    results_of,
    sentence,
    together,
)

RESULTS = st.lists(
    st.builds(PatchResult, st.text(st.characters(exclude_categories=["Cs"]), max_size=9), st.sampled_from(PatchState)),
    max_size=9,
)  # fmt: skip


@given(RESULTS)
def test_a_set_is_read_back_as_it_was_kept(results: list[PatchResult]) -> None:
    """Whatever updates are called."""
    assert keep(read(keep(results))) == keep(results)


@given(RESULTS, RESULTS)
def test_what_was_installed_stays_installed(before: list[PatchResult], after: list[PatchResult]) -> None:
    """A second attempt doesn't see again what the first one put in."""
    first, both = read(keep(before)), read(together(keep(before), keep(after)))
    there = {one.name for one in first if one.state is PatchState.INSTALLED}
    assert there <= {one.name for one in both if one.state is PatchState.INSTALLED}


def test_what_failed_and_then_went_in_is_installed() -> None:
    """The later word counts."""
    assert together(("fKB1234567",), ("iKB1234567",)) == ("iKB1234567",)


def test_only_kbs_that_are_installed_can_be_taken_back() -> None:
    """Neither packages nor what failed."""
    assert installed_kbs(("fKB5087539", "popenssl 3.0", "iKB5087423", "izlib 1.2")) == ("5087423",)


def test_a_set_has_its_limits() -> None:
    """A journal has 400 bytes for a machine; a Linux machine may install hundreds of packages with long names."""
    many = [{"name": f"p{n:03}-{'x' * 99}", "installationState": "Installed"} for n in range(MOST + 9)]
    kept = results_of({"patches": [*many, {"name": "bad", "installationState": "Failed"}]})
    assert (len(kept), kept[0]) == (MOST, "fbad")
    assert max(map(len, kept)) == LONGEST + 1


def test_what_a_newer_version_wrote_is_passed_over() -> None:
    """Its letters mean nothing here."""
    assert sentence(("xKB1", "", "iKB5087423")) == "KB5087423 installed"
