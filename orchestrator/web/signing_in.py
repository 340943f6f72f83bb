"""Signing in and out at the page: out to the issuer, back with a session, and away again."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from orchestrator.access.gate import Gate
from orchestrator.access.signing_in import CALLBACK
from orchestrator.errors import IssuerError, Unrecognised
from orchestrator.web.person import SESSION

log = structlog.get_logger("wavekeeper.web")

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

_BROWSER: Final = "__Host-wavekeeper-sign-in"
_GONE_S: Final = 600  # seconds until a browser forgets that it went to the issuer

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{title} · Wavekeeper</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/tokens.css">
  <link rel="stylesheet" href="/page.css">
  <link rel="stylesheet" href="/parts.css">
</head>
<body>
  <main id="main">
    <h1>{title}</h1>
    <p>{text}</p>
{links}
  </main>
</body>
</html>
"""


def add_signing_in(app: web.Application, gate: Gate) -> None:
    """The paths, and the front page's way to them for whoever isn't signed in."""

    async def sign_in(request: web.Request) -> web.StreamResponse:
        to = request.query.get("to", "/")
        if gate.access.open:
            return _sent("/")
        try:
            out = await gate.begin(to)
        except (Unrecognised, IssuerError) as error:
            return _sorry(error)
        answer = _sent(out.url)
        _give(answer, _BROWSER, out.browser, max_age=_GONE_S)
        return answer

    async def callback(request: web.Request) -> web.StreamResponse:
        try:
            session, to, person = await gate.finish(dict(request.query), request.cookies.get(_BROWSER, ""))
        except (Unrecognised, IssuerError) as error:
            log.warning("somebody could not be signed in", why=str(error), peer=request.remote)
            return _sorry(error)
        log.info(
            "signed in", who=person.name, id=person.id, roles=sorted({grant.role for grant in person.grants})
        )
        answer = _sent(to)
        _give(answer, SESSION, session)
        _take(answer, _BROWSER)
        return answer

    async def sign_out(request: web.Request) -> web.StreamResponse:
        gate.sessions.end(request.cookies.get(SESSION, ""))
        links = [("Sign in again", SIGN_IN)]
        try:
            if elsewhere := await gate.farewell():
                links.append(("Sign out of the issuer, too", elsewhere))
        except IssuerError:
            pass  # it may be down; here somebody is signed out all the same
        answer = _page("Signed out", "This browser is signed out of Wavekeeper.", *links)
        _take(answer, SESSION)
        return answer

    @web.middleware
    async def front_page(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/" and gate.signs_in:
            try:
                await gate.recognise(request.headers.get("Authorization"), request.cookies.get(SESSION, ""))
            except Unrecognised:
                return _sent(f"{SIGN_IN}?to={quote(request.path_qs, safe='')}")
        return await handler(request)

    app.router.add_get(SIGN_IN, sign_in)
    app.router.add_get(CALLBACK, callback)
    app.router.add_post(SIGN_OUT, sign_out)
    app.middlewares.append(front_page)


def _sent(where: str) -> web.Response:
    """A redirect that no cache keeps, and that tells the next site nothing of this address, which holds a code."""
    headers = {"Location": where, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)


def _sorry(error: Exception) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, IssuerError) else HTTPStatus.UNAUTHORIZED
    text = str(error)
    return _page("Not signed in", text[:1].upper() + text[1:] + ".", ("Try again", SIGN_IN), status=status)


def _page(title: str, text: str, *links: tuple[str, str], status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    made = "".join(
        f'    <p><a class="button" href="{escape(where)}">{escape(words)}</a></p>\n' for words, where in links
    )
    return web.Response(
        text=_PAGE.format(title=escape(title), text=escape(text), links=made),
        content_type="text/html",
        status=status,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


def _give(answer: web.Response, name: str, value: str, max_age: int | None = None) -> None:
    """Lax, since a browser that comes back from the issuer comes from another site; what changes something asks for more."""
    answer.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax")


def _take(answer: web.Response, name: str) -> None:
    answer.set_cookie(name, "", max_age=0, path="/", secure=True, httponly=True, samesite="Lax")
