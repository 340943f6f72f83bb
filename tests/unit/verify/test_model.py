"""Verdicts."""

from __future__ import annotations

from orchestrator.verify.model import MOST_PER_RULE, Findings, Verdict, Violation, together


def test_no_violations_is_ok() -> None:
    """A verdict without violations is ok, and says how much was looked at."""
    found = Findings()
    found.judged("budgets", 3)
    verdict = found.verdict()
    assert verdict.ok
    assert (verdict.to_json()) == {
        "ok": True,
        "violations": [],
        "untold": {},
        "judged": {"budgets": 3},
        "notes": [],
    }


def test_violations_beyond_the_first_are_counted() -> None:
    """Of each rule only the first violations are told; the others are counted by rule."""
    found = Findings()
    for number in range(MOST_PER_RULE + 5):
        found.broken("budget", f"b{number}", ["m"], "too many")
    found.broken("order", "o", ["m"], "too early")
    verdict = found.verdict()
    assert len(verdict.violations) == MOST_PER_RULE + 1
    assert dict(verdict.untold) == {"budget": 5}
    assert verdict.count == MOST_PER_RULE + 6
    assert found.enough("budget")
    assert not found.enough("order")


def test_machines_are_sorted_and_named() -> None:
    """Machines of a violation are sorted, each once; people read names."""
    found = Findings({"/x/b": "web-02"})
    found.broken("budget", "b", ["/x/b", "/x/a", "/x/b"], "too many")
    assert found.verdict().violations[0].machines == ("/x/a", "/x/b")
    assert found.name("/x/b") == "web-02"
    assert found.name("/x/a") == "a"
    assert found.listed({"/x/a", "/x/b", "/x/c", "/x/d", "/x/e"}) == "a, web-02, c and 2 more"


def test_together() -> None:
    """Verdicts add up, and what two of them say in the same words is said once."""
    same = Violation("structure", "lanes", (), "a circle")
    one = Verdict((same,), {"machines": 2}, ("a note",), {"budget": 1})
    other = Verdict((same, Violation("zone", "z", ("m",), "two zones")), {"machines": 3}, ("a note", "b"))
    both = together(one, other)
    assert [v.rule for v in both.violations] == ["structure", "zone"]
    assert dict(both.judged) == {"machines": 5}
    assert both.notes == ("a note", "b")
    assert dict(both.untold) == {"budget": 1}
    assert str(both.violations[1]) == "zone: two zones"
