"""Tokens of an issuer: against a real one on loopback, with real keys."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.access.claims import grants_of, values_of
from orchestrator.access.gate import Gate
from orchestrator.access.model import Person
from orchestrator.access.settings import Access, Rule
from orchestrator.errors import IssuerError, Unrecognised
from tests.fakes.issuer import OTHER_RSA, RSA, FakeIssuer, Hands, public, unsigned
from tests.unit.access.conftest import NOON, OPERATES, VIEWS

KEYS = "/keys"


async def _who(gate: Gate, token: str) -> Person:
    return await gate.recognise(f"Bearer {token}")


async def _refused(gate: Gate, token: str) -> str:
    with pytest.raises(Unrecognised) as refused:
        await _who(gate, token)
    return str(refused.value)


async def test_somebody_is_known_by_name_with_the_grants_of_their_groups(
    gate: Gate, issuer: FakeIssuer
) -> None:
    """Until the token ends, and no longer than the clocks may differ."""
    assert Person(
        "anna@example.org", (OPERATES, VIEWS), f"{issuer.url}|7f3a", NOON + timedelta(hours=1, minutes=1)
    ) == await _who(gate, issuer.token())


async def test_keys_are_asked_for_once(gate: Gate, issuer: FakeIssuer) -> None:
    """However many come at the same time."""
    token = issuer.token()
    await asyncio.gather(*(_who(gate, token) for _ in range(20)))
    assert issuer.asked == {"/.well-known/openid-configuration": 1, KEYS: 1}


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS256", lambda: RSA),
        ("RS512", lambda: RSA),
        ("PS256", lambda: RSA),
        ("ES256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ES384", lambda: ec.generate_private_key(ec.SECP384R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
async def test_each_asymmetric_algorithm_is_good(
    gate: Gate, issuer: FakeIssuer, algorithm: str, make: Callable[[], Any]
) -> None:
    """As far as a key fits."""
    key = make()
    issuer.keys, issuer.signer = [public(key, "k")], (key, "k", algorithm)
    assert (await _who(gate, issuer.token())).name == "anna@example.org"


# Rotation -----------------------------------------------------------------------------------------------------


async def test_a_new_key_is_found_at_once_and_by_all_who_come_with_it(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """A key that isn't known is looked for, and several who need it wait for one question."""
    await _who(gate, issuer.token())
    hands.turn(timedelta(minutes=1))
    issuer.keys, issuer.signer = [public(RSA, "one"), public(OTHER_RSA, "two")], (OTHER_RSA, "two", "RS256")
    await asyncio.gather(*(_who(gate, issuer.token()) for _ in range(5)))
    assert issuer.asked[KEYS] == 2


