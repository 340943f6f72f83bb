"""Facts to bytes and back, and rows that this program must not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.availability.ledger import Grant
from orchestrator.errors import JournalError
from orchestrator.inventory.model import MachineId
from orchestrator.rollout import codec
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode, encode
from orchestrator.rollout.matters import Receiver
from orchestrator.rollout.shared_events import Held, OutSince
from orchestrator.rollout.state import Ended, LeftOpen, MachineStatus, RolloutStatus

KINDS = get_args(e.Event)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WHOLE = st.integers(-1, 2**53 - 1)
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive

FIELDS: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    int: WHOLE,
    bool: st.booleans(),
    float: st.floats(0.001, 10_000),
    datetime: INSTANTS,
    datetime | None: st.none() | INSTANTS,
    tuple[int, ...]: st.lists(WHOLE, max_size=5).map(tuple),
    tuple[str, ...]: st.lists(WORDS, max_size=5).map(tuple),
    e.Outcome: st.sampled_from(e.Outcome),
}


FIELDS |= {
    tuple[MachineId, ...]: st.lists(WORDS, max_size=5).map(tuple),
    MachineId: WORDS,
    MachineStatus: st.sampled_from(MachineStatus),
    RolloutStatus: st.sampled_from(RolloutStatus),
    dict[MachineStatus, int]: st.dictionaries(st.sampled_from(MachineStatus), WHOLE, max_size=3),
}


def facts_of(kind: type) -> st.SearchStrategy[Any]:
    """Any fact of a kind, or what facts hold, from its fields."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: FIELDS[hint] for name, hint in hints.items()})


FIELDS[Grant] = facts_of(Grant)
FIELDS[dict[int, LeftOpen]] = st.dictionaries(WHOLE, facts_of(LeftOpen), max_size=3)
FIELDS |= {
    tuple[Ended, ...]: st.lists(facts_of(Ended), max_size=2).map(tuple),
    tuple[Held, ...]: st.lists(facts_of(Held), max_size=2).map(tuple),
    tuple[OutSince, ...]: st.lists(facts_of(OutSince), max_size=2).map(tuple),
    tuple[Receiver, ...]: st.lists(facts_of(Receiver), max_size=2).map(tuple),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_fact_is_read_back_as_it_was_written(kind: type) -> None:
    """Equal to the microsecond, whatever stands in it."""

    @given(facts_of(kind))
    def holds(fact: e.Event) -> None:
        assert decode(encode((fact,))) == (fact,)

    holds()


@given(st.lists(st.one_of(*(facts_of(kind) for kind in KINDS)), max_size=6).map(tuple))
def test_a_decision_keeps_its_facts_in_order(facts: tuple[e.Event, ...]) -> None:
    """They are folded in the order they were decided in."""
    assert decode(encode(facts)) == facts


def test_a_row_is_what_it_was_said_to_be() -> None:
    """`[[kind, version, field, ...], ...]`, the frequent ones short: a journal outlives programs, so its shape is pinned here."""
    at = datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    body = encode((e.Granted(4), e.Intended(4, 1, "r1-4-1", "", at), e.MachineGone(4)), "r1")
    assert body == b'[["G",4],["I",4,1,"","",1795348860000000],["MachineGone",1,4]]'


def test_long_forms_of_older_rows_are_read() -> None:
    """What a first version wrote, with the request's key in it."""
    at = datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    older = b'[["Granted",2,4,false],["Intended",1,4,1,"r1-4-1","",1795348860000000]]'
    assert decode(older, 1, "r1") == (e.Granted(4), e.Intended(4, 1, "r1-4-1", "", at))


@given(facts_of(e.Intended), WORDS.filter(bool))
def test_a_key_that_follows_is_not_written_and_any_other_is(fact: e.Intended, rollout: str) -> None:
    """Both are read back as they were."""
    derived = replace(fact, key=codec.request_key(rollout, fact.machine, fact.attempt))
    other = replace(fact, key=f"{derived.key}!")
    assert [decode(encode((one,), rollout), 1, rollout) for one in (derived, other)] == [(derived,), (other,)]
    assert len(encode((derived,), rollout)) == len(encode((replace(fact, key=""),), rollout))


def test_a_field_that_came_later_has_its_default_in_older_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the first version go on being read."""
    monkeypatch.setattr(codec, "VERSIONS", {"ChangeEnded": 3})
    ended = (e.ChangeEnded(7, changed=True, passing=False, detail="ok", begun=True),)
    for older in (b'[["ChangeEnded",1,7,true,false,"ok"]]', b'[["C",7,true,false,"ok"]]'):
        assert decode(older) == ended


def test_an_upcaster_makes_a_newer_row_of_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version by version, fields by name."""
    monkeypatch.setattr(codec, "VERSIONS", {"ForeignRunSeen": 3})
    monkeypatch.setattr(
        codec,
        "UPCASTERS",
        {
            ("ForeignRunSeen", 1): lambda fields: {"machine": fields["machine"] + 1},
            ("ForeignRunSeen", 2): lambda fields: {"machine": fields["machine"] * 10},
        },
    )
    assert decode(b'[["ForeignRunSeen",1,4]]') == (e.ForeignRunSeen(50),)
    assert decode(b'[["ForeignRunSeen",2,4]]') == (e.ForeignRunSeen(40),)
    assert decode(b'[["ForeignRunSeen",3,4]]') == (e.ForeignRunSeen(4),)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b'[["MoonRose",1,4]]',
            "journal row 7 holds an event MoonRose, which this version of Wavekeeper doesn't know",
        ),
        (
            b'[["Granted",4,4]]',
            "journal row 7 holds version 4 of Granted, which this version of Wavekeeper doesn't",
        ),
        (b'[["Granted",1', "journal row 7 is not readable"),
        (b'{"Granted": 1}', "journal row 7 is not readable"),
        (b"[[]]", "journal row 7 is not readable"),
        (b'[["Granted",3,4,false,true,5]]', "journal row 7 is not readable .Granted has 3 fields, not 4"),
        (b'[["Intended",1,4]]', "journal row 7 is not readable"),
        (b'[["MachineEnded",1,4,"vanished",""]]', "journal row 7 is not readable"),
        (b'[["StageBaking",1,0,"noon"]]', "journal row 7 is not readable"),
        (b"7", "journal row 7 is not readable"),
    ],
)
def test_a_row_that_can_not_be_trusted_is_named(body: bytes, says: str) -> None:
    """It refuses to start, and says which row and why; nothing is guessed."""
    with pytest.raises(JournalError, match=says):
        decode(body, 7)


def test_rows_are_small() -> None:
    """Machines by place, no names of fields: a machine's whole attempt is a few hundred bytes, URLs apart."""
    at = datetime(2026, 11, 22, 12, 1, tzinfo=UTC)
    decisions: list[tuple[e.Event, ...]] = [
        (e.Granted(99_999), e.Intended(99_999, 1, "r1-99999-1", "1" * 36, at)),
        (e.Started(99_999, ""),),
        (e.ChangeEnded(99_999, changed=True, passing=False, detail="1 installed, restarted"),),
        (e.MachineEnded(99_999, e.Outcome.DONE, "1 installed, restarted"),),
    ]
    assert sum(len(encode(decision)) for decision in decisions) <= 400
    assert len(orjson.loads(encode(decisions[0]))) == 2
