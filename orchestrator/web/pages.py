"""The page: files that are served as they lie in `page/`, with nothing to build."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

PAGE: Final = Path(str(files("orchestrator.web") / "page"))


def add_page(app: web.Application, folder: Path = PAGE) -> None:
    """Serve the folder: `/` is its index.html."""

    async def index(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / "index.html")

    app.router.add_get("/", index)
    app.router.add_static("/", folder)
