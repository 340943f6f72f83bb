"""A stream of events, taken up again where it broke off."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from aiohttp import web

from orchestrator.client.events import Event, Parser, Stream
from orchestrator.errors import ServerError
from tests.fakes.daemons import meeting, problem, serving


def test_pieces_become_events() -> None:
    """However they are cut, with either end of a line; comments and empty events are none."""
    whole = b': hello\n\nid: 1.0\nevent: Paused\ndata: {"a":\ndata: 1}\n\nid: 2.0\r\ndata:x\r\n\r\nid: 3.0\n\ndata: half'
    told = [Event("1.0", "Paused", '{"a":\n1}'), Event("2.0", "", "x")]
    assert list(Parser().feed(whole)) == told
    parser = Parser()
    assert [event for at in range(len(whole)) for event in parser.feed(whole[at : at + 1])] == told


class Broken:
    """Sends two events a connection, from the place that is asked for, and then hangs up; every other time it isn't there at all."""

    def __init__(self, there: int = 3) -> None:
        self.there = there
        self.from_where: list[str] = []
        self.times = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """One connection."""
        self.times += 1
        if self.times % 2 == 0 or self.times > 2 * self.there:
            return web.Response(status=503)
        last = request.headers.get("Last-Event-ID", "")
        self.from_where.append(last)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first = int(last or "0") + 1
        for number in (first, first + 1):
            await response.write(f"id: {number}\ndata: {number}\n\n".encode())
        await response.write(f"id: {first + 2}\ndata: half".encode())
        assert request.transport is not None
        request.transport.abort()
        return response


async def test_nothing_is_lost_and_nothing_comes_twice() -> None:
    """Though the line is cut in the middle of an event, and the daemon away for a while."""
    broken = Broken()
    async with serving(broken) as url, meeting(url) as met:
        seen = []
        async with aclosing(Stream(met.connection, "/events").events()) as events:
            async for event in events:
                seen.append(event.data)
                if len(seen) == 6:
                    break
        assert seen == ["1", "2", "3", "4", "5", "6"]
        assert broken.from_where == ["", "2", "4"]
        assert [one.partition(" (")[0].split(" http")[0] for one in met.told[:2]] == [
            "lost touch with",
            met.told[1].split(" http")[0],
        ]
        assert met.told[1].endswith("is there again")


async def test_a_stream_that_stays_away_is_given_up() -> None:
    """With what becomes of what it told of."""
    async with serving(Broken(there=0)) as url, meeting(url) as met:
        with pytest.raises(ServerError, match="what it carries through goes on without you"):
            await anext(Stream(met.connection, "/events").events())
        assert 900 <= sum(met.clock.slept) < 920


async def test_a_stream_that_may_not_be_seen_is_no_stream() -> None:
    """It is said at once."""

    async def no(_: web.Request) -> web.StreamResponse:
        return problem("forbidden", 403, "not yours")

    async with serving(no) as url, meeting(url) as met:
        with pytest.raises(ServerError, match="says no: not yours"):
            await anext(Stream(met.connection, "/events").events())
        assert met.clock.slept == []
