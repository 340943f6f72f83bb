"""The policies that people wrote."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.policy.load import load_one
from orchestrator.policy.own import own
from orchestrator.wiring.files import floor


def test_a_copy_of_the_built_in_rules_is_nobodys_own() -> None:
    """Whatever file it stands in, and however its name is spelt."""
    shop = load_one(
        "shop.yaml", "version: 1\nname: shop\nselect: {tags: {app: shop}}\nrules: [{max_unavailable: 1}]\n"
    )
    copy = replace(floor(), name="Availability-First", file="copied.yaml")

    assert own([copy, shop, floor()]) == (shop,)
