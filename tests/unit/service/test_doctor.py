"""What an identity can do with what it may do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cloud.rights import Rights, Role
from orchestrator.errors import AccessDenied
from orchestrator.service.doctor import (
    PURPOSES,
    abilities,
    clock_check,
    examine,
    least_role,
)

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
OWNER, READER = Rights((Role(("*",)),)), Rights((Role(("*/read",)),))
INSTALL = "Microsoft.Compute/virtualMachines/installPatches/action"


@dataclass
class Told:
    """A cloud that knows rights by scope, and nothing else."""

    of: dict[tuple[str, str], Rights]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def rights(self, subscription: str, resource_group: str = "") -> Rights:
        """What is told of the scope; who isn't known is denied."""
        self.asked.append((subscription, resource_group))
        try:
            return self.of[subscription, resource_group]
        except KeyError:
            raise AccessDenied(f"no role on {subscription}") from None


def test_an_owner_can_do_everything() -> None:
    """Nothing is missing."""
    assert all(one.able and not one.missing for one in abilities(OWNER, {}))


def test_a_reader_plans_and_audits() -> None:
    """What starts work is missing, by name."""
    able = {one.use: one.able for one in abilities(READER, {})}
    assert [use for use in PURPOSES if able[use]] == ["plan", "audit"]
    patch = next(one for one in abilities(READER, {}) if one.use == "patch")
    assert [one.action for one in patch.missing if one.needed] == [INSTALL]


def test_what_a_group_lacks_is_told_by_group() -> None:
    """With a role on one of two groups, the other one lacks it: it can be done somewhere, not everywhere."""
    patch = next(one for one in abilities(READER, {"rg-a": OWNER, "rg-b": READER}) if one.use == "patch")
    assert [one.groups for one in patch.missing if one.needed] == [("rg-b",)]
    assert (patch.able, patch.somewhere) == (False, True)
    everywhere = next(one for one in abilities(READER, {"rg-a": OWNER}) if one.use == "patch")
    assert everywhere.able


def test_operations_are_asked_of_the_subscription() -> None:
    """A role on every group doesn't show operations, which belong to none."""
    nothing = Rights(())
    patch = next(one for one in abilities(nothing, {"rg-a": OWNER}) if one.use == "patch")
    assert [one.action for one in patch.missing] == ["Microsoft.Compute/locations/operations/read"]


def test_groups_are_asked_only_where_something_is_missing() -> None:
    """One request for a subscription that lacks nothing."""
    cloud = Told({("one", ""): OWNER, ("two", ""): READER, ("two", "rg"): OWNER})
    found = asyncio.run(examine(cloud, ["TWO", "one"], {"one": ["rg"], "two": ["rg"]}))  # type: ignore[arg-type]
    assert [one.subscription for one in found] == ["one", "two"]
    assert sorted(cloud.asked) == [("one", ""), ("two", ""), ("two", "rg")]
    assert found[1].able(["patch"])


def test_a_subscription_that_can_t_be_asked() -> None:
    """It is told with why, and can do nothing; rights on a group alone are enough to be told them."""
    cloud = Told({("two", "rg"): OWNER})
    one, two = asyncio.run(examine(cloud, ["one", "two"], {"two": ["rg"]}))  # type: ignore[arg-type]
    assert (one.why, one.able([])) == ("no role on one", False)
    assert (two.why, two.able(["restart"])) == ("", True)
    assert (one.partial, two.partial) == (False, True)


def test_the_least_role_is_enough_and_no_more() -> None:
    """Granted, it lacks nothing for what it is for; and not a star is in it."""
    role = least_role(["s2", "s1"], ["plan", "patch"])
    able = {one.use: not one.missing for one in abilities(Rights((Role(tuple(role["Actions"])),)), {})}
    assert (able["plan"], able["patch"], able["restart"]) == (True, True, False)
    assert not any("*" in action for action in role["Actions"])
    assert role["AssignableScopes"] == ["/subscriptions/s1", "/subscriptions/s2"]


@pytest.mark.parametrize(("off_s", "ok"), [(0, True), (4, True), (-4, True), (30, False), (-30, False)])
def test_the_clock(off_s: float, *, ok: bool) -> None:
    """A cloud tells whole seconds, and the way there takes time: neither counts as a wrong clock."""
    sent = NOW + timedelta(seconds=off_s)
    check = clock_check(NOW, sent, sent + timedelta(seconds=1), 1.0)
    assert check.ok is ok
    if not ok:
        assert ("ahead of" if off_s > 0 else "behind") in check.said
