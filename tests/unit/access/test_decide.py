"""Who may do what: the table of role x verb x scope, with every cell of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from orchestrator.access.decide import decide, may
from orchestrator.access.model import FLEET, About, Allowed, Denied, Grant, Person, Reach, Role, Tags, Verb

ROLES = """
              viewer   operator   admin
view          yes      yes        yes
pause         no       yes        yes
resume        no       yes        yes
approve       no       yes        yes
retry         no       yes        yes
skip          no       yes        yes
write-off     no       yes        yes
abort         no       yes        yes
hold          no       yes        yes
unhold        no       yes        yes
block         no       yes        yes
unblock       no       no         yes
start         no       no         yes
emergency     no       no         yes
archive       no       no         yes
"""

SHOP, PAY, BARE = {"Team": "shop", "tier": "web"}, {"team": "pay"}, dict[str, str]()

ABOUT = {
    "fleet": FLEET,
    "shop's": About("shop-monthly", (SHOP, SHOP)),
    "mixed": About("shop-monthly", (SHOP, PAY)),
    "pay's": About("pay-monthly", (PAY, BARE)),
    "machine": About(machines=(SHOP,)),
    "untagged": About(machines=(BARE,)),
}

REACH = {
    "everything": Reach(),
    "shop-*": Reach(campaigns=("shop-*",)),
    "other,pay-*": Reach(campaigns=("other", "PAY-*")),
    "team=shop": Reach(tags=(("team", ("shop",)),)),
    "team=*,tier": Reach(tags=(("team", ("*",)), ("tier", ("db", "we?")))),
    "both": Reach(campaigns=("shop-*",), tags=(("team", ("shop",)),)),
    "both-other": Reach(campaigns=("pay-*",), tags=(("team", ("shop",)),)),
}

# What a reach covers: `all` for whatever may be asked, `run` for all but to start a plan, `one` for what takes one machine of them: to see it and to pause it.
COVERS = """
              fleet   shop's   mixed   pay's   machine   untagged
everything    all     all      all     all     all       all
shop-*        -       run      run     -       -         -
other,pay-*   -       -        -       run     -         -
team=shop     -       all      one     -       all       -
team=*,tier   -       all      one     -       all       -
both          -       run      one     -       -         -
both-other    -       -        -       -       -         -
"""


def _cells(table: str) -> dict[tuple[str, str], str]:
    head, *rows = table.strip("\n").splitlines()
    return {
        (row.split()[0], c): x for row in rows for c, x in zip(head.split(), row.split()[1:], strict=True)
    }


def _each() -> Iterator[tuple[Role, Verb, str, str, bool]]:
    roles, covers = _cells(ROLES), _cells(COVERS)
    for (verb, role), good_for in roles.items():
        for (reach, about), covered in covers.items():
            within = (
                covered == "all"
                or (covered == "run" and verb != "start")
                or (covered == "one" and verb in {"view", "pause"})
            )
            yield Role(role), Verb(verb), reach, about, good_for == "yes" and within


def test_the_tables_name_everything_there_is() -> None:
    """A new verb, role, or subject can't be left out of the table."""
    assert {(v, r) for v in Verb for r in Role} == set(_cells(ROLES))
    assert {(r, a) for r in REACH for a in ABOUT} == set(_cells(COVERS))


@pytest.mark.parametrize(("role", "verb", "reach", "about", "allowed"), list(_each()))
def test_each_cell(role: Role, verb: Verb, reach: str, about: str, allowed: bool) -> None:
    """A role with the verb, and a reach that covers what it is about; nothing else."""
    anna = Person("anna", (Grant(role, REACH[reach]),), "1")
    answer = decide(anna, verb, ABOUT[about])
    assert isinstance(answer, Allowed if allowed else Denied)
    assert may(anna, verb, ABOUT[about]) is allowed


@pytest.mark.parametrize("verb", list(Verb))
def test_without_a_grant_nothing_is_allowed(verb: Verb) -> None:
    """The default is to deny."""
    assert not any(may(Person("anna", (), "1"), verb, about) for about in ABOUT.values())


