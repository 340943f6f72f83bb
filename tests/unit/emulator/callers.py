"""Somebody who asks an emulated Azure Resource Manager, and a fleet to ask about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from orchestrator.emulator.arm import Response, answer
from orchestrator.emulator.call import Request
from orchestrator.emulator.world import World
from orchestrator.inventory.model import Orchestration
from tests.fleet import SUBSCRIPTION, availability_set, flex_id, inventory, scale_set, set_id
from tests.unit.emulator.worlds import START, windows

VERSION = "api-version=2026-04-01"
TOKEN = {"authorization": "Bearer anything"}
BASE = "http://127.0.0.1:8080"
OTHER = "22222222-aaaa-4aaa-8aaa-000000000002"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute"


@dataclass
class Caller:
    """Somebody with a token, who asks one world."""

    world: World
    now: datetime = START
    page_size: int = 100
    headers: Mapping[str, str] = field(default_factory=lambda: TOKEN)

    def get(self, path: str, query: str = VERSION) -> Response:
        """One GET."""
        return self.send(Request("GET", path, query, self.headers, base=BASE))

    def put(self, path: str, body: object) -> Response:
        """One PUT."""
        return self.send(Request("PUT", path, VERSION, self.headers, json.dumps(body).encode(), BASE))

    def patch(self, path: str, body: object) -> Response:
        """One PATCH."""
        return self.send(Request("PATCH", path, VERSION, self.headers, json.dumps(body).encode(), BASE))

    def delete(self, path: str) -> Response:
        """One DELETE."""
        return self.send(Request("DELETE", path, VERSION, self.headers, base=BASE))

    def post(self, path: str, body: object = None, query: str = VERSION) -> Response:
        """One POST."""
        raw = b"" if body is None else json.dumps(body).encode()
        return self.send(Request("POST", path, query, self.headers, raw, BASE))

    def follow(self, url: str) -> Response:
        """One GET of a URL that an answer gave."""
        parts = urlsplit(url)
        return self.get(parts.path, parts.query)

    def send(self, request: Request) -> Response:
        """One request."""
        return answer(self.world, request, self.now, page_size=self.page_size)


def body(response: Response) -> Any:
    """The JSON of a body."""
    return json.loads(response.body)


def code(response: Response) -> str:
    """The error's code."""
    return str(body(response)["error"]["code"])


def fleet() -> World:
    """Two subscriptions, an availability set, a Flexible and a Uniform scale set."""
    machines = (
        windows("web0", availability_set=set_id("as-web"), tags={"tier": "web"}),
        windows("web1", availability_set=set_id("as-web")),
        windows("flex0", scale_set=flex_id("flex"), zone="1"),
        windows("away", location="northeurope", group="rg-away"),
        windows("other", subscription=OTHER, zone="1"),
    )
    told = inventory(
        *machines,
        availability_sets=(availability_set("as-web", "web0", "web1", "gone"),),
        scale_sets=(
            scale_set("flex", orchestration=Orchestration.FLEXIBLE),
            scale_set("uni", orchestration=Orchestration.UNIFORM, instances=3),
        ),
    )
    return World(told, seed=1, start=START)
