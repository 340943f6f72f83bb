"""An issuer's public keys: read from its JSON Web Key Set, kept, asked for anew when it has changed them; and signatures checked by them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import jwt
import structlog

from orchestrator.access.claims import Claims
from orchestrator.errors import IssuerError, Unrecognised

log = structlog.get_logger("wavekeeper.access")

FRESH_S: Final = 3_600.0
"""After which the keys are asked for again, while the old ones serve: so a key that was withdrawn stops counting."""

KEPT_S: Final = 86_400.0
"""For how long keys count that can't be asked for any more. Tokens last for an hour or so: who still has one was known before."""

AGAIN_S: Final = 30.0
"""Between two questions to an issuer, whatever tokens come in: whoever invents keys can't make us knock without end."""

LONGEST_TOKEN: Final = 16_384  # characters; aiohttp takes headers of 8 KiB unless told otherwise

_BY_KEY: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        ("EC", "P-256"): ("ES256",),
        ("EC", "P-384"): ("ES384",),
        ("EC", "P-521"): ("ES512",),
        ("OKP", "Ed25519"): ("EdDSA",),
    }
)
"""Which algorithms a kind of key is good for. None is symmetric, and `none` is none: a public key never serves as a secret."""

ALGORITHMS: Final = tuple(name for names in _BY_KEY.values() for name in names)

_TYPES: Final = ("jwt", "at+jwt", "id_token+jwt")
"""A logout token, or a proof of possession, is signed by the same keys and is no identity."""

_PUBLIC: Final = ("kty", "crv", "n", "e", "x", "y")
_JWS: Final = jwt.PyJWS(
    algorithms=ALGORITHMS, options={"verify_signature": True, "enforce_minimum_key_length": True}
)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, under its issuer's name for it, with what it may be used for."""

    id: str
    algorithms: tuple[str, ...]
    public: Mapping[str, str]


def read_keys(document: Any) -> tuple[Key, ...]:
    """The keys of a set that can check signatures; others are none of ours. Raises `IssuerError` where it is no such set."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise IssuerError("the issuer's keys aren't a JSON Web Key Set")
    return tuple(key for entry in listed if isinstance(entry, dict) and (key := _key(entry)) is not None)


def _key(entry: Mapping[str, Any]) -> Key | None:
    kind = str(entry.get("kty", ""))
    fitting = _BY_KEY.get((kind, "" if kind == "RSA" else str(entry.get("crv", ""))), ())
    if entry.get("use", "sig") != "sig" or not fitting:
        return None
    if "alg" in entry:
        fitting = tuple(name for name in fitting if name == entry["alg"])
    public = {part: str(entry[part]) for part in _PUBLIC if part in entry}
    try:
        for algorithm in fitting[:1]:
            jwt.PyJWK(public, algorithm)
    except jwt.PyJWTError:
        return None
    return Key(str(entry.get("kid", "")), fitting, MappingProxyType(public)) if fitting else None


@dataclass(slots=True)
class KeyRing:
    """The keys of one issuer. `fetch` asks for them; `seconds` is a clock that never goes back."""

    fetch: Callable[[], Awaitable[tuple[Key, ...]]]
    seconds: Callable[[], float]
    _keys: tuple[Key, ...] | None = None
    _fetched_s: float = 0.0
    _asked_s: float | None = None
    _failed: str = ""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refreshing: asyncio.Task[None] | None = None

    async def claims(self, token: str) -> Claims:
        """What a signed token says. Raises `Unrecognised` unless a key of the issuer has signed it, `IssuerError` without keys."""
        header = _header(token)
        key = await self._find(header)
        try:
            signed = _JWS.decode_complete(
                token, jwt.PyJWK(dict(key.public), header["alg"]), algorithms=[header["alg"]]
            )
            claims = json.loads(signed["payload"])
        except jwt.InvalidSignatureError:
            raise Unrecognised("the token isn't signed by the key that it names") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unrecognised("the token can't be read") from None
        if not isinstance(claims, dict):
            raise Unrecognised("the token can't be read")
        return claims

    async def close(self) -> None:
        """End what is still asked."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _find(self, header: Mapping[str, Any]) -> Key:
        age_s = self.seconds() - self._fetched_s
        if self._keys is None or age_s >= KEPT_S:
            self._keys = None
            await self._ask()
        elif age_s >= FRESH_S and self._may_ask() and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._refresh())  # nobody waits for it
        if self._keys is None:
            raise IssuerError(
                f"{self._failed or 'the issuer has not been asked yet'}; who signs in can't be checked until it answers"
            )
        found = _fitting(self._keys, header)
        if found is None and (self._may_ask() or self._one_at_a_time.locked()):
            await self._refresh()
            found = _fitting(self._keys, header)
        if found is None:
            raise Unrecognised(self._unknown(header))
        return found

    def _unknown(self, header: Mapping[str, Any]) -> str:
        name = ascii(header.get("kid", ""))[:100]
        asked = (
            f"{self._failed}, so it is not known whether there are new ones"
            if self._failed
            else "the issuer has no such key, or no longer"
        )
        return f"the token is signed by key {name} with {header['alg']}: {asked}; sign in again"

    def _may_ask(self) -> bool:
        return self._asked_s is None or self.seconds() - self._asked_s >= AGAIN_S

    async def _refresh(self) -> None:
        """Ask once more; what was had before serves on if nothing comes of it."""
        await self._ask()
        if self._failed:
            log.warning("the issuer's keys can not be had anew; those of before serve on", why=self._failed)

    async def _ask(self) -> None:
        async with self._one_at_a_time:
            if not self._may_ask():
                return  # somebody else just did
            self._asked_s = self.seconds()
            try:
                self._keys = await self.fetch()
            except IssuerError as error:
                self._failed = str(error)
            else:
                self._failed, self._fetched_s = "", self.seconds()


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise Unrecognised("the token is too long")
    try:
        header = _JWS.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unrecognised(
            "this is no token: it is neither one of Wavekeeper's own, which begin with wk_, nor a signed one of the issuer's"
        ) from None
    if header.get("alg") not in ALGORITHMS:
        raise Unrecognised(
            f"the token is signed with {ascii(header.get('alg'))[:40]}, which isn't taken here; {', '.join(ALGORITHMS)} are"
        )
    if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in _TYPES:
        raise Unrecognised(f"the token is a {ascii(header['typ'])[:40]}, and says nothing of who asks")
    return header


def _fitting(keys: Sequence[Key], header: Mapping[str, Any]) -> Key | None:
    """The key of that name for that algorithm; a token that names none is by the only one that it can be by."""
    able = [key for key in keys if header["alg"] in key.algorithms]
    if "kid" in header:
        return next((key for key in able if key.id == header["kid"]), None)
    return able[0] if len(able) == 1 else None