def test_grants_cover_machines_together_but_roles_do_not_mix() -> None:
    """Two teams' operator steers what concerns both; being viewer of one of them is not enough to act."""
    shop, pay = Reach(tags=(("team", ("shop",)),)), Reach(tags=(("team", ("pay",)),))
    both = Person("anna", (Grant(Role.OPERATOR, shop), Grant(Role.OPERATOR, pay)), "1")
    half = Person("anna", (Grant(Role.OPERATOR, shop), Grant(Role.VIEWER, pay)), "1")
    assert may(both, Verb.RESUME, ABOUT["mixed"])
    assert not may(half, Verb.RESUME, ABOUT["mixed"])


def test_who_operates_one_machine_may_pause_and_no_more() -> None:
    """Whoever may only look at one of them, and operates machines elsewhere, may not even do that."""
    shop, pay = Reach(tags=(("team", ("shop",)),)), Reach(tags=(("team", ("pay",)),))
    one = Person("anna", (Grant(Role.OPERATOR, shop),), "1")
    looks = Person("anna", (Grant(Role.VIEWER, shop), Grant(Role.OPERATOR, pay)), "1")
    assert [verb for verb in Verb if may(one, verb, ABOUT["mixed"])] == [Verb.VIEW, Verb.PAUSE]
    assert [verb for verb in Verb if may(looks, verb, ABOUT["shop's"])] == [Verb.VIEW]


def test_a_bracket_in_a_name_is_itself() -> None:
    """Only `*` and `?` stand for others."""
    anna = Person("anna", (Grant(Role.VIEWER, Reach(tags=(("team", ("[ab]",)),))),), "1")
    assert may(anna, Verb.VIEW, About(machines=({"team": "[AB]"},)))
    assert not may(anna, Verb.VIEW, About(machines=({"team": "a"},)))


def test_machines_are_looked_at_only_for_a_grant_by_tag() -> None:
    """Ten thousand machines cost nothing where campaigns decide."""

    class Untouched(Sequence[Tags]):
        def __len__(self) -> int:
            raise AssertionError

        def __getitem__(self, index: object) -> Tags:  # type: ignore[override]
            raise AssertionError

    about = About("shop-monthly", Untouched())
    assert may(Person("anna", (Grant(Role.ADMIN, REACH["shop-*"]),), "1"), Verb.ABORT, about)


@pytest.mark.parametrize(
    ("grants", "verb", "about", "why"),
    [
        (
            (),
            Verb.VIEW,
            FLEET,
            "anna has no role here; an admin can give one in the `access` section of the configuration",
        ),
        (
            (Grant(Role.VIEWER),),
            Verb.PAUSE,
            ABOUT["mixed"],
            "`pause` takes the role operator, and anna is viewer",
        ),
        (
            (Grant(Role.VIEWER), Grant(Role.OPERATOR, REACH["shop-*"])),
            Verb.EMERGENCY,
            ABOUT["mixed"],
            "`emergency` takes the role admin, and anna is operator",
        ),
        (
            (Grant(Role.VIEWER), Grant(Role.OPERATOR, REACH["other,pay-*"])),
            Verb.PAUSE,
            ABOUT["mixed"],
            "anna is operator for campaigns other, PAY-*; what concerns campaign shop-monthly is outside of that",
        ),
        (
            (Grant(Role.OPERATOR, REACH["team=*,tier"]),),
            Verb.RETRY,
            ABOUT["untagged"],
            "anna is operator for machines with team=*, tier=db or we?; what concerns other machines too is outside of that",
        ),
        (
            (Grant(Role.ADMIN, REACH["shop-*"]),),
            Verb.START,
            ABOUT["shop's"],
            "anna is admin for campaigns, and a plan has whatever name its author gave it; to start one takes the role for its machines' tags, or for everything",
        ),
        (
            (Grant(Role.OPERATOR, REACH["both"]), Grant(Role.OPERATOR, REACH["team=shop"])),
            Verb.BLOCK,
            FLEET,
            "anna is operator for machines with team=shop in campaigns shop-*; operator for machines with team=shop; what concerns the whole fleet is outside of that",
        ),
    ],
)
def test_a_denial_says_why(grants: tuple[Grant, ...], verb: Verb, about: About, why: str) -> None:
    """In a sentence that somebody can act on."""
    assert Denied(why) == decide(Person("anna", grants, "1"), verb, about)
