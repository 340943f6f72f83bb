"""What is true of every request and answer, whoever asks: to whom it is addressed, from which page it comes, how it may be shown.

- A request is for this host: else a name of an attacker's that points here (DNS rebinding) would make their page one of ours.
- What changes something comes from no other site's page. Browsers say where from; who isn't one sends neither `Origin` nor `Sec-Fetch-Site`.
- Pages of other sites read nothing, unless the configuration names their origin; then with a token, never with a cookie.
- Nothing of ours is framed, sniffed, cached by strangers or made to run what didn't come from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from orchestrator.web.problems import Declined
from orchestrator.web.routes import PREFIX
from orchestrator.web.settings import Settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "Server": "wavekeeper",
        "Wavekeeper-Version": version("wavekeeper"),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""Of every answer."""

STRICTLY: Final = "max-age=31536000"
"""A year: who has seen it over TLS comes over nothing else."""

_ASKED: Final = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
_TOLD: Final = "Retry-After, Wavekeeper-Version"


def add_guard(app: web.Application, settings: Settings) -> None:
    """Hold every request to the rules, and put the headers on every answer."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refuse_other_hosts(request.host, settings)
        refuse_other_sites(
            request.method,
            request.host,
            request.headers.get("Origin", ""),
            request.headers.get("Sec-Fetch-Site", ""),
            settings,
        )
        if _is_preflight(request):
            return web.Response(status=204, headers=preflight(request.headers["Origin"], settings))
        return await handler(request)

    async def finish(request: web.Request, answer: web.StreamResponse) -> None:
        for name, value in HEADERS.items():
            answer.headers[name] = value
        if request.path.startswith(PREFIX):
            answer.headers["Cache-Control"] = "no-store"
        else:
            answer.headers.setdefault(
                "Cache-Control", "no-cache"
            )  # a page of an older daemon is asked for anew
        if settings.tls is not None:
            answer.headers["Strict-Transport-Security"] = STRICTLY
        if settings.origins:
            answer.headers.add("Vary", "Origin")
            origin = request.headers.get("Origin", "").lower()
            if origin in settings.origins:
                answer.headers["Access-Control-Allow-Origin"] = origin
                answer.headers["Access-Control-Expose-Headers"] = _TOLD
                answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"

    app.middlewares.append(guard)
    app.on_response_prepare.append(finish)


def refuse_other_hosts(host: str, settings: Settings) -> None:
    """Raise `Declined` for a request that is addressed to a name which isn't ours. An address can't be made to point elsewhere."""
    name = _name(host)
    if name in ("localhost", settings.host, *settings.names) or _is_address(name):
        return
    raise Declined(
        "wrong-host", f"{name} is no name of this daemon's; it can be given one with `web: {{names: [...]}}`"
    )


def refuse_other_sites(method: str, host: str, origin: str, site: str, settings: Settings) -> None:
    """Raise `Declined` for what changes something and comes from another site's page."""
    if method in SAFE or origin.lower() in settings.origins:
        return
    if origin == "null" and site == "same-origin":
        return  # a form of our own page, which by its `Referrer-Policy` doesn't say whose it is; the browser does
    ours = urlsplit(origin).netloc.lower() == host.lower()
    if (origin and not ours) or (not origin and site not in ("", "same-origin", "none")):
        where = f"a page of {origin}" if origin and origin != "null" else "another site's page"
        raise Declined("foreign-page", f"{where} may not change anything here")


def preflight(origin: str, settings: Settings) -> dict[str, str]:
    """What a browser is told that asks whether another site's page may ask. Nothing, unless that one is configured."""
    if origin.lower() not in settings.origins:
        return {}
    methods = "GET, POST, DELETE"
    return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": _ASKED,
        "Access-Control-Max-Age": "600",
    }


def _is_preflight(request: web.Request) -> bool:
    return (
        request.method == "OPTIONS"
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )


def _name(host: str) -> str:
    """A Host header without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
