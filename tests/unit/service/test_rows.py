"""Which lanes share a row of a picture, and what it is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.planner.model import Lane
from orchestrator.service.rows import rows
from tests.builders import lane


def named(number: int, what: str, *after: int) -> Lane:
    """Lane `broad-NUMBER` of one machine, with what a plan says of it."""
    made = lane(f"broad-{number}", f"m{number}", after=[f"broad-{n}" for n in after])
    return replace(made, what=what)


def test_domains_of_a_set_share_a_row() -> None:
    """Lanes that follow one another, each alone, read as what they are side by side."""
    told = rows(
        [
            named(1, "westeurope / update domain 0 of as-web / at most 1 of 9 in availability set as-web"),
            named(2, "westeurope / update domain 1 of as-web / web-02", 1),
            named(3, "westeurope / update domain 2 of as-web / web-03", 2),
        ]
    )
    assert [(row.lanes, row.name) for row in told] == [
        ((0, 1, 2), "broad-1 to 3  westeurope, as-web by update domain")
    ]


def test_a_lane_is_continued_by_one_lane_at_most() -> None:
    """Of two that wait for the same lane the first goes on in its row, the other has its own."""
    told = rows([named(1, "a"), named(2, "b", 1), named(3, "c", 1)])
    assert [row.lanes for row in told] == [(0, 1), (2,)]


def test_a_lane_that_waits_for_several_has_a_row_of_its_own() -> None:
    """It continues none of them."""
    told = rows([named(1, "a"), named(2, "b"), named(3, "c", 1, 2)])
    assert [row.lanes for row in told] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("westeurope / westeurope-az1 / 17 machines that no rule keeps apart", "westeurope-az1"),
        ("westeurope / 35 machines that no rule keeps apart", "westeurope, 35 machines"),
        (
            "westeurope / westeurope-az1 / at most 3 of 15 in tier=web, westeurope",
            "westeurope-az1, 3 of 15 in tier=web",
        ),
        ("westeurope / goes then / westeurope-az3 / dc-01", "goes then, westeurope-az3, dc-01"),
        ("", ""),
    ],
)
def test_a_name_says_no_more_than_it_must(what: str, name: str) -> None:
    """A place that is named again, and a rule that isn't there, only take room."""
    (row,) = rows([named(1, what)])
    assert row.name == f"broad-1  {name}".rstrip()


def test_lanes_with_nothing_in_common_are_called_by_their_ids() -> None:
    """There is nothing else to call them."""
    (row,) = rows([named(1, "northeurope / 4 machines"), named(2, "westeurope / 5 machines", 1)])
    assert row.name == "broad-1 to 2"
