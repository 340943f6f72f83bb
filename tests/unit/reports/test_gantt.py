"""A plan as a picture, and as a page."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from xml.etree import ElementTree as ET

import pytest

from orchestrator.planner.durations import Durations
from orchestrator.planner.forecast import forecast
from orchestrator.planner.model import Plan
from orchestrator.reports.gantt import Form, draw
from orchestrator.reports.gantt_layout import DARK_MARKS, DARK_WORDS, INK, SHADES
from tests.builders import lane, plan_of, stage
from tests.unit.planner.company import planned

SVG = "{http://www.w3.org/2000/svg}"
FORMS: tuple[Form, ...] = ("svg", "png", "html")
NASTY = "</svg><script>&\x01$\\frac{x}$"

PLAN = plan_of(
    lane("c", "a", stage="canary"), lane("b", "b c", "d"), stages=[stage("canary"), stage("broad")]
)


def nasty() -> Plan:
    """A plan with names that markup, XML and mathematics would trip over."""
    lanes = tuple(replace(each, what=f"{NASTY} / {NASTY}") for each in PLAN.lanes)
    machines = tuple(replace(machine, name=NASTY) for machine in PLAN.machines)
    return replace(PLAN, name=NASTY, lanes=lanes, machines=machines)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_plan_gives_the_same_bytes(form: Form) -> None:
    """Whatever is drawn in between."""
    first = draw(PLAN, form)
    draw(nasty(), form)

    assert draw(PLAN, form) == first


@pytest.mark.parametrize("form", FORMS)
def test_names_stay_names(form: Form) -> None:
    """In every form; a character that no XML may hold is replaced."""
    drawn = draw(nasty(), form, title=NASTY)

    assert b"<script>" not in drawn
    if form == "svg":
        written = [text.text or "" for text in ET.fromstring(drawn).iter(f"{SVG}text")]
        assert any(text == NASTY.replace("\x01", "\ufffd") for text in written)


def test_a_script_that_the_font_lacks_is_no_failure() -> None:
    """A box stands for what can't be drawn, and nobody is warned."""
    assert draw(replace(PLAN, name="\u65e5\u672c\u8a9e"), "png").startswith(b"\x89PNG")


def test_words_of_an_svg_can_be_searched() -> None:
    """Lanes, stages and bars say theirs as text."""
    root = ET.fromstring(draw(PLAN, "svg"))
    written = [text.text for text in root.iter(f"{SVG}text")]

    assert {"Plan test", "canary", "broad", "2"} <= set(written)
    assert "b, wave 1 of 2: 2 machines\nb\nb, c" in [title.text for title in root.iter(f"{SVG}title")]


def test_a_page_says_why_lanes_are_long() -> None:
    """The chain that decides in full, the others to unfold, in a document that loads nothing."""
    plan, _ = planned(60)
    page = draw(plan, "html").decode()

    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<svg") == 1
    assert "other lanes</summary>" in page
    assert all(f'<td class="tight">{lane.id}</td>' in page for lane in plan.lanes)
    assert "src=" not in page
    assert "@import" not in page


def test_facts_are_told_once_in_a_page() -> None:
    """The picture in it has no title of its own."""
    assert draw(PLAN, "html").decode().count("Plan test") == 2  # in the head and over the page


def test_a_forecast_is_told_with_its_deadline() -> None:
    """Above the picture that counts in its hours."""
    expected = forecast(PLAN, Durations(), datetime(2026, 12, 11, 20, tzinfo=UTC))
    written = [
        text.text or "" for text in ET.fromstring(draw(PLAN, "svg", forecast=expected)).iter(f"{SVG}text")
    ]

    assert any(text.startswith("earliest end: 2026-12-1") for text in written)
    assert "UTC" in written


def test_the_hash_seed_makes_no_difference() -> None:
    """To the bytes of a picture."""
    program = (
        "import sys, hashlib\n"
        "from orchestrator.reports.gantt import draw\n"
        "from tests.unit.planner.company import planned\n"
        "print(hashlib.sha256(draw(planned(300)[0], 'svg')).hexdigest())\n"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ".", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert elsewhere == sha256(draw(planned(300)[0], "svg")).hexdigest()


@pytest.mark.parametrize("form", ["svg", "html"])
def test_a_drawing_is_dark_on_a_dark_screen(form: Form) -> None:
    """Each colour of its own has another there, and what stands on it one that can be read on that."""
    plan, _ = planned(300)
    drawn = draw(plan, form).decode()
    rules = drawn[drawn.index("<style>@media screen and (prefers-color-scheme: dark)") :]
    rules = rules[: rules.index("</style>")]
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', drawn.replace(rules, "")))
    assert {colour for colour in used if f'[fill="{colour}"]' not in rules} == set()
    words = set(re.findall(r"px; fill: (#[0-9a-f]{6})", drawn))
    assert {colour for colour in words if f'text[style*="fill: {colour}"]' not in rules} == set()
    for light, dark in DARK_WORDS.items():
        if light != "#ffffff":
            assert contrast(dark, DARK_MARKS["#ffffff"]) > 4.5
    for least, shade in SHADES:
        assert contrast(DARK_WORDS["#ffffff" if least >= SHADES[3][0] else INK], DARK_MARKS[shade]) > 4.5


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2: 4.5 is enough for small type."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """How light a colour is, from 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