async def test_invented_keys_do_not_make_us_knock_without_end(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """Once in half a minute."""
    await _who(gate, issuer.token())
    for number in range(50):
        await _refused(gate, issuer.token(kid=f"invented-{number}"))
    assert issuer.asked[KEYS] == 1
    hands.turn(timedelta(seconds=30))
    for number in range(50):
        await _refused(gate, issuer.token(kid=f"invented-{number}"))
    assert issuer.asked[KEYS] == 2


async def test_a_withdrawn_key_stops_counting_within_an_hour(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """And its token is told why, though it isn't over."""
    token = issuer.token(issuer.claims(exp=int(NOON.timestamp()) + 90_000))
    await _who(gate, token)
    issuer.keys = [public(OTHER_RSA, "two")]
    hands.turn(timedelta(hours=1))
    await _who(gate, token)  # the question goes out beside it
    assert gate._issuer is not None
    refreshing = gate._issuer._ring._refreshing
    assert refreshing is not None
    await refreshing
    assert (
        await _refused(gate, token)
        == "the token is signed by key 'one' with RS256: the issuer has no such key, or no longer; sign in again"
    )


async def test_a_token_that_names_no_key_is_by_the_only_one_there_is(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """Of several that it might be by, none is guessed."""
    token = issuer.token(kid=None)
    await _who(gate, token)
    hands.turn(timedelta(minutes=1))
    issuer.keys.append(public(OTHER_RSA, "two"))
    await _refused(gate, issuer.token(kid="two!"))  # has the keys asked for anew
    assert "has no such key" in await _refused(gate, token)


# The issuer is down -------------------------------------------------------------------------------------------


async def test_keys_that_are_known_serve_on_while_the_issuer_is_down(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """For a day; then nobody can be checked any more, and that is said."""
    token = issuer.token(issuer.claims(exp=int(NOON.timestamp()) + 7 * 86_400))
    await _who(gate, token)
    issuer.down = True
    hands.turn(timedelta(hours=23))
    await _who(gate, token)
    hands.turn(timedelta(hours=1))
    with pytest.raises(IssuerError) as failed:
        await _who(gate, token)
    assert (
        str(failed.value)
        == f"the issuer answered 503 at {issuer.url}/.well-known/openid-configuration; who signs in can't be checked until it answers"
    )
    issuer.down = False
    hands.turn(timedelta(seconds=30))
    await _who(gate, token)


async def test_an_issuer_that_is_gone_is_told_of_and_asked_again_later(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """Nobody gets in meanwhile."""
    token = issuer.token()
    await issuer.stop()
    for _ in range(3):
        with pytest.raises(
            IssuerError, match=r"can't be reached at .*: connection refused; who signs in can't be checked"
        ):
            await _who(gate, token)


async def test_a_new_key_while_the_issuer_is_down_says_both(
    gate: Gate, issuer: FakeIssuer, hands: Hands
) -> None:
    """So that nobody looks for the fault in the token."""
    await _who(gate, issuer.token())
    issuer.down = True
    hands.turn(timedelta(minutes=1))
    why = await _refused(gate, issuer.token(kid="two"))
    assert "answered 503" in why
    assert "so it is not known whether there are new ones" in why


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"issuer": "https://elsewhere.example"}, "calls itself 'https://elsewhere.example'"),
        ({"issuer": None}, "calls itself None"),
        ({"jwks_uri": "http://elsewhere.example/keys"}, "which isn't HTTPS"),
        ({"jwks_uri": "file:///etc/keys"}, "which isn't HTTPS"),
        ({"jwks_uri": ""}, "doesn't say where its keys are"),
    ],
)
async def test_an_issuer_that_is_not_what_it_should_be_is_not_believed(
    gate: Gate, issuer: FakeIssuer, told: dict[str, Any], why: str
) -> None:
    """What its document says is held to its name and to HTTPS."""
    issuer.discovery = told
    with pytest.raises(IssuerError) as failed:
        await _who(gate, issuer.token())
    assert why in str(failed.value)


# What a token says --------------------------------------------------------------------------------------------

HOUR_AGO = int(NOON.timestamp()) - 3_600


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        (
            {"exp": HOUR_AGO},
            "the token expired at 2026-12-01 11:00:00 UTC, 60 minutes ago; sign in again",
        ),
        ({"exp": None}, "the token never expires: it has no `exp`, and such a one doesn't count"),
        ({"exp": "soon"}, "the token's `exp` is no instant"),
        ({"exp": True}, "the token's `exp` is no instant"),
        ({"exp": 10**30}, "the token's `exp` is no instant"),
        (
            {"aud": "payroll"},
            "the token is for 'payroll', and not for this daemon; ask for one whose audience is api://wavekeeper or wavekeeper",
        ),
        (
            {"aud": None},
            "the token is for nobody, and not for this daemon; ask for one whose audience is api://wavekeeper or wavekeeper",
        ),
        ({"sub": None}, "the token doesn't say whom it is about: it has no `sub`"),
        (
            {"nbf": int(NOON.timestamp()) + 3_600},
            "the token is of 2026-12-01 13:00:00 UTC, 60 minutes from now; one of the two clocks, the issuer's or this machine's, is wrong",
        ),
    ],
)
async def test_what_does_not_hold_is_told_plainly(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any], why: str
) -> None:
    """With what to do about it."""
    assert why == await _refused(gate, issuer.token(issuer.claims(**claims)))


async def test_another_issuers_token_is_none_of_ours_whoever_signed_it(
    gate: Gate, issuer: FakeIssuer
) -> None:
    """Tenants of one provider share keys; only the name tells them apart."""
    why = await _refused(gate, issuer.token(issuer.claims(iss="https://login.example/other-tenant")))
    assert why.startswith("the token is of another issuer, 'https://login.example/other-tenant'")


