"""Many questions at the pace that the cloud sets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.clock import LoopClock
from orchestrator.cloud.answers import Received
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.pacing import TRIES, Paced
from orchestrator.errors import CloudTransient
from tests.builders import NOON
from tests.virtual import virtual

ASKED = Asked("reading something", Permission.READ_GRAPH, "somewhere")
ERROR = {"error": {"code": "X", "message": "no"}}


class Cloud:
    """Answers in turn, the last one for ever, and when each question came."""

    def __init__(self, *answers: Received) -> None:
        self.answers = list(answers)
        self.clock = LoopClock(NOON)
        self.came: list[timedelta] = []

    async def query(self, _body: Mapping[str, Any], _asked: Asked) -> Received:
        """The next answer."""
        self.came.append(self.clock.now() - NOON)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def get(self, _url: str, asked: Asked) -> Received:
        """The same, of ARM."""
        return await self.query({}, asked)

    def paced(self) -> Paced:
        """Who asks it."""
        return Paced(self.get, self.query, self.clock)


def told(left: int, resets: str = "00:00:05") -> Received:
    """A page without rows."""
    headers = {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": resets}
    return Received(200, headers, {"totalRecords": 0, "data": []})


@virtual
async def test_a_quota_that_is_nearly_used_up_is_waited_for() -> None:
    """Those under way have to fit in as well, so it isn't used to the last."""
    cloud = Cloud(told(14), told(2, "00:00:04"), told(14))
    paced = cloud.paced()
    for _ in range(3):
        await paced.page("resources", ASKED)
    assert [came.total_seconds() for came in cloud.came] == [0, 0, 4]
    assert paced.queries == 3


@virtual
async def test_refused_all_the_same() -> None:
    """Somebody else may use the same identity: the question is put again when the quota begins anew."""
    refused = Received(429, {"x-ms-user-quota-resets-after": "00:00:03"}, ERROR)
    cloud = Cloud(refused, refused, told(14))
    await cloud.paced().page("resources", ASKED)
    assert [came.total_seconds() for came in cloud.came] == [0, 3, 6]


@virtual
async def test_everybody_waits_for_one_quota() -> None:
    """What one of them was told holds for all."""
    cloud = Cloud(told(1, "00:00:05"), told(14))
    paced = cloud.paced()
    await paced.page("resources", ASKED)
    await asyncio.gather(*(paced.page("resources", ASKED) for _ in range(3)))
    assert [came.total_seconds() for came in cloud.came] == [0, 5, 5, 5]


@virtual
async def test_arms_own_word_is_kept() -> None:
    """A 429 or 5xx is put again when ARM says, or each time later; any other answer is the caller's."""
    cloud = Cloud(
        Received(429, {"retry-after": "17"}, ERROR), Received(503, {}, ERROR), Received(404, {}, ERROR)
    )
    paced = cloud.paced()
    assert (await paced.get("/x", ASKED)).status == 404
    assert [came.total_seconds() for came in cloud.came] == [0, 17, 19]
    assert paced.reads == 3


@virtual
async def test_who_never_answered_is_not_waited_for() -> None:
    """A wrong endpoint is told at once; a network that fails for a moment, later, is borne."""
    cloud = Cloud(told(14))
    away = [CloudTransient("nothing answers", code="NotConnected")]

    async def query(body: Mapping[str, Any], asked: Asked) -> Received:
        if away:
            raise away.pop()
        return await cloud.query(body, asked)

    paced = Paced(cloud.get, query, cloud.clock)
    with pytest.raises(CloudTransient):
        await paced.page("resources", ASKED)
    await paced.page("resources", ASKED)
    away.append(CloudTransient("nothing answers", code="NotConnected"))
    await paced.page("resources", ASKED)
    assert [came.total_seconds() for came in cloud.came] == [0, 1]


@virtual
async def test_trouble_that_stays() -> None:
    """After so many tries it is the caller's: the last answer of ARM, an error of Resource Graph."""
    cloud = Cloud(Received(503, {}, ERROR))
    assert (await cloud.paced().get("/x", ASKED)).status == 503
    assert len(cloud.came) == TRIES
    with pytest.raises(CloudTransient):
        await cloud.paced().page("resources", ASKED)
