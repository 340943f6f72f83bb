"""Readers of single values: what they take, and what they say of everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from orchestrator.policy import values
from orchestrator.policy.model import Share, Singletons


def complaint(reader: Callable[[Any], object], value: object) -> str:
    """What a reader says of a value that it doesn't take."""
    with pytest.raises(PydanticCustomError) as caught:
        reader(value)
    context = caught.value.context
    assert context is not None
    return f"{context['what']}; {context['instead']}"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("1h30m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta(0)),
        ("366d", timedelta(days=366)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    """Numbers with units, the largest first."""
    assert length == values.read_duration(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1:30", "`1:30` isn't a duration; write 1h30m for hours and minutes, 1m30s for minutes and seconds"),
        ("30", "`30` isn't a duration; say the unit: 30s, 30m, 30h or 30d"),
        ("2w", "`2w` isn't a duration; write 14d"),
        ("4 hours", "`4 hours` isn't a duration; write 4h"),
        ("1 hour 30 min", "`1 hour 30 min` isn't a duration; write 1h30m"),
        ("1.5h", "`1.5h` isn't a duration; write it as 90s, 30m, 4h, 1h30m or 7d, largest unit first"),
        ("30m1h", "`30m1h` isn't a duration; write it as 90s, 30m, 4h, 1h30m or 7d, largest unit first"),
        ("-5m", "`-5m` isn't a duration; write it as 90s, 30m, 4h, 1h30m or 7d, largest unit first"),
        ("no", "`no` isn't a duration; write it as 90s, 30m, 4h, 1h30m or 7d, largest unit first"),
        ("367d", "`367d` is longer than a year; write what is meant, such as 30d"),
        ("", "expected text, found ``; write a value, in quotes if it has special characters"),
        (["4h"], "expected text, found a list; write a value, in quotes if it has special characters"),
        ({"h": "4"}, "expected text, found a mapping; write a value, in quotes if it has special characters"),
    ],
)
def test_what_isn_t_a_duration_is_told_what_to_write(text: object, said: str) -> None:
    """The message guesses what was meant where it can."""
    assert said == complaint(values.read_duration, text)


def test_a_wait_of_nought_is_refused_where_it_means_nothing() -> None:
    """`bake: 0s` may stand in a file, `healthy_deadline: 0s` may not."""
    assert (
        complaint(values.read_positive_duration, "0m")
        == "the duration is nought; write how long, such as 30m"
    )


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("3", Share(count=3)),
        ("25%", Share(percent=25)),
        ("0.5%", Share(percent=0.5)),
        ("12.5 %", Share(percent=12.5)),
        ("100%", Share(percent=100)),
    ],
)
def test_shares(text: str, share: Share) -> None:
    """Counts and percentages."""
    assert share == values.read_max_unavailable(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0%", "`0%` isn't a share of a group; write a percentage above 0 and up to 100%"),
        ("101%", "`101%` isn't a share of a group; write a percentage above 0 and up to 100%"),
        ("0.25", "`0.25` is neither a number of machines nor a percentage; write 25%"),
        (".5", "`.5` is neither a number of machines nor a percentage; write 50%"),
        ("half", "`half` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%"),
        ("-1", "`-1` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%"),
        ("1e3", "`1e3` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%"),
        ("9" * 80, f"`{'9' * 57}...` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%"),
        ("0", "a budget of 0 admits nobody, ever; leave these machines out of every campaign's `select`, or write a freeze"),
    ],
)  # fmt: skip
def test_what_isn_t_a_budget_is_told_what_to_write(text: str, said: str) -> None:
    """A budget of 0 most of all: it would hold a rollout up for ever."""
    assert said == complaint(values.read_max_unavailable, text)


def test_min_available_takes_a_majority() -> None:
    """None stands for it; counts and percentages are shares."""
    assert values.read_min_available("majority") is None
    assert Share(count=2) == values.read_min_available("2")
    assert Share(percent=99.5) == values.read_min_available("99.5%")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("majorty", "`majorty` is neither a share nor `majority`; did you mean `majority`?"),
        ("0", "at least 0 available demands nothing; take the rule out, or write the number that must serve"),
        (
            "100%",
            "100% available is a budget of 0, which admits nobody, ever; leave these machines out of every campaign's `select`, or write a freeze",
        ),
    ],
)
def test_what_isn_t_a_minimum_is_told_what_to_write(text: str, said: str) -> None:
    """All of a group, or none of it, are no minimum."""
    assert said == complaint(values.read_min_available, text)