@pytest.mark.parametrize(("off_s", "known"), [(-60, False), (-59, True), (60, True), (61, False)])
async def test_clocks_may_differ_by_a_minute(gate: Gate, issuer: FakeIssuer, off_s: int, known: bool) -> None:
    """A token that ended up to a minute ago counts, and one that begins within a minute."""
    stamp = int(NOON.timestamp()) + off_s
    claims = {"exp": stamp} if off_s < 0 else {"nbf": stamp, "iat": stamp}
    token = issuer.token(issuer.claims(**claims))
    if known:
        await _who(gate, token)
    else:
        await _refused(gate, token)


# Attacks ------------------------------------------------------------------------------------------------------


def _by_secret(issuer: FakeIssuer, secret: bytes, algorithm: str = "HS256") -> str:
    head = unsigned(issuer.claims(), {"alg": algorithm, "typ": "JWT", "kid": "one"}).rstrip(".")
    signature = hmac.digest(secret, head.encode(), sha256)
    return f"{head}.{jwt.utils.base64url_encode(signature).decode()}"


async def test_a_public_key_is_no_secret(gate: Gate, issuer: FakeIssuer) -> None:
    """HS256 with the public key as its secret, in each of the ways in which it may be written down."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, public(RSA, "one")["n"].encode()):
        assert "signed with 'HS256', which isn't taken here" in await _refused(
            gate, _by_secret(issuer, secret)
        )


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS512", "ES256K", None, ["RS256"]])
async def test_no_other_algorithm_is_taken(gate: Gate, issuer: FakeIssuer, algorithm: object) -> None:
    """Least of all `none`."""
    assert "isn't taken here" in await _refused(
        gate, unsigned(issuer.claims(), {"alg": algorithm, "kid": "one"})
    )


async def test_a_symmetric_key_of_the_issuer_is_no_key(gate: Gate, issuer: FakeIssuer) -> None:
    """Everybody can read the set."""
    secret = b"0" * 32
    issuer.keys.append(
        {"kty": "oct", "kid": "shared", "k": jwt.utils.base64url_encode(secret).decode(), "alg": "RS256"}
    )
    await _refused(gate, issuer.token(kid="shared"))


async def test_a_key_is_good_for_what_it_is_made_for_alone(gate: Gate, issuer: FakeIssuer) -> None:
    """One for encryption signs nobody in, and one of RS256 isn't used for PS256."""
    issuer.keys = [public(RSA, "one") | {"use": "enc"}, public(RSA, "two", alg="RS256")]
    assert "has no such key" in await _refused(gate, issuer.token())
    issuer.signer = (RSA, "two", "PS256")
    assert "has no such key" in await _refused(gate, issuer.token())


async def test_a_weak_key_is_none(gate: Gate, issuer: FakeIssuer) -> None:
    """RSA below 2048 bits."""
    weak = rsa.generate_private_key(65537, 1024)
    issuer.keys, issuer.signer = [public(weak, "weak")], (weak, "weak", "RS256")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token()
    assert await _refused(gate, token) == "the token can't be read"


async def test_a_key_that_travels_in_the_token_is_not_believed(gate: Gate, issuer: FakeIssuer) -> None:
    """Neither as itself nor as an address."""
    issuer.signer = (OTHER_RSA, "one", "RS256")
    told = {"jwk": public(OTHER_RSA, "one"), "jku": f"{issuer.url}/other-keys"}
    assert await _refused(gate, issuer.token(**told)) == "the token isn't signed by the key that it names"
    assert "/other-keys" not in issuer.asked


async def test_what_is_critical_and_not_understood_is_refused(gate: Gate, issuer: FakeIssuer) -> None:
    """RFC 7515, 4.1.11."""
    await _refused(gate, issuer.token(crit=["exotic"], exotic=1))


async def test_other_kinds_of_token_are_no_identity(gate: Gate, issuer: FakeIssuer) -> None:
    """A logout token is signed by the same key."""
    assert "says nothing of who asks" in await _refused(gate, issuer.token(typ="logout+jwt"))


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "a.b", "....", "é.é.é", "a.\udc80.c", "x" * 20_000, "[" * 9_000]
)
async def test_what_is_no_token_says_so(gate: Gate, token: str) -> None:
    """And nobody is asked."""
    assert "token" in await _refused(gate, token)


