"""Names of time zones."""

from __future__ import annotations

import pytest
from tzlocal.windows_tz import win_tz

from orchestrator.policy.time_zones import EARLIEST, LATEST, iana_name, known_names, zone_info
from tests.builders import NOON


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("UTC", "UTC"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("AUS Eastern Standard Time", "Australia/Sydney"),
        ("Etc/GMT-14", "Etc/GMT-14"),
    ],
)
def test_names_of_iana_and_of_windows_are_known(name: str, zone: str) -> None:
    """Azure says the latter of a machine."""
    assert iana_name(name) == zone


@pytest.mark.parametrize(
    "name", ["", "EST", "CET", "Europe/Atlantis", "Europe", "/etc/passwd", "../UTC", "Mars/"]
)
def test_anything_else_is_not(name: str) -> None:
    """Abbreviations neither: "EST" is a zone without summer time."""
    assert iana_name(name) is None


def test_every_name_of_windows_leads_to_a_zone_that_is_known() -> None:
    """The table and the tz database fit together."""
    assert [name for name in win_tz if iana_name(name) not in known_names()] == []


def test_the_day_begins_and_ends_within_these_zones() -> None:
    """No zone is ahead of the earliest or behind the latest."""
    offsets = [NOON.astimezone(zone_info(name)).utcoffset() for name in known_names()]

    assert (max(offsets), min(offsets)) == tuple(
        NOON.astimezone(zone_info(name)).utcoffset() for name in (EARLIEST, LATEST)
    )
