"""An identity with limited rights, as the emulator treats it."""

from __future__ import annotations

import pytest

from orchestrator.emulator.rights import NAMED, Rights, Role, read_rights
from orchestrator.errors import UsageError
from tests.fleet import SUBSCRIPTION
from tests.unit.emulator.callers import GROUP, PROVIDER, Caller, body, code, fleet

AUTHORIZATION = "providers/Microsoft.Authorization/permissions"


def caller(rights: Rights) -> Caller:
    """Somebody with these rights."""
    world = fleet()
    world.rights = rights
    return Caller(world)


def test_a_reader_reads_and_starts_nothing() -> None:
    """Every list and view passes; what starts work is refused by its action's name."""
    asked = caller(NAMED["reader"])
    assert asked.get(f"{PROVIDER}/virtualMachines").status == 200
    assert asked.get(f"{GROUP}/virtualMachines/web0/instanceView").status == 200
    refused = asked.post(f"{GROUP}/virtualMachines/web0/restart")
    assert (refused.status, code(refused)) == (403, "AuthorizationFailed")
    assert "Microsoft.Compute/virtualMachines/restart/action" in body(refused)["error"]["message"]


def test_rights_on_a_group_show_that_group() -> None:
    """A list of the subscription holds what the roles reach; in the group itself work may be started."""
    asked = caller(Rights((), {"rg-away": (Role(("Microsoft.Compute/virtualMachines/*",)),)}))
    listed = body(asked.get(f"{PROVIDER}/virtualMachines"))
    assert [row["name"] for row in listed["value"]] == ["away"]
    assert asked.get(f"{GROUP}/virtualMachines/web0").status == 403
    away = GROUP.replace("rg-shop", "rg-away")
    assert asked.post(f"{away}/virtualMachines/away/restart").status == 202


def test_it_tells_what_may_be_done() -> None:
    """The permissions of a group are those of the subscription and its own; who has none isn't told even that."""
    asked = caller(Rights((Role(("*/read",)),), {"rg-away": (Role(("*",), ("*/delete",)),)}))
    whole = body(asked.get(f"/subscriptions/{SUBSCRIPTION}/{AUTHORIZATION}"))
    group = body(asked.get(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-Away/{AUTHORIZATION}"))
    assert [row["actions"] for row in whole["value"]] == [["*/read"]]
    assert [(row["actions"], row["notActions"]) for row in group["value"]] == [
        (["*/read"], []),
        (["*"], ["*/delete"]),
    ]
    nobody = caller(NAMED["none"]).get(f"/subscriptions/{SUBSCRIPTION}/{AUTHORIZATION}")
    assert (nobody.status, code(nobody)) == (403, "AuthorizationFailed")


def test_a_file_of_roles() -> None:
    """Roles on the subscription and on groups, whose names compare without regard to case."""
    read = read_rights(
        {"roles": [{"actions": ["*/read"]}], "resource_groups": {"RG-A": [{"actions": ["*"]}]}}, "roles.json"
    )
    assert read == Rights((Role(("*/read",)),), {"rg-a": (Role(("*",)),)})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "roles.json: write"),
        ({"rolls": []}, "roles.json: write"),
        ({"roles": [{"actions": "*"}]}, r"roles.json: roles\[0\]: expected actions"),
        ({"resource_groups": {"a": {}}}, "roles.json: resource_groups.a: expected a list"),
    ],
)
def test_a_file_that_isn_t_one(document: object, said: str) -> None:
    """Each mistake is told by its place."""
    with pytest.raises(UsageError, match=said):
        read_rights(document, "roles.json")
