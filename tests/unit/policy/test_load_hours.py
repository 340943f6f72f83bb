"""Windows and freezes of policy files: read, merged, shown, and refused with what to write instead."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Os
from orchestrator.policy.describe import describe
from orchestrator.policy.effective import effective, settle
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Days, Freeze, Origin, Weekday, Window, Zone
from tests.fleet import vm

HEAD = "version: 1\nname: shop\n"
ZONE = "time_zone: Europe/Amsterdam"


def window(text: str) -> Window:
    """The one window of a policy, written as the inside of a mapping."""
    (found,) = load_one("shop.yaml", f"{HEAD}windows:\n  - {{{text}}}\n").windows
    return found


def said(text: str) -> list[str]:
    """The problems of a file, as sentences without the file's name."""
    with pytest.raises(PolicyError) as caught:
        load_one("shop.yaml", text)
    return [str(problem).removeprefix("shop.yaml:") for problem in caught.value.problems]


def test_the_window_of_the_example() -> None:
    """Nights of the weekend, wherever the machine is."""
    found = window(
        'start: [fri, sat], at: "22:00", for: 8h, time_zone: {machine: true, else: Europe/Amsterdam}'
    )

    assert found == Window(
        Days((Weekday(4), Weekday(5))),
        time(22),
        timedelta(hours=8),
        Zone("Europe/Amsterdam", machine=True),
        Origin("shop.yaml", 4),
    )


@pytest.mark.parametrize(
    ("start", "days"),
    [
        ("start: sat", Days((Weekday(5),))),
        ("start: [sun, mon]", Days((Weekday(0), Weekday(6)))),
        ("start: every_day", Days(tuple(Weekday(day) for day in range(7)))),
        ("start: second tue", Days((Weekday(1, 2),))),
        ("start: [first sat, last sun, wed]", Days((Weekday(2), Weekday(5, 1), Weekday(6, -1)))),
        ("days_after_second_tuesday: 4", Days((), (4,))),
        ("days_after_second_tuesday: [11, 4]", Days((), (4, 11))),
        ("start: mon, days_after_second_tuesday: 0", Days((Weekday(0),), (0,))),
    ],
)
def test_days_on_which_a_window_starts(start: str, days: Days) -> None:
    """Weekdays, the nth of a month, days after patch day, or any of several."""
    assert window(f"{start}, at: 22:00, for: 8h, {ZONE}").days == days


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("UTC", "UTC"),
        ("America/New_York", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
    ],
)
def test_a_zone_by_its_name(zone: str, name: str) -> None:
    """IANA's, or Windows', which is what Azure's own maintenance configurations say."""
    assert window(f"start: sat, at: 9:30, for: 90m, time_zone: {zone}").zone == Zone(name)


