"""The page: files that are served as they lie in `page/`, with nothing to build."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

PAGE: Final = Path(str(files("orchestrator.web") / "page"))


def add_page(app: web.Application, folder: Path = PAGE) -> None:
    """Serve the folder's files by their names: `/` is its index.html. Whatever else is asked for isn't there."""
    there = frozenset(path.name for path in folder.iterdir() if path.is_file())

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        if name not in there:
            raise web.HTTPNotFound
        return web.FileResponse(folder / name)

    app.router.add_get("/", file)
    app.router.add_get("/{name}", file)
