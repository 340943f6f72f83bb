"""Files that add to the hotpatch calendar: what they say, and what is said of those that are wrong."""

from __future__ import annotations

from datetime import date

import pytest

from orchestrator.corrections.read import read_calendar
from orchestrator.errors import PolicyError
from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.hotpatch.model import Between, Effect, Month, MonthKind, Product, Release

KNOWN = built_in_calendar()
WS2022, WS2025 = Product.WS2022, Product.WS2025


def read(text: str) -> Calendar:
    """The calendar with what a file says."""
    return read_calendar("c.yaml", f"version: 1\n{text}", KNOWN)


def said(text: str) -> list[str]:
    """The complaints about a file."""
    with pytest.raises(PolicyError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_month_is_added_or_corrected() -> None:
    """Each in the place of what was known; all else stays."""
    calendar = read("""\
months:
  - product: windows_server_2025
    month: 2026-11
    kind: hotpatch
    kb: KB5100001
    build: 26100.33500
    lcu: 5100002
    lcu_build: 10.0.26100.33600
    released: 2026-11-10
    source: its page
  - {product: windows_server_2022, month: 2026-06, kind: unplanned_baseline, kb: KB5094128, build: 20348.5256}
updates:
  - {product: windows_server_2025, kb: KB5100003, released: 2026-11-20, track: leaves, build: 26100.33601}
""")

    assert calendar.release(WS2025, Month(2026, 11)) == Release(
        WS2025,
        Month(2026, 11),
        MonthKind.HOTPATCH,
        "5100001",
        33500,
        "5100002",
        33600,
        date(2026, 11, 10),
        "its page",
    )
    june = calendar.release(WS2022, Month(2026, 6))
    assert (june.kind, june.lcu, june.lcu_build, june.note) == (
        MonthKind.UNPLANNED_BASELINE,
        "5094128",
        5256,
        "",
    )
    assert calendar.between(WS2025, Month(2026, 11), Month(2026, 11)) == (
        Between(WS2025, "5100003", date(2026, 11, 20), Effect.LEAVES, 33601),
    )
    assert calendar.release(WS2025, Month(2026, 12)) == KNOWN.release(WS2025, Month(2026, 12))


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    """And with what to write instead."""
    text = """\
months:
  - {product: windows_server_2019, month: 2026-13, kind: hotpach}
  - {product: windows_server_2025, month: 2026-11, kind: hotpatch, kbs: KB1}
  - {product: windows_server_2025, month: 2026-12}
updates:
  - {product: windows_server_2025, kb: five, released: yesterday, track: left, build: "33500"}
month: []
"""
    assert said(text) == [
        "c.yaml:3:15: `windows_server_2019` isn't known here; did you mean `windows_server_2025`?",
        "c.yaml:3:43: `2026-13` isn't a month; write it as 2026-11",
        "c.yaml:3:58: `hotpach` isn't known here; did you mean `hotpatch`?",
        "c.yaml:4:68: unknown key `kbs`; did you mean `kb`?",
        "c.yaml:5:5: `kind` is missing; write it, such as kind: hotpatch",
        "c.yaml:7:40: `five` isn't a KB id; write its digits, such as 5087423",
        "c.yaml:7:56: `yesterday` isn't a date; write year, month and day as 2026-12-18",
        "c.yaml:7:74: `left` isn't known here; write keeps or leaves",
        "c.yaml:7:87: `33500` isn't a build; write both of its parts, such as 26100.32772",
        "c.yaml:8:1: `month` doesn't belong here; write it in an entry of `months`",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "c.yaml:1:1: a calendar that says nothing; write `months` or `updates`, or leave the file out"),
        (
            (
                "months:\n  - {product: windows_server_2025, month: 2026-11, kind: hotpatch}\n"
                "  - {product: windows_server_2025, month: 2026-11, kind: baseline}\n"
            ),
            "c.yaml:4:5: 2026-11 of windows_server_2025 is there twice; keep this entry or the one of line 3",
        ),
        (
            (
                "updates:\n  - {product: windows_server_2025, kb: 5100001, released: 2026-11-20, track: keeps}\n"
                "  - {product: windows_server_2025, kb: KB5100001, released: 2026-11-21, track: keeps}\n"
            ),
            "c.yaml:4:5: KB5100001 is there twice; keep this entry or the one of line 3",
        ),
        (
            "months: [{product: windows_server_2025, month: 2026-11, kind: hotpatch, build: 20348.1}]",
            "c.yaml:2:80: 20348.1 is no build of Windows Server 2025; its builds begin with 26100",
        ),
        (
            "months: [{product: windows_server_2025, month: 2026-10, kind: baseline, lcu: KB5100001}]",
            "c.yaml:2:73: a baseline is the cumulative update too; write it as `kb`",
        ),
        (
            "months: [{product: windows_server_2025, month: 2026-10, kind: baseline, lcu_build: 26100.1}]",
            "c.yaml:2:73: a baseline is the cumulative update too; write it as `build`",
        ),
        (
            "months: [{product: windows_server_2025, month: 2026-10, kind: baseline, released: 2026-11-01}]",
            "c.yaml:2:83: 2026-11-01 isn't in 2026-10; mend one of the two, or write an entry of `updates`",
        ),
    ],
)
def test_what_does_not_fit_together(text: str, complaint: str) -> None:
    """Each is told by its place."""
    assert said(text) == [complaint]


def test_a_file_that_is_no_yaml_or_of_another_version_is_refused() -> None:
    """By line, too."""
    with pytest.raises(PolicyError, match=r"c\.yaml:1:10: `2` isn't known here; write 1"):
        read_calendar("c.yaml", "version: 2\nmonths: []", KNOWN)
    assert said("months: [")[0].startswith("c.yaml:")
