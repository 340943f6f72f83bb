"""The server's application: the table's routes, the page, and what is true of every request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from orchestrator.errors import WavekeeperError
from orchestrator.service.letterbox import Letterbox
from orchestrator.web.asked import Asked
from orchestrator.web.broadcast import Broadcast
from orchestrator.web.charts import Charts
from orchestrator.web.desk import Desk
from orchestrator.web.events import Stream
from orchestrator.web.guard import add_guard
from orchestrator.web.knowing import PERSON, add_knowing
from orchestrator.web.packing import LEAST, is_large, packed, takes_gzip, written
from orchestrator.web.person import Recognise
from orchestrator.web.problems import Declined, declined_for, response_of
from orchestrator.web.reading import body_of, key_of, query_of
from orchestrator.web.routes import PREFIX, File, Route
from orchestrator.web.settings import Settings
from orchestrator.web.table import ROUTES

log = structlog.get_logger("wavekeeper.web")


def build(
    desk: Desk,
    settings: Settings,
    recognise: Recognise,
    *,
    routes: Sequence[Route] = ROUTES,
    broadcast: Broadcast | None = None,
) -> web.Application:
    """An application that answers by the table. More routes may be added to it before it runs."""
    app = web.Application(middlewares=[_problems], client_max_size=settings.largest_body)
    add_guard(app, settings)
    add_knowing(app, recognise, settings.requests_per_minute)
    charts, letters = Charts(desk), Letterbox(desk.journal, desk.look_into_inbox)
    broadcast = Broadcast(desk) if broadcast is None else broadcast

    async def ask(route: Route, request: web.Request) -> Asked:
        return Asked(
            desk=desk,
            charts=charts,
            letters=letters,
            broadcast=broadcast,
            person=request[PERSON],
            again=partial(recognise, request),
            path=dict(request.match_info),
            query=query_of(route, request),
            body=await body_of(route, request),
            key=key_of(route, request),
            last_event=request.headers.get("Last-Event-ID", ""),
        )

    for route in routes:
        app.router.add_route(route.method, PREFIX + route.path, _answers(route, ask))

    async def leave(_: web.Application) -> None:
        charts.close()
        broadcast.close()

    app.on_shutdown.append(leave)
    return app


@web.middleware
async def _problems(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
    """Whatever goes wrong becomes a problem document."""
    try:
        answer: web.StreamResponse = await handler(request)
    except WavekeeperError as error:
        return response_of(declined_for(error))
    except web.HTTPException as error:
        return response_of(_of_http(error))
    except Exception:
        log.exception("a request failed", method=request.method, path=request.path)
        return response_of(
            Declined("defect", "Something went wrong that shouldn't; the daemon's log has it.")
        )
    return answer


def _of_http(error: web.HTTPException) -> Declined:
    match error:
        case web.HTTPNotFound():
            return Declined(
                "not-found", "there is nothing here; the list of paths is at /api/v1/openapi.json"
            )
        case web.HTTPMethodNotAllowed():
            return Declined(
                "method",
                f"this is for {', '.join(sorted(error.allowed_methods))}",
                headers={"Allow": error.headers["Allow"]},
            )
        case web.HTTPRequestEntityTooLarge():
            return Declined("too-large", error.text or "")
        case _:
            return Declined("bad-request", error.text or error.reason)


async def answer_of(route: Route, value: Any, accepted: str = "") -> web.Response:
    """A value as the answer of a route. `accepted` is the request's `Accept-Encoding`."""
    headers = {}
    if isinstance(value, File):
        body, status = value.body, 200
        name = re.sub(r"[^A-Za-z0-9._-]", "-", value.name)
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    else:
        large = route.settled and is_large(value)
        body, status = await written(value) if large else route.answers.dump_json(value), route.status
    if len(body) >= LEAST and takes_gzip(accepted):
        body, headers["Content-Encoding"] = await packed(body), "gzip"
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _answers(
    route: Route, ask: Callable[[Route, web.Request], Awaitable[Asked]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        value = await route.handle(await ask(route, request))
        if isinstance(value, Stream):
            return await _streamed(request, value)
        return await answer_of(route, value, request.headers.get("Accept-Encoding", ""))

    return answer


async def _streamed(request: web.Request, stream: Stream) -> web.StreamResponse:
    """Write what goes on, until it ends or nobody reads it any more. Once it has begun, all that can be said of an error is the end."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})

    def cut() -> None:
        if request.transport is not None:
            request.transport.abort()

    stream.cut_by(cut)
    async with aclosing(stream.pieces) as pieces:
        await answer.prepare(request)
        try:
            async for piece in pieces:
                await answer.write(piece)
            await answer.write_eof()
        except ConnectionError:
            pass  # gone, or cut off
        except WavekeeperError as error:
            log.info("a listener is let go", why=str(error))
            await answer.write_eof()
        except Exception:
            log.exception("a stream broke off", path=request.path)
            cut()
    return answer
