"""All routes of the API."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Final

import orjson

from orchestrator.access.model import Verb
from orchestrator.web.asked import Asked
from orchestrator.web.openapi import document
from orchestrator.web.routes import File, Route
from orchestrator.web.table_holds import HOLDS
from orchestrator.web.table_picture import PICTURE
from orchestrator.web.table_reads import READS
from orchestrator.web.table_terminal import TERMINAL
from orchestrator.web.table_verbs import VERBS


async def described(_: Asked) -> File:
    """The API in its own words."""
    return File(await asyncio.to_thread(_document), "wavekeeper.openapi.json")


@cache
def _document() -> bytes:
    return orjson.dumps(document(ROUTES))


ROUTES: Final = (
    *READS,
    *PICTURE,
    *VERBS,
    *HOLDS,
    *TERMINAL,
    Route("openapi", "GET", "/openapi.json", Verb.VIEW, "This description, OpenAPI 3.1.", described, File),
)