async def test_a_changed_token_is_refused(gate: Gate, issuer: FakeIssuer) -> None:
    """Whichever part."""
    head, body, signature = issuer.token().split(".")
    more = unsigned(issuer.claims(groups=["admins"]), {}).split(".")[1]
    await _refused(gate, f"{head}.{more}.{signature}")
    await _refused(gate, f"{head}.{body}.")
    await _refused(gate, f"{head}.{body}.{signature[:-8]}")


# Names and grants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": None, "upn": "anna@corp"}, "anna@corp"),
        ({"preferred_username": None, "email": "a@b", "email_verified": True}, "a@b"),
        ({"preferred_username": None, "email": "ceo@b"}, "7f3a"),
        ({"preferred_username": None, "azp": "b0b0-app"}, "7f3a"),
        ({"preferred_username": "schedule"}, "7f3a"),
        ({"preferred_username": "ci (token)"}, "7f3a"),
        ({"preferred_username": "anna\u202eevil"}, "7f3a"),
        ({"preferred_username": "a" * 201}, "7f3a"),
        ({"preferred_username": None, "sub": "with blank"}, "subject 'with blank'"),
    ],
)
async def test_nobody_takes_a_name_that_is_not_theirs_to_take(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any], name: str
) -> None:
    """The journal never has somebody for the daemon, or for a token, or for who they wrote that they were."""
    assert name == (await _who(gate, issuer.token(issuer.claims(**claims)))).name


async def test_groups_that_were_left_out_are_told_of(gate: Gate, issuer: FakeIssuer) -> None:
    """Entra ID does so past 200 groups; that isn't the same as being in none."""
    left_out = {
        "groups": None,
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://x"}},
    }
    why = await _refused(gate, issuer.token(issuer.claims(**left_out)))
    assert why.startswith(
        "the issuer left `groups` out of the token, since there are too many of them; use app roles"
    )


async def test_nobody_without_a_rule_has_a_grant(gate: Gate, issuer: FakeIssuer) -> None:
    """Who it is, is known all the same."""
    assert (await _who(gate, issuer.token(issuer.claims(groups=["sales"])))).grants == ()


def test_a_rule_without_claims_is_for_nobody() -> None:
    """All of nothing holds for everybody, which nobody can have meant."""
    assert grants_of({"sub": "x"}, [Rule((), VIEWS)]) == ()


@pytest.mark.parametrize(
    ("claims", "name", "values"),
    [
        ({"groups": ["a", "b", 3, None]}, "groups", {"a", "b"}),
        ({"role": "admin user"}, "role", {"admin user"}),
        ({"scp": "read write"}, "scp", {"read", "write"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"realm_access.roles": ["b"], "realm_access": {"roles": ["a"]}}, "realm_access.roles", {"b"}),
        ({"https://corp.example/roles": ["c"]}, "https://corp.example/roles", {"c"}),
        ({"groups": {"a": 1}}, "groups", set()),
        ({"groups": ["a"]}, "groups.a", set()),
        ({}, "groups", set()),
    ],
)
def test_a_claim_is_a_text_or_a_list_of_texts(claims: dict[str, Any], name: str, values: set[str]) -> None:
    """By its whole name first, then within another."""
    assert values_of(claims, name) == values


async def test_other_rules_count_at_once(gate: Gate, issuer: FakeIssuer) -> None:
    """After a reload of the configuration; keys needn't be asked for again."""
    token = issuer.token()
    await _who(gate, token)
    gate.change(replace(gate.access, rules=gate.access.rules[1:]))
    assert (await _who(gate, token)).grants == (VIEWS,)
    assert issuer.asked[KEYS] == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "token"])
async def test_another_way_to_say_it_is_told_how(gate: Gate, header: str) -> None:
    """What to send is in the answer."""
    with pytest.raises(Unrecognised, match="send `Authorization: Bearer TOKEN`"):
        await gate.recognise(header)


async def test_without_an_issuer_its_tokens_are_none(hands: Hands) -> None:
    """And without anything nobody is known."""
    gate = Gate(Access(), hands)
    with pytest.raises(Unrecognised, match="no issuer is configured"):
        await gate.recognise("Bearer a.b.c")
    with pytest.raises(Unrecognised, match="send `Authorization"):
        await gate.recognise(None)
