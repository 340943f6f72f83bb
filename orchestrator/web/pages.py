"""The page: files that are served as they lie in `page/`, with nothing to build."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

from orchestrator.web.routes import PREFIX

PAGE: Final = Path(str(files("orchestrator.web") / "page"))

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What the page may load, and from where: its own files and the API beside them. No script or style stands within it."""

HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-cache",  # asked for anew each time, and sent when it differs: a new version is seen at once
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_page(app: web.Application, folder: Path = PAGE) -> None:
    """Serve the folder: `/` is its index.html."""

    async def index(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / "index.html")

    async def protect(request: web.Request, answer: web.StreamResponse) -> None:
        if not request.path.startswith(PREFIX):
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)

    app.router.add_get("/", index)
    app.router.add_static("/", folder)
    app.on_response_prepare.append(protect)