def test_a_freeze() -> None:
    """Days are whole, and without a zone they are the machine's."""
    text = f"{HEAD}freezes:\n  - {{from: 2026-12-18, to: 2027-01-04, reason: year end}}\n"

    assert load_one("shop.yaml", text).freezes == (
        Freeze(date(2026, 12, 18), date(2027, 1, 4), "year end", None, Origin("shop.yaml", 4)),
    )
    other = text.replace("year end", "year end, time_zone: UTC")
    assert load_one("shop.yaml", other).freezes[0].zone == Zone("UTC")


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        (f"at: 22:00, for: 8h, {ZONE}", "4:5: the window doesn't say on which days it starts; write `start`, such as start: [fri, sat], or start: every_day"),
        (f"start: friday, at: 22:00, for: 8h, {ZONE}", "4:13: `friday` isn't a day on which a window could start; write fri"),
        (f"start: [2nd Tuesday], at: 22:00, for: 8h, {ZONE}", "4:14: `2nd Tuesday` isn't a day on which a window could start; write second tue"),
        (f"start: daily, at: 22:00, for: 8h, {ZONE}", "4:13: `daily` isn't a day on which a window could start; write every_day"),
        (f"start: fifth mon, at: 22:00, for: 8h, {ZONE}", '4:13: `fifth mon` isn\'t a day on which a window could start; write one of mon, tue, wed, thu, fri, sat, sun, or "second tue", "last sun" and the like, or every_day'),
        (f"days_after_second_tuesday: 28, at: 22:00, for: 8h, {ZONE}", "4:33: `28` isn't a number of days from 0 to 27; write a number such as 4"),
        (f"start: sat, at: 10pm, for: 8h, {ZONE}", '4:22: `10pm` isn\'t a time of day; write "22:00"'),
        (f"start: sat, at: 12:15 a.m., for: 8h, {ZONE}", '4:22: `12:15 a.m.` isn\'t a time of day; write "00:15"'),
        (f"start: sat, at: 24:00, for: 8h, {ZONE}", '4:22: `24:00` isn\'t a time of day; write "00:00", and the day after'),
        (f"start: sat, at: 22, for: 8h, {ZONE}", '4:22: `22` isn\'t a time of day; write "22:00"'),
        (f"start: sat, at: noon, for: 8h, {ZONE}", '4:22: `noon` isn\'t a time of day; write hours and minutes, such as "22:00"'),
        (f"start: sat, at: 22:00, for: 0s, {ZONE}", "4:34: the duration is nought; write how long, such as 30m"),
        (f"start: sat, at: 22:00, for: 32d, {ZONE}", "4:34: `32d` is longer than 31 days; take the window out: it would be open always"),
        ("start: sat, at: 22:00, for: 8h", "4:5: `time_zone` is missing; write it, such as time_zone: {machine: true, else: Europe/Amsterdam}"),
        ("start: sat, at: 22:00, for: 8h, time_zone: amsterdam", "4:49: `amsterdam` isn't a time zone that is known; did you mean `Europe/Amsterdam`?"),
        ("start: sat, at: 22:00, for: 8h, time_zone: Europe/Amsterdm", "4:49: `Europe/Amsterdm` isn't a time zone that is known; did you mean `Europe/Amsterdam`?"),
        ("start: sat, at: 22:00, for: 8h, time_zone: CET", "4:49: `CET` isn't a time zone that is known; write a place of the tz database, such as Europe/Amsterdam; abbreviations say nothing of summer time"),
        ("start: sat, at: 22:00, for: 8h, time_zone: {machine: true}", "4:49: `else` is missing; write it, such as else: Europe/Amsterdam"),
        ("start: sat, at: 22:00, for: 8h, time_zone: {else: UTC}", "4:49: only `machine: true` makes a difference between a machine's own time zone and another; write machine: true besides, or time_zone: UTC"),
        ("start: sat, at: 22:00, for: 8h, time_zone: {machine: yes, else: UTC}", "4:59: `yes` is text in YAML 1.2, not a truth value; write true"),
        (f"start: sat, at: 22:00, for: 8h, until: 06:00, {ZONE}", "4:38: unknown key `until`; the keys here are start, days_after_second_tuesday, at, for, time_zone"),
    ],
)  # fmt: skip
def test_windows_that_are_wrong(inside: str, sentence: str) -> None:
    """Each with its place, and what to write instead."""
    assert said(f"{HEAD}windows:\n  - {{{inside}}}\n") == [sentence]


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ("from: 2026-12-18, to: 2026-12-01, reason: x", "4:28: the freeze ends on 2026-12-01, before it begins on 2026-12-18; write the last day that is frozen"),
        ("from: 2026-12-18, to: 2036-01-04, reason: x", "4:28: the freeze is longer than a year: 3305 days; write the year that is meant, or leave the machines out of every campaign's `select`"),
        ("from: 18.12.2026, to: 2027-01-04, reason: x", "4:12: `18.12.2026` isn't a date; write year, month and day as 2026-12-18"),
        ("from: 2026-02-30, to: 2026-03-04, reason: x", "4:12: `2026-02-30` isn't a day of the calendar; write a date such as 2026-12-18"),
        ("from: 2026-12-18, to: 9999-12-31, reason: x", "4:28: `9999-12-31` isn't a day of our time; write the year that is meant"),
        ("from: 2026-12-18, to: 2027-01-04", "4:5: `reason` is missing; write it, such as reason: year end"),
    ],
)  # fmt: skip
def test_freezes_that_are_wrong(inside: str, sentence: str) -> None:
    """The same for freezes."""
    assert said(f"{HEAD}freezes:\n  - {{{inside}}}\n") == [sentence]


