"""A comparison as Markdown, as a pull request shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from orchestrator.planner.diff import diff
from orchestrator.planner.model import Plan, Warned
from orchestrator.reports.diff_markdown import MOST_CHARACTERS, MOST_SENTENCES, code, markdown
from tests.builders import budget, lane, plan_of, stage

OLD = plan_of(lane("broad-1", "a", "b"), rules=[budget(1, "a b")])
NEW = plan_of(lane("broad-1", "a b"))


def rendered(text: str) -> str:
    """As HTML, by a renderer that lets HTML through and knows tables, as those of forges do."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def renamed(plan: Plan, name: str) -> Plan:
    """The plan, with a name of somebody else's choice wherever there is one."""
    gate = stage(name)
    lanes = tuple(replace(each, stage=name, what=name) for each in plan.lanes)
    machines = tuple(replace(machine, name=name) for machine in plan.machines)
    warnings = (*plan.warnings, Warned(name))
    return replace(plan, name=name, stages=(gate,), lanes=lanes, machines=machines, warnings=warnings)


def test_figures_stand_above_and_the_rest_unfolds() -> None:
    """A table, then a part to unfold for each respect."""
    told = markdown(diff(OLD, NEW))

    assert told.splitlines()[:3] == [
        "### Plan `test`",
        "",
        "**2 waves one after another become 1: 1 fewer.** Made of the same inventory, and the same policies.",
    ]
    assert "| waves one after another | 2 | 1 | -1 |" in told
    html = rendered(told)
    assert html.count("<details>") == html.count("</details>") == 3
    assert "<summary>Constraints: 1 removed</summary>" in html
    assert "<li>removed: <code>at most 1 of 2</code> (<code>policies/test.yaml:1</code>)</li>" in html


def test_plans_that_do_the_same_need_no_table() -> None:
    """Two lines."""
    assert markdown(diff(OLD, OLD)).splitlines()[2:] == [
        "**Both plans do the same.** Made of the same inventory, and the same policies."
    ]


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        "</details><script>",
        "[click](http://evil.example)",
        "`; <b>",
        "``x``",
        "a | b",
        "a\n\n# b",
        "@everyone #1 https://x.example",
        "\u202egnp.exe",
        "***",
    ],
)
def test_names_have_no_meaning(name: str) -> None:
    """Wherever a name stands it stays a name: nothing but what we wrote ourselves is markup."""
    html = rendered(markdown(diff(renamed(OLD, "plain"), renamed(NEW, name))))
    plain = rendered(markdown(diff(renamed(OLD, "plain"), renamed(NEW, "other"))))

    assert tags(html) == tags(plain)


def tags(html: str) -> list[str]:
    """The elements of a page, in their order."""
    return [part.partition(">")[0] for part in html.split("<")[1:]]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("web-1", "`web-1`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a\n b\t\u200bc", "`a b c`"),
        ("", "`(nothing)`"),
        ("x" * 161, "`" + "x" * 159 + "…`"),
    ],
)
def test_others_words_are_a_span_of_code(text: str, span: str) -> None:
    """On one line, however they are quoted themselves, and not too long."""
    assert code(text) == span


def test_a_pipe_doesn_t_end_a_cell() -> None:
    """In a table, and in a table only."""
    assert (code("a|b", in_table=True), code("a|b")) == ("`a\\|b`", "`a|b`")


def test_no_comment_gets_too_long() -> None:
    """Of thousands of changes the first are told, and how many there are; every part is closed."""
    sentences = tuple(Warned(f"{number} {'long ' * 100}") for number in range(5000))
    old = renamed(OLD, "x" * 5000)
    told = markdown(diff(old, replace(renamed(NEW, "y" * 5000), warnings=sentences)))

    assert len(told) <= MOST_CHARACTERS
    assert f"and {5000 + 1 - MOST_SENTENCES:,} more: `wavekeeper diff --verbose`" in told
    assert told.count("<details>") == told.count("</details>")


def test_a_long_comment_ends_before_it_is_refused() -> None:
    """With hundreds of stages no room is left for anything to unfold."""
    stages = [stage(f"{number:03} {'x' * 150}") for number in range(200)]
    lanes = [lane(f"l{n}", f"m{n}", stage=each.name) for n, each in enumerate(stages)]

    assert len(markdown(diff(OLD, plan_of(*lanes, stages=stages)))) <= MOST_CHARACTERS
