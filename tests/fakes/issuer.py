"""A small issuer of OpenID Connect on loopback, with real keys: discovery, keys, the code flow with PKCE. It can rotate, lie and go down."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from yarl import URL

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA = rsa.generate_private_key(
    65537, 2048
)  # it costs a tenth of a second; a new id makes a new key of it for most tests
OTHER_RSA = rsa.generate_private_key(65537, 2048)


def public(key: Private, name: str, **more: str) -> dict[str, Any]:
    """A key as the set of keys has it."""
    made = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    algorithm = next(algorithm for kind, algorithm in made.items() if isinstance(key, kind))
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", **more}


@dataclass(slots=True)
class FakeIssuer:
    """`keys` are what it tells the world; `asked` counts questions by path. `says` is what the next identity token holds besides."""

    now: datetime
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(RSA, "one")])
    discovery: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    says: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    signer: tuple[Private, str, str] = (RSA, "one", "RS256")
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    forms: list[Mapping[str, Any]] = field(default_factory=list)
    secret: str = ""
    _server: TestServer | None = None

    @property
    def url(self) -> str:
        """Its name, which is where it is."""
        assert self._server is not None
        return str(self._server.make_url("")).rstrip("/")

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        self._server = TestServer(app)
        await self._server.start_server()

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            await self._server.close()

    def claims(self, **more: Any) -> dict[str, Any]:
        """Of somebody, good for an hour; None takes a claim out."""
        stamp = int(self.now.timestamp())
        usual = {
            "iss": self.url,
            "aud": "wavekeeper",
            "sub": "7f3a",
            "preferred_username": "anna@example.org",
            "iat": stamp,
            "nbf": stamp,
            "exp": stamp + 3600,
            "groups": ["ops"],
        }
        return {name: value for name, value in (usual | more).items() if value is not None}

    def token(self, claims: Mapping[str, Any] | None = None, **header: Any) -> str:
        """Signed by the current signer."""
        key, name, algorithm = self.signer
        extra = {name: value for name, value in ({"kid": name} | header).items() if value is not None}
        return jwt.encode(
            dict(claims if claims is not None else self.claims()), key, algorithm, headers=extra
        )

    def approve(self, url: str, **claims: Any) -> URL:
        """What a browser is sent back with once somebody has signed in at `url`."""
        asked = dict(URL(url).query)
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        self.says = {"nonce": asked["nonce"], "aud": asked["client_id"], **claims}
        return URL(asked["redirect_uri"]).with_query(code=code, state=asked["state"])

    def _count(self, request: web.Request) -> None:
        self.asked[request.path] = self.asked.get(request.path, 0) + 1
        if self.down:
            raise web.HTTPServiceUnavailable

    async def _discovery(self, request: web.Request) -> web.Response:
        self._count(request)
        usual = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
        }
        return web.json_response(usual | self.discovery)

    async def _keys(self, request: web.Request) -> web.Response:
        self._count(request)
        return web.json_response({"keys": self.keys})

    async def _authorize(self, request: web.Request) -> web.Response:
        """Nobody is asked for a password here: whoever comes is signed in."""
        self._count(request)
        raise web.HTTPFound(self.approve(str(request.url)))

    async def _token(self, request: web.Request) -> web.Response:
        self._count(request)
        form = dict(await request.post())
        self.forms.append(form)
        asked = self.codes.pop(str(form.get("code")), None)
        hashed = (
            base64.urlsafe_b64encode(sha256(str(form.get("code_verifier")).encode()).digest())
            .decode()
            .rstrip("=")
        )
        good = (
            asked is not None
            and asked["code_challenge"] == hashed
            and asked["redirect_uri"] == form.get("redirect_uri")
            and (not self.secret or form.get("client_secret") == self.secret)
        )
        if not good:
            return web.json_response({"error": "invalid_grant", "error_description": "no"}, status=400)
        return web.json_response({"id_token": self.token(self.claims(**self.says)), "access_token": "opaque"})


@dataclass(slots=True)
class Hands:
    """Clocks that a test turns: the wall's, and the one that never goes back."""

    at: datetime
    run_s: float = 1_000.0
    scale: float = 1.0

    def now(self) -> datetime:
        """The wall's."""
        return self.at

    def seconds(self) -> float:
        """The steady one's."""
        return self.run_s

    async def sleep(self, seconds: float) -> None:
        """Never needed."""
        raise NotImplementedError

    def turn(self, by: timedelta) -> None:
        """Both."""
        self.at += by
        self.run_s += by.total_seconds()


def unsigned(claims: Mapping[str, Any], header: Mapping[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
