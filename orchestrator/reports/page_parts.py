"""The parts of a report: figures, verdicts, why it stopped and what that spared, budgets, who was left out, who did what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from orchestrator.reports.markup import Node, h
from orchestrator.reports.page_chart import chart_svg
from orchestrator.reports.page_model import (
    Act,
    BudgetUse,
    Chart,
    Check,
    Figure,
    LeftOutRow,
    Offer,
    Spared,
    TurnRow,
    UpdateRow,
)

_FIRST = 12  # rows shown of a long table; the rest unfolds
_LEGEND = (
    ("asked", "granted, asked for"),
    ("changing", "being changed"),
    ("gone", "really out, as the witness saw it"),
    ("proving", "proving that it is well"),
    ("broken", "not well"),
)


def act(one: Act) -> ET.Element:
    """A rollout's card."""
    return h(
        "section",
        h("h2", one.title),
        h("p", one.headline, class_="headline"),
        figures(one.figures),
        _cause(one),
        _spared(one.spared) if one.spared is not None else None,
        _chart(one.chart) if one.chart.lanes else None,
        _part("What was judged", checks(one.checks)),
        _part("Budgets, and how near they came", _budgets(one.budgets)),
        _part("Not changed, and why", _left_out(one.left_out)),
        _part("What to do about it", _advice(one.advice)),
        _part("What became of each update", _updates(one.updates)),
        _part("What may be done now", _offers(one.offers)),
        _part("Who did what", _turns(one)),
        class_="card",
    )


def _part(title: str, content: Node) -> Iterable[ET.Element]:
    return () if content is None else (h("h3", title), h("div", content, class_="scroll"))


def figures(shown: Sequence[Figure]) -> ET.Element | None:
    """Numbers side by side."""
    if not shown:
        return None
    cells = (
        h("div", h("b", f.value), h("span", f.label), h("small", f.note) if f.note else None, class_="figure")
        for f in shown
    )
    return h("div", cells, class_="figures")


def checks(judged: Sequence[Check]) -> ET.Element | None:
    """Verdicts: held or broken, and over how much."""
    if not judged:
        return None
    return h("table", (_check(check) for check in judged))


def _check(check: Check) -> ET.Element:
    mark = h("span", "✓" if check.ok else "✗", class_=f"mark {'good' if check.ok else 'bad'}")
    notes = (
        h("details", h("summary", _notes(len(check.notes))), map(_item, check.notes)) if check.notes else None
    )
    broken = h("ul", (h("li", what) for what in check.violations)) if check.violations else None
    return h(
        "tr",
        h("td", mark, check.what, class_="tight"),
        h("td", "every rule held" if check.ok else "rules were broken", broken, class_="tight" if check.ok else None),
        h("td", check.judged, notes, class_="soft"),
    )  # fmt: skip


def _notes(count: int) -> str:
    return "a note" if count == 1 else f"{count} notes"


def _item(text: str) -> ET.Element:
    return h("p", text, class_="soft")


def _cause(one: Act) -> ET.Element | None:
    if not one.cause:
        return None
    evidence = h("ul", (h("li", line) for line in one.evidence)) if one.evidence else None
    return h("div", h("b", "Why it stopped. "), one.cause, evidence, class_="cause")


def _spared(spared: Spared) -> Iterable[ET.Element]:
    whole = len(spared.broken) + len(spared.touched) + len(spared.untouched)
    squares = [
        h("i", title=f"{name}: {what}", class_=kind or None)
        for kind, what, names in (
            ("broken", "broke", spared.broken),
            ("touched", "changed, and well so far", spared.touched),
            ("", "never touched", spared.untouched),
        )
        for name in names
    ]
    told = f"{len(spared.untouched)} of {whole} machines that {spared.weakness} were never touched"
    return (
        h("h3", "What it spared"),
        h("p", h("b", told), f"; {len(spared.broken)} broke. Each square is one of them."),
        h("div", squares, class_="squares"),
    )


def _chart(chart: Chart) -> Iterable[ET.Element]:
    used = {
        "broken": any(x.outcome not in {"done", ""} for r in chart.lanes for w in r.waves for x in w.lines)
    }
    used["gone"] = any(x.outs for r in chart.lanes for w in r.waves for x in w.lines)
    swatches = (
        h("span", h("i", style=f"background: var(--{_SWATCH[kind]})"), text)
        for kind, text in _LEGEND
        if used.get(kind, True)
    )
    return (
        h("h3", "Lanes over time: a box is a wave, a line in it a machine"),
        h("div", chart_svg(chart), class_="scroll"),
        h("div", swatches, class_="legend"),
    )


_SWATCH = {"asked": "asked", "changing": "bar", "gone": "amber", "proving": "teal", "broken": "red"}


def _budgets(budgets: Sequence[BudgetUse]) -> ET.Element | None:
    return _long_table(("rule", "used at most", "", "from"), [_budget(budget) for budget in budgets])


def _budget(budget: BudgetUse) -> ET.Element:
    share = min(100.0, 100 * budget.most / max(budget.limit, 1))
    kind = "over" if budget.most > budget.limit else "full" if budget.most == budget.limit else ""
    return h(
        "tr",
        h("td", budget.what, h("span", " as a cap", class_="soft") if budget.cap else None),
        h("td", f"{budget.most} of {budget.limit}", class_="tight"),
        h("td", h("div", h("i", style=f"width: {share:.0f}%"), class_=f"meter {kind}".strip())),
        h("td", h("code", budget.origin), class_="tight"),
    )


def _left_out(rows: Sequence[LeftOutRow]) -> ET.Element | None:
    return _long_table(
        ("machine", "reason"),
        [h("tr", h("td", row.machine, class_="tight"), h("td", row.reason, class_="soft")) for row in rows],
    )


def _advice(sentences: Sequence[str]) -> ET.Element | None:
    return h("ul", (h("li", sentence) for sentence in sentences)) if sentences else None


def _updates(rows: Sequence[UpdateRow]) -> ET.Element | None:
    heads = ("update", "in", "failed", "pending", "not in on, among others")
    return _long_table(heads, [_update(row) for row in rows])


def _update(row: UpdateRow) -> ET.Element:
    counts = (row.installed, row.failed, row.pending)
    return h(
        "tr",
        h("td", row.name, class_="tight"),
        (h("td", f"{count:,}" if count else "", class_="tight") for count in counts),
        h("td", ", ".join(row.trouble), class_="soft"),
    )


def _offers(offers: Sequence[Offer]) -> ET.Element | None:
    rows = (
        h("tr", h("td", h("code", o.command), class_="tight"), h("td", o.effect, class_="soft"))
        for o in offers
    )
    return h("table", rows) if offers else None


def _turns(one: Act) -> ET.Element | None:
    return _long_table(("when", "who", "what"), [_turn(turn) for turn in one.turns])


def _turn(turn: TurnRow) -> ET.Element:
    return h(
        "tr",
        h("td", f"{turn.at:%Y-%m-%d %H:%M}", class_="tight soft"),
        h("td", turn.who, class_="tight"),
        h("td", turn.what),
    )


def _long_table(heads: Sequence[str], rows: Sequence[ET.Element]) -> ET.Element | None:
    """A table whose rows beyond the first few unfold."""
    if not rows:
        return None
    head = h("tr", (h("th", text, class_="tight") for text in heads))
    first = h("table", head, rows[:_FIRST])
    more = rows[_FIRST:]
    if not more:
        return first
    return h("div", first, h("details", h("summary", f"{len(more)} more"), h("table", more)))
