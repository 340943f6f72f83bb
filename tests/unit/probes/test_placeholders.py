"""Placeholders: what a probe's url and host may name of a machine."""

from __future__ import annotations

import pytest

from orchestrator.probes.placeholders import Hole, fill
from orchestrator.probes.port import Subject

WEB = Subject("vm-web-1", "10.0.0.4", "WEB1", (("Tier", "web"), ("health path", "/healthz"), ("empty", "")))


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("http://host/x", "http://host/x"),
        ("{private_ip}", "10.0.0.4"),
        ("http://{name}:8080/", "http://vm-web-1:8080/"),
        ("{computer_name}.corp.example", "WEB1.corp.example"),
        ("{tag:Tier}-{tag:tier}-{tag:TIER}", "web-web-web"),
        ("http://{private_ip}{tag:health path}?who={name}", "http://10.0.0.4/healthz?who=vm-web-1"),
        ("", ""),
    ],
)
def test_placeholders_are_filled(template: str, filled: str) -> None:
    """Each by the machine's own word; tags without regard to case, as Azure compares them."""
    assert fill(template, WEB) == filled


@pytest.mark.parametrize(
    ("template", "subject", "hole"),
    [
        ("http://{private_ip}/", Subject("vm", "", "VM"), "{private_ip}"),
        ("{computer_name}", Subject("vm", "10.0.0.4", ""), "{computer_name}"),
        ("{tag:none}", WEB, "{tag:none}"),
        ("{tag:empty}", WEB, "{tag:empty}"),
        ("{public_ip}", WEB, "{public_ip}"),
        ("{}", WEB, "{}"),
        ("{name}{tag:none}", WEB, "{tag:none}"),
    ],
)
def test_a_placeholder_without_a_value_is_a_hole(template: str, subject: Subject, hole: str) -> None:
    """It is named, so that a person can mend the tag or the policy; a url with a hole in it is never asked."""
    assert fill(template, subject) == Hole(f"{hole} has no value for this machine")


def test_words_are_spelled_as_the_place_needs() -> None:
    """Only the machine's words are, never the template's."""
    assert fill("a b/{name}", WEB, str.upper) == "a b/VM-WEB-1"
