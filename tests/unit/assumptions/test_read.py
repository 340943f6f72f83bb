"""Files of assumptions: what they say, and what is said of those that are wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.assumptions.model import NOTHING, Spread
from orchestrator.assumptions.read import read_assumptions, settle
from orchestrator.errors import PolicyError
from tests.fleet import vm

FLEET = (vm("db-1", tags={"tier": "db"}), vm("web-1", tags={"tier": "web"}))


def said(text: str) -> list[str]:
    """The complaints about a file."""
    with pytest.raises(PolicyError) as caught:
        settle(read_assumptions("a.yaml", text), FLEET)
    return [str(problem) for problem in caught.value.problems]


def test_of_several_entries_each_key_is_taken_from_the_last_that_has_it() -> None:
    """So a file begins with what holds for all, and goes on with exceptions."""
    text = """
version: 1
machines:
  - {reboot_takes: {median: 4m, p95: 15m}, install_fails: 1%, unhealthy_for: {median: 1h}}
  - {of: {tags: {tier: db}}, reboot_takes: {median: 10m}, install_fails: 0%}
approvals_take: {median: 2h, p95: 16h}
faults: storm.yaml
"""
    read = read_assumptions("a.yaml", text)
    settled = settle(read, FLEET)
    db, web = (settled.of(machine.id) for machine in FLEET)

    assert web.reboot_takes == Spread(timedelta(minutes=4), timedelta(minutes=15))
    assert db.reboot_takes == Spread(timedelta(minutes=10), timedelta(minutes=10))
    assert (web.install_fails, db.install_fails) == (0.01, 0.0)
    assert db.unhealthy_for == web.unhealthy_for == Spread(timedelta(hours=1), timedelta(hours=1))
    assert settled.of(vm("other").id) == NOTHING
    assert read.approvals_take == Spread(timedelta(hours=2), timedelta(hours=16))
    assert [name for name, _ in read.faults] == ["storm.yaml"]


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    """And with what to write instead."""
    text = """\
version: 1
machines:
  - instal_fails: 1%
    reboot_takes: {median: 4m, p95: 15}
  - of: {tag: {tier: db}}
    stays_down: 0.01
    goes_off: 101%
    reboots: 1 in 500
approval_takes: {median: 2h}
"""
    assert said(text) == [
        "a.yaml:3:5: unknown key `instal_fails`; did you mean `install_fails`?",
        "a.yaml:4:37: `15` isn't a duration; say the unit: 15s, 15m, 15h or 15d",
        "a.yaml:5:10: unknown key `tag`; did you mean `tags`?",
        "a.yaml:6:17: `0.01` isn't a chance; write 1%",
        "a.yaml:7:15: `101%` is more than always; write a percentage from 0% to 100%",
        "a.yaml:8:14: `1 in 500` isn't a chance; write 0.2%",
        "a.yaml:9:1: unknown key `approval_takes`; did you mean `approvals_take`?",
    ]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("{of: [db-1]}", "3:5: an entry that assumes nothing; write one of install_takes, "),
        ("{p95: 4m}", "3:6: `p95` doesn't belong here; write it in a mapping such as `reboot_takes: "),
        (
            "{off_for: {median: 4m, p95: 3m}}",
            "3:33: what 19 of 20 stay below can't be shorter than the median; exchange the two",
        ),
        ("{install_fails: 2}", "3:21: `2` isn't a chance; write 2% if that is meant"),
        ("{install_fails: often}", "3:21: `often` isn't a chance; write a percentage such as 1% or 0.5%"),
    ],
)
def test_what_makes_no_sense_is_refused(entry: str, complaint: str) -> None:
    """With a way out."""
    (told,) = said(f"version: 1\nmachines:\n  - {entry}\n")
    assert told.startswith(f"a.yaml:{complaint}")


def test_an_entry_of_nobody_is_taken_for_a_mistake() -> None:
    """It would be without effect, and nobody would see it."""
    assert said("version: 1\nmachines:\n  - {of: {tags: {tier: bd}}, goes_off: 1%}\n") == [
        "a.yaml:3:6: `of` selects none of the 2 machines, so this is assumed of nobody; look for a typing error, or take the entry out"
    ]


def test_outcomes_of_one_change_are_at_most_always() -> None:
    """Also where they stand in two entries."""
    (told,) = said("version: 1\nmachines:\n  - install_fails: 60%\n  - {of: [db-1], stays_down: 40.5%}\n")
    assert told.startswith("a.yaml:4:6: with what is assumed before, the chances of db-1 come to 100.5")
    assert "100% together at most" in told