@pytest.mark.parametrize("key", ["windows", "freezes"])
def test_an_empty_list_says_nothing(key: str) -> None:
    """No windows at all could be taken for "never"."""
    assert f"3:1: no {key}; write at least one, or take the key out" in said(f"{HEAD}{key}: []\n")


def test_keys_of_a_window_elsewhere_are_told_where_they_belong() -> None:
    """They are the language's, in another place."""
    assert said(f"{HEAD}at: 22:00\nrules: [{{max_unavailable: 1}}]\n") == [
        "3:1: `at` doesn't belong here; write it in an entry of `windows`"
    ]


# Several policies -----------------------------------------------------------------------------------------------

SHOP = f"{HEAD}windows:\n  - {{start: sat, at: 20:00, for: 4h, {ZONE}}}\n"
MONTHLY = """version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
windows:
  - {start: [fri, sat], at: "22:00", for: 8h, time_zone: {machine: true, else: Europe/Amsterdam}}
freezes:
  - {from: 2026-12-18, to: 2027-01-04, reason: year end}
"""


def test_windows_of_each_policy_are_kept_apart_and_freezes_are_put_together() -> None:
    """So that one of each policy's must be open."""
    policies = load([("monthly.yaml", MONTHLY), ("shop.yaml", SHOP)])

    hours = effective(vm("web"), policies).hours

    assert [len(windows) for windows in hours.windows] == [1, 1]
    assert [freeze.reason for freeze in hours.freezes] == ["year end"]


def test_a_machine_s_policy_shows_its_hours_with_file_and_line() -> None:
    """And which time zone is its own."""
    policies = load([("monthly.yaml", MONTHLY), ("shop.yaml", SHOP)])
    machine = vm("web", os=Os.WINDOWS, time_zone="Tokyo Standard Time")

    shown = [
        (s.key, s.value, str(s.origin)) for s in describe(machine, policies) if s.key in {"window", "freeze"}
    ]

    assert shown == [
        ("window", "fri, sat at 22:00 for 8h, the machine's time zone, else Europe/Amsterdam; its own is Asia/Tokyo", "monthly.yaml:6"),
        ("window", "sat at 20:00 for 4h, Europe/Amsterdam", "shop.yaml:4"),
        ("freeze", "2026-12-18 to 2027-01-04: year end", "monthly.yaml:8"),
    ]  # fmt: skip


def test_windows_that_never_meet_are_an_error_that_names_both_files() -> None:
    """On these machines; and machines elsewhere on Earth may do better."""
    shop = SHOP.replace("start: sat, at: 20:00", "start: sat, at: 06:00")
    policies = load([("monthly.yaml", MONTHLY), ("shop.yaml", shop)])
    tokyo = vm("tokyo", os=Os.WINDOWS, time_zone="Tokyo Standard Time")
    california = vm("california", os=Os.WINDOWS, time_zone="Pacific Standard Time")

    with pytest.raises(PolicyError) as caught:
        settle([tokyo, vm("web"), california], policies)

    assert [str(problem) for problem in caught.value.problems] == [
        "shop.yaml:4:5: the windows here and those of monthly.yaml:6 are never open together, on tokyo, web; let them meet, or narrow the `select` of one of the policies"
    ]
