"""Expectations of the plan."""

from __future__ import annotations

import pytest

from orchestrator.rehearsal.judge_plan import holds
from tests.rehearsing import rehearsed, told


@pytest.mark.parametrize(
    "expectation",
    [
        "{stage: canary, at_most: 1}",
        "{stage: broad, includes: [web-1, web-2]}",
        "{waves_at_most: 12}",
        "{waves_at_most: 1, in_stage: canary}",
        "{changes: {tags: {app: shop}}}",
        "{untouched: jump}",
        "{warns: tier=db before}",
    ],
)
def test_what_is_so_holds(expectation: str) -> None:
    """Each kind once."""
    assert told(rehearsed(f"expect: [{expectation}]")) == ""


@pytest.mark.parametrize(
    ("expectation", "lines"),
    [
        ("{stage: pilot, at_most: 1}", ["expected a stage pilot", "but the stages are canary, broad"]),
        ("{stage: canary, holds: [db-1, web-1]}", ["db-1, web-1 aren't in it", "is in wave"]),
        ("{stage: broad, at_most: 2}", ["at most 2 machines in stage broad", "but it has 8"]),
        ("{waves_at_most: 2}", ["but there are 7", "stage canary, ", "stage broad, goes first"]),
        ("{waves_at_most: 2, in_stage: x}", ["there is no stage x; the stages are canary, broad"]),
        ("{changes: 'db-[1-3]'}", ["the plan changes web-1", "is in wave"]),
        ("{changes: [jump]}", ["the plan doesn't change jump", "jump isn't selected by campaign monthly"]),
        ("{untouched: db-1}", ["the plan changes db-1", "db-1 is in wave"]),
        ("{left_out: db-1}", ["the plan doesn't leave out db-1", "db-1 is in wave"]),
        ("{left_out: jump}", ["jump isn't selected by campaign monthly"]),
        ("{warns: xyz}", ["no warning says so", "it warns: "]),
        ("{untouched: nobody}", ["no machine of the fleet is nobody"]),
        ("{left_out: nobody}", ["no machine of the fleet is nobody"]),
        ("{changes: nobody}", ["no machine of the fleet is nobody"]),
        ("{stage: canary, holds: nobody}", ["no machine of the fleet is nobody"]),
        ("{refused: x}", ["expected no plan", "there is one, of 9 machines"]),
    ],
)
def test_what_is_not_so_fails_and_explains(expectation: str, lines: list[str]) -> None:
    """In the sentences of `explain`."""
    said = told(rehearsed(f"expect: [{expectation}]"))
    assert [line for line in lines if line not in said] == []


def test_a_reason_must_hold_the_words() -> None:
    """The other reason is told."""
    assert (
        told(rehearsed("given: {off: web-1}\nexpect: [{left_out: web-1, because: It IS deallocated}]")) == ""
    )
    said = told(rehearsed("given: {off: web-1}\nexpect: [{left_out: web-1, because: stopped}]"))
    assert "it is left out because it is deallocated" in said


def test_a_plan_that_is_refused() -> None:
    """Expected, for another reason, or not at all; then that alone is told, whatever else was expected."""
    one_off = "one_off: {change: restart, select: {names: nobody}}\n"
    assert told(rehearsed(f"{one_off}expect: [{{refused: selects none}}]")) == ""
    assert "the reason is: " in told(rehearsed(f"{one_off}expect: [{{refused: something else}}]"))
    result = rehearsed(f"{one_off}expect: [{{warns: x}}, {{waves_at_most: 1}}]")
    assert len(result.failures) == 1
    assert "expected a plan\nbut nothing can be planned: " in told(result)


def test_a_situation_of_machines_that_are_not_there_fails() -> None:
    """Else the test would show something else than it says."""
    said = told(rehearsed("given: {off: web-77}\nexpect: [{waves_at_most: 12}]"))
    assert "expected some machine to be off\nbut the fleet has none of those that the test names" in said


def test_words_are_found_whatever_their_case_and_line_breaks() -> None:
    """People wrap lines in YAML."""
    assert holds("It is\n deallocated", "it IS deallocated")
    assert not holds("it is stopped", "deallocated")
