"""`wavekeeper token new`, as typed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import yaml

from orchestrator.access.tokens import hash_of
from orchestrator.clock import SystemClock
from tests.unit.cli.conftest import Typed


def test_a_token_and_the_line_that_lets_it_in(wavekeeper: Typed) -> None:
    """The line is YAML as it stands, knows the token by its hash, and holds nothing of it."""
    ran = wavekeeper(
        "token",
        "new",
        "ci",
        "--role",
        "operator",
        "--campaign",
        "shop-*",
        "--tag",
        "team=shop",
        "--tag",
        "team=*",
    )
    assert ran.code == 0
    token, entry = (one.strip() for one in (ran.out.splitlines()[1], ran.out.splitlines()[3]))
    assert re.fullmatch(r"wk_[A-Za-z0-9_-]{43}", token)
    assert token not in entry
    expires = (SystemClock().now() + timedelta(days=90)).date()
    wanted = {
        "hash": hash_of(token),
        "role": "operator",
        "campaigns": ["shop-*"],
        "tags": {"team": ["shop", "*"]},
    }
    assert {"ci": wanted | {"expires": expires.isoformat()}} == yaml.load(entry, yaml.BaseLoader)


def test_a_viewer_of_everything_for_three_months_unless_told_otherwise(wavekeeper: Typed) -> None:
    """As a program reads it."""
    told = wavekeeper("token", "new", "grafana", "--json").json()
    assert {"hash", "expires", "role"} == set(told["entry"])
    assert ("viewer", hash_of(told["token"])) == (told["entry"]["role"], told["entry"]["hash"])
    assert told["token"] != wavekeeper("token", "new", "grafana", "--json").json()["token"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["my ci"], "isn't a name"),
        (["ci", "--for", "2h"], "--for 2h is less than a day; write it in days, such as 90d"),
        (["ci", "--for", "soon"], "isn't a duration"),
        (["ci", "--role", "root"], "'root' is not one of"),
        (["ci", "--tag", "team"], "--tag team: write it as team=shop"),
        (["ci", "--campaign", " "], "--campaign is empty"),
    ],
)
def test_what_is_wrong_is_said_and_no_token_is_made(wavekeeper: Typed, words: list[str], why: str) -> None:
    """With what to write instead."""
    ran = wavekeeper("token", "new", *words)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