@pytest.mark.parametrize(
    ("reader", "value", "said"),
    [
        (values.read_positive_share, "0", "0 machines are no share of anything; write at least 1"),
        (values.read_count, "0", "`0` isn't a number of at least 1; write a whole number such as 5"),
        (values.read_count, "010", "`010` isn't a number of at least 1; write 10: some readers of YAML take a leading 0 for an octal number"),
        (values.read_count, "1_000", "`1_000` isn't a number of at least 1; write 1000"),
        (values.read_count, "5.0", "`5.0` isn't a number of at least 1; write 5"),
        (values.read_count, ".inf", "`.inf` isn't a number of at least 1; write a whole number such as 5"),
        (values.read_count, "0x1F", "`0x1F` isn't a number of at least 1; write a whole number such as 5"),
        (values.read_count, "2026-12-18", "`2026-12-18` isn't a number of at least 1; write a whole number such as 5"),
        (values.read_share, "010", "`010` is neither a number of machines nor a percentage; write 10: some readers of YAML take a leading 0 for an octal number"),
        (values.read_share, "1,000", "`1,000` is neither a number of machines nor a percentage; write 1000"),
        (values.read_count, "3.5", "`3.5` isn't a number of at least 1; write a whole number such as 5"),
        (values.read_port, "65536", "65536 isn't a port; write a number from 1 to 65535"),
        (values.read_status, "20", "20 isn't an HTTP status; write a number such as 200"),
        (values.read_flag, "yes", "`yes` is text in YAML 1.2, not a truth value; write true"),
        (values.read_flag, "off", "`off` is text in YAML 1.2, not a truth value; write false"),
        (values.read_flag, "1", "`1` is neither true nor false; write true or false"),
        (values.read_name, "the shop!", "`the shop!` isn't a name; use letters, digits, `-`, `_` and `.` only, such as the-shop"),
        (values.read_webhook, "https://lb.example/drain", "`https://lb.example/drain` is an address, and webhooks are names; write a name such as lb-drain, and put the address into the daemon's or the command's configuration"),
        (values.read_kb, "KB12", "`KB12` isn't a KB id; write its digits, such as 5087423"),
        (values.read_group_kind, "zones", "`zones` isn't a kind of group; did you mean `zone`?"),
        (values.read_group_kind, "rack", '`rack` isn\'t a kind of group; write one of availability_set, update_domain, fault_domain, zone, region, region_pair, scale_set, subscription, resource_group, load_balancer, cluster, selection or "tag:NAME"'),
        (values.read_group_kind, "tag:", '`tag:` without the name of a tag; write it as "tag:tier"'),
        (values.read_word(("leave", "repair")), "leve", "`leve` isn't known here; did you mean `leave`?"),
        (values.read_word(tuple(Singletons)), "maybe", "`maybe` isn't known here; write leave_out, allow or approve"),
        (values.read_word(("1",)), "2", "`2` isn't known here; write 1"),
        (values.listed, None, "no value; write at least one, or take the key out"),
        (values.listed, [], "no value; write at least one, or take the key out"),
    ],
)  # fmt: skip
def test_every_other_value_that_is_wrong_is_told_what_to_write(
    reader: Callable[[Any], object], value: object, said: str
) -> None:
    """One sentence each."""
    assert said == complaint(reader, value)


def test_values_that_are_right() -> None:
    """What the remaining readers give."""
    assert values.read_flag("True") is True
    assert values.read_flag("false") is False
    assert values.read_name(" shop-2.web_x ") == "shop-2.web_x"
    assert values.read_webhook("lb-drain") == "lb-drain"
    assert values.read_kb("kb5087423") == "5087423"
    assert values.read_group_kind("tag: Tier") == "tag:tier"
    assert values.read_group_kind("selection") == "selection"
    assert Singletons.ALLOW is values.read_word(tuple(Singletons))("allow")
    assert values.listed("x") == ["x"]
    assert values.listed(["x", "y"]) == ["x", "y"]
    assert values.read_port("443") == 443
    assert values.read_status("204") == 204


def test_the_word_that_was_meant() -> None:
    """Typing errors, and hyphens for underscores; nothing where nothing is near."""
    known = ["max_unavailable", "min_available", "per"]

    assert values.did_you_mean("max_unavailble", known) == "max_unavailable"
    assert values.did_you_mean("Min-Available", known) == "min_available"
    assert values.did_you_mean("windows", known) is None
