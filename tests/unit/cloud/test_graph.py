"""What is made of Resource Graph's answers: pages, quotas, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.cloud import graph
from orchestrator.cloud.answers import Received
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.errors import AccessDenied, CloudPermanent, CloudTransient

ASKED = Asked("reading something", Permission.READ_ARC_RUNS, "somewhere")


class Script:
    """Answers in turn, and what was asked."""

    def __init__(self, *answers: Received) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    async def query(self, body: Mapping[str, Any], _asked: Asked) -> Received:
        """The next answer."""
        self.asked.append(body)
        return self.answers.pop(0)


def told(*rows: str, token: str = "", **headers: str) -> Received:
    """One page."""
    body = {
        "totalRecords": 3,
        "data": [{"id": row} for row in rows],
        **({"$skipToken": token} if token else {}),
    }
    return Received(200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


async def test_rows_of_all_pages() -> None:
    """Each token leads to the next page of the same query."""
    script = Script(told("a", "b", token="t1"), told("c"))
    found = [row["id"] async for row in graph.rows(script.query, "resources", ASKED, subscriptions=["s"])]
    assert found == ["a", "b", "c"]
    assert [body["options"].get("$skipToken") for body in script.asked] == [None, "t1"]
    assert all(body["subscriptions"] == ["s"] and body["options"]["$top"] == 1000 for body in script.asked)


async def test_without_subscriptions() -> None:
    """Then all that may be seen are asked, and none are named."""
    script = Script(told("a"))
    assert (await graph.page(script.query, "resources", ASKED)).total == 3
    assert "subscriptions" not in script.asked[0]


async def test_quota() -> None:
    """What is left and when it begins anew is told with each answer."""
    script = Script(
        told("a", x_ms_user_quota_remaining="4", x_ms_user_quota_resets_after="00:01:05"), told("a")
    )
    first = await graph.page(script.query, "resources", ASKED)
    assert (first.left, first.resets_after) == (4, timedelta(seconds=65))
    second = await graph.page(script.query, "resources", ASKED)
    assert (second.left, second.resets_after) == (None, timedelta(seconds=5))


async def test_used_up() -> None:
    """A refusal says when to come back by a header of Resource Graph's own."""
    error = {"error": {"code": "RateLimiting", "message": "throttled"}}
    script = Script(Received(429, {"x-ms-user-quota-resets-after": "00:00:03"}, error))
    with pytest.raises(CloudTransient) as raised:
        await graph.page(script.query, "resources", ASKED)
    assert (raised.value.code, raised.value.retry_after_s) == (graph.RATE_LIMITED, 3.0)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, AccessDenied), (400, CloudPermanent), (503, CloudTransient)]
)
async def test_refusals(status: int, kind: type[Exception]) -> None:
    """They are errors of the tree, and no empty answers."""
    script = Script(Received(status, {}, {"error": {"code": "X", "message": "no"}}))
    with pytest.raises(kind):
        await graph.page(script.query, "resources", ASKED)


def test_quoting() -> None:
    """What would end the text early is refused."""
    assert graph.quoted("/a/b") == "'/a/b'"
    for text in ("a'b", "a\\"):
        with pytest.raises(CloudPermanent):
            graph.quoted(text)
