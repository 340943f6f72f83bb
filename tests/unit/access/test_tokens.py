"""Tokens of machines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.access.gate import Gate
from orchestrator.access.model import Person
from orchestrator.access.settings import Access, TokenEntry
from orchestrator.access.tokens import hash_of, new_token, read_hash
from orchestrator.errors import Unrecognised
from tests.fakes.issuer import Hands
from tests.unit.access.conftest import NOON, OPERATES, VIEWS


def _entry(name: str, token: str) -> TokenEntry:
    digest = read_hash(hash_of(token))
    assert digest is not None
    return TokenEntry(name, digest, NOON + timedelta(days=90), OPERATES if name == "ci" else VIEWS)


def test_no_two_are_the_same_and_each_is_found_by_its_beginning() -> None:
    """256 bits behind `wk_`."""
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert {("wk_", 46)} == {(one[:3], len(one)) for one in made}


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:00", "md5:" + "0" * 64, "0" * 64, "sha256:" + "G" * 64]
)
def test_only_a_hash_is_one(text: str) -> None:
    """What isn't one is told when the configuration is read."""
    assert read_hash(text) is None


async def test_a_machine_is_known_by_its_token_until_that_expires(hands: Hands) -> None:
    """Its name can't be taken for a person's."""
    ci, other = new_token(), new_token()
    gate = Gate(Access(tokens=(_entry("grafana", other), _entry("ci", ci))), hands)
    until = NOON + timedelta(days=90)
    assert Person("ci (token)", (OPERATES,), "token|ci", until) == await gate.recognise(f"bearer {ci}")
    hands.at = until
    with pytest.raises(Unrecognised) as refused:
        await gate.recognise(f"Bearer {ci}")
    assert (
        str(refused.value)
        == "the token ci expired at 2027-03-01 12:00 UTC; make a new one with: wavekeeper token new ci"
    )


@pytest.mark.parametrize(
    "token", ["wk_", "wk_short", "wk_" + "A" * 43, "wk_" + "é" * 43, "wk_" + "A" * 5_000]
)
async def test_a_token_that_nobody_has_is_not_known(hands: Hands, token: str) -> None:
    """Nor one that was taken out of the configuration."""
    gate = Gate(Access(tokens=(_entry("ci", new_token()),)), hands)
    with pytest.raises(Unrecognised, match="isn't known here, or no longer"):
        await gate.recognise(f"Bearer {token}")


async def test_a_hash_is_not_a_token(hands: Hands) -> None:
    """Who reads the configuration can't use what stands there."""
    token = new_token()
    gate = Gate(Access(tokens=(_entry("ci", token),)), hands)
    for tried in (hash_of(token), "wk_" + hash_of(token).removeprefix("sha256:")[:43]):
        with pytest.raises(Unrecognised):
            await gate.recognise(f"Bearer {tried}")


def test_settings_show_no_secret() -> None:
    """Not even its hash, wherever they are printed."""
    entry = _entry("ci", new_token())
    assert entry.digest.hex() not in repr(Access(tokens=(entry,)))
    assert repr(entry.digest) not in repr(Access(tokens=(entry,)))
