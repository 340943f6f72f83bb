"""The machines' side of `peers.py`: one tiny HTTP server that says for every machine that it is well. It prints where it listens."""

from __future__ import annotations

import asyncio
import signal

from aiohttp import web


async def answer(_: web.BaseRequest) -> web.StreamResponse:
    """200 to everybody."""
    return web.Response(text="well")


async def serve() -> None:
    """Listen on a free port of loopback until told to end."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
