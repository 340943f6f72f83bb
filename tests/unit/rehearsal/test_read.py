"""Files of tests are read as strictly as policies."""

from __future__ import annotations

import pytest

from orchestrator.policy.model import Restart, Selector
from orchestrator.rehearsal.read import read_books
from tests.rehearsing import FLEET, problems


def test_all_that_is_wrong_is_told_at_once_with_its_place() -> None:
    """A mistyped key, an unknown kind, a wrong word, a range that runs backwards."""
    text = f"""{FLEET}tests:
  - name: one
    expct: []
    expect:
      - {{at_msot_out: 1}}
      - {{at_most_out: 1, of: [db-1], pre: zone}}
      - {{outcome: dno}}
      - {{untouched: "web-[3-1]"}}
      - {{at_most: 3}}
"""
    assert problems(text) == [
        "a.test.yaml:10:5: unknown key `expct`; the keys here are name, fleet, given, campaign, one_off, run, expect",
        "a.test.yaml:12:10: unknown key `at_msot_out`; did you mean `at_most_out`?",
        "a.test.yaml:13:38: unknown key `pre`; the keys here are of, per, at_most_out",
        "a.test.yaml:14:19: `dno` isn't known here; write done, not_changed, unhealthy, left_out, skipped, gone, undecided or pending",
        "a.test.yaml:15:21: `web-[3-1]` has the range 3-1; write the smaller number first",
        "a.test.yaml:16:10: `at_most` doesn't belong here; write it in `run`",
    ]


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("expect: [{rollout: stopped}]", "this is seen only in a rollout"),
        ("expect: [{outcome: done}]", "this is seen only in a rollout"),
        ("given: {unhealthy: db-1}\nexpect: [{warns: x}]", "what is done about machines that are unwell"),
        ("expect: [{stage: canary}]", "nothing is expected of the stage"),
        ("expect: [{order: [db-1]}]", "an order of one"),
        ("expect: [{outside: {from: 2026-12-18, to: 2026-12-01}}]", "the last day is before the first"),
        ("expect: [{inside: {at: '22:00', for: 8h, time_zone: UTC}}]", "a window that never starts"),
        ("expect: []", "List should have at least 1 item"),
        ("fleet: {}\nexpect: [{warns: x}]", "a fleet is written inline, or it is of an inventory file"),
        (
            "fleet: {machines: [{name: a, update_domain: 1}]}\nexpect: [{warns: x}]",
            "domains belong to an availability set or a scale set",
        ),
        (
            "fleet: {machines: [{name: a, scale_set: s, update_domain: 1}]}\nexpect: [{warns: x}]",
            "a Flexible scale set has no update domains",
        ),
        (
            "fleet: {machines: [{name: a, scale_set: s, availability_set: t}]}\nexpect: [{warns: x}]",
            "a machine is in an availability set or in a scale set",
        ),
        (
            "campaign: a\none_off: {change: restart, select: {names: x}}\nexpect: [{warns: x}]",
            "a one-off belongs to no campaign",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(test: str, what: str) -> None:
    """One problem, in the file's own words."""
    body = "".join(f"    {line}\n" for line in test.splitlines())
    (problem,) = problems(f"{FLEET}tests:\n  - name: t\n{body}")
    assert what in problem


def test_two_tests_of_one_name_and_a_test_without_machines() -> None:
    """A name is how a test is found again."""
    text = "version: 1\ntests:\n  - {name: a, expect: [{warns: x}]}\n  - {name: A, fleet: {inventory: f}, expect: [{warns: x}]}\n"
    assert [problem.partition(": ")[2].partition(";")[0] for problem in problems(text)] == [
        "a test without machines",
        "two tests are called `A`",
    ]


def test_a_test_takes_what_it_does_not_say_from_the_file() -> None:
    """The moment from the file, those that are off from the test; names alone stand for a selector."""
    (book,) = read_books(
        [
            (
                "a.test.yaml",
                f"""{FLEET}given: {{now: "2026-12-19 21:00+01:00"}}
tests:
  - name: t
    given: {{off: ["web-[1-2]"]}}
    one_off: {{change: restart, select: {{tags: {{app: shop}}}}}}
    run:
    expect: [{{untouched: jump}}]
""",
            )
        ]
    )
    (case,) = book.cases

    assert case.situation.now.isoformat() == "2026-12-19T20:00:00+00:00"
    assert case.situation.off == Selector(names=("web-1", "web-2"))
    assert (case.ask.change, case.ask.select) == (Restart(), Selector(tags=(("app", ("shop",)),)))
    assert case.run is not None
    assert book.policies == (".",)


def test_a_file_of_tests_that_is_no_yaml_is_a_problem_and_no_traceback() -> None:
    """As of policies."""
    assert len(problems("version: 1\ntests: [")) == 1
