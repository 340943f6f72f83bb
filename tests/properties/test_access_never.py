"""What access never does: let somebody in by what they sent, widen by narrowing, or take away by giving."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.access.decide import may
from orchestrator.access.gate import Gate
from orchestrator.access.keys import Key, KeyRing, read_keys
from orchestrator.access.model import About, Grant, Person, Reach, Role, Verb
from orchestrator.access.settings import Access, TokenEntry
from orchestrator.errors import Unrecognised
from tests.fakes.issuer import RSA, Hands, public

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMES = st.sampled_from(["shop-web", "shop-db", "pay", "Pay"])
GLOBS = st.sampled_from(["*", "shop-*", "pay", "p?y", "nobody"])
TAGS = st.dictionaries(st.sampled_from(["team", "Team", "tier"]), NAMES, max_size=2)
REACHES = st.builds(
    Reach,
    st.lists(GLOBS, max_size=2).map(tuple),
    st.lists(
        st.tuples(st.sampled_from(["team", "tier"]), st.lists(GLOBS, min_size=1, max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
)
GRANTS = st.lists(st.builds(Grant, st.sampled_from(Role), REACHES), max_size=3).map(tuple)
ABOUTS = st.builds(About, st.one_of(st.just(""), NAMES), st.lists(TAGS, max_size=3).map(tuple))
VERBS = st.sampled_from(Verb)


def _anna(grants: tuple[Grant, ...]) -> Person:
    return Person("anna", grants, "1")


@given(GRANTS, GRANTS, VERBS, ABOUTS)
def test_a_grant_more_never_takes_anything_away(
    some: tuple[Grant, ...], more: tuple[Grant, ...], verb: Verb, about: About
) -> None:
    """In whatever order they stand."""
    if may(_anna(some), verb, about):
        assert may(_anna(some + more), verb, about)
        assert may(_anna(more + some), verb, about)


@given(GRANTS, VERBS, ABOUTS, st.data())
def test_a_narrower_grant_never_allows_more(
    grants: tuple[Grant, ...], verb: Verb, about: About, data: st.DataObject
) -> None:
    """Neither with another condition on tags, nor with campaigns where there were none, nor with a lesser role."""
    narrowed = []
    for one in grants:
        tags = (*one.reach.tags, (data.draw(st.sampled_from(["team", "tier"])), (data.draw(GLOBS),)))
        campaigns = one.reach.campaigns or (data.draw(GLOBS),)
        role = data.draw(
            st.sampled_from([role for role in Role if list(Role).index(role) <= list(Role).index(one.role)])
        )
        narrowed.append(Grant(role, replace(one.reach, tags=tags, campaigns=campaigns)))
    if may(_anna(tuple(narrowed)), verb, about):
        assert may(_anna(grants), verb, about)


@given(GRANTS, VERBS, ABOUTS, TAGS)
def test_a_machine_more_never_lets_more_be_changed(
    grants: tuple[Grant, ...], verb: Verb, about: About, tags: dict[str, str]
) -> None:
    """What concerns more machines takes no less; but for an act that concerned none by name, and for seeing and pausing, which take one."""
    if (
        verb not in {Verb.VIEW, Verb.PAUSE}
        and about.machines
        and may(_anna(grants), verb, replace(about, machines=(*about.machines, tags)))
    ):
        assert may(_anna(grants), verb, about)


@given(GRANTS, ABOUTS, TAGS)
def test_a_machine_more_never_takes_the_pause_away(
    grants: tuple[Grant, ...], about: About, tags: dict[str, str]
) -> None:
    """Whoever may stop what goes on may do so however much else goes on with it."""
    if may(_anna(grants), Verb.PAUSE, about):
        assert may(_anna(grants), Verb.PAUSE, replace(about, machines=(*about.machines, tags)))


@given(GRANTS, ABOUTS)
def test_whoever_may_do_something_may_see_it(grants: tuple[Grant, ...], about: About) -> None:
    """Nobody acts in the dark."""
    if any(may(_anna(grants), verb, about) for verb in Verb):
        assert may(_anna(grants), Verb.VIEW, about)


@given(
    st.one_of(
        st.text(),
        st.text("abcXYZ019._-= wk", max_size=80),
        st.from_regex(r"\A(wk_|Bearer wk_|Bearer ey)[\w.-]{0,60}\Z"),
    )
)
def test_nothing_that_is_made_up_lets_anybody_in(header: str) -> None:
    """And each is told so, whatever it is; nothing else ever happens."""
    ring = KeyRing(_keys, lambda: 0.0)
    gate = Gate(
        Access(tokens=(TokenEntry("ci", b"\0" * 32, NOON.replace(year=2100), Grant(Role.ADMIN)),)),
        Hands(NOON),
    )

    async def ask() -> None:
        with pytest.raises(Unrecognised):
            await gate.recognise(header)
        with pytest.raises(Unrecognised):
            await gate.recognise(None, header)
        with pytest.raises(Unrecognised):
            await ring.claims(header)

    asyncio.run(ask())


async def _keys() -> tuple[Key, ...]:
    return read_keys({"keys": [public(RSA, "one")]})
