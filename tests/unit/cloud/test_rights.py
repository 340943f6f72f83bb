"""What an identity may do, as Azure lists it."""

from __future__ import annotations

import pytest

from orchestrator.cloud.rights import Rights, Role, role_from

RESTART = "Microsoft.Compute/virtualMachines/restart/action"


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", True),
        ("Microsoft.Compute/*", True),
        ("microsoft.compute/VIRTUALMACHINES/*/action", True),
        (RESTART, True),
        ("*/read", False),
        ("Microsoft.Compute/virtualMachines", False),
        ("Microsoft?Compute/*", False),
        ("Microsoft.Compute/virtualMachines/restart/actio", False),
    ],
)
def test_wildcards(pattern: str, *, allowed: bool) -> None:
    """A star stands for any characters, slashes too; everything else for itself, without regard to case."""
    assert Role((pattern,)).allows(RESTART) is allowed


def test_what_one_role_takes_out_another_may_give() -> None:
    """The actions that a role takes out are its own affair, and no denial."""
    contributor = Role(("*",), ("Microsoft.Compute/*/action",))
    assert not Rights((contributor,)).allow(RESTART)
    assert Rights((contributor, Role((RESTART,)))).allow(RESTART)
    assert not Rights(()).allow(RESTART)


def test_an_entry_of_the_list() -> None:
    """An entry is read as it comes; what is missing is nothing."""
    assert role_from({"actions": ["*/read"], "notActions": ["a/read"]}) == Role(("*/read",), ("a/read",))
    assert role_from({}) == Role(())
