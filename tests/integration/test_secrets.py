"""No secret is written or told anywhere: a daemon that holds all kinds of them runs a rollout, and everything it left is searched."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from orchestrator.access.tokens import hash_of, new_token
from orchestrator.clock import SystemClock
from orchestrator.emulator.signed_urls import Signer
from orchestrator.inventory import native
from orchestrator.service.ending import ExitCode
from orchestrator.web.table import ROUTES
from tests.fakes.certificates import write
from tests.fakes.issuer import FakeIssuer
from tests.integration.site import Site, site, wait_for
from tests.integration.test_daemon import SCALE, counts_from_the_start
from tests.simulation.reference import CAMPAIGN, twins
from tests.upstream import Upstream
from tests.virtual import START, script, virtual

pytestmark = [pytest.mark.process, pytest.mark.wire]

GIT, HOOK, IN_URL, CLIENT = "git-hunter2", "hook-hunter3", "url-hunter4", "client-hunter5"
API = "/api/v1"

STEPS = """
around: [{before: {webhook: drain, timeout: 1m}}]
notify: [{webhook: people, on: [started, finished, stopped]}]
"""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library calls it by
        """Nothing."""


@contextmanager
def _git(upstream: Upstream) -> Iterator[str]:
    """The repository over HTTP, for whoever knows the password."""
    wanted = "Basic " + base64.b64encode(f"bot:{GIT}".encode()).decode()
    served = make_wsgi_chain(DictBackend({"/p.git": upstream.repo}))

    def asked(environment: dict[str, Any], start: Any) -> Any:
        if environment.get("HTTP_AUTHORIZATION") != wanted:
            start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"')])
            return [b""]
        return served(environment, start)

    server = make_server("127.0.0.1", 0, asked, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/p.git"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def _hooks() -> AsyncIterator[tuple[str, list[str]]]:
    """A receiver that echoes what it was sent, with an error each first time; its address, and the paths that were asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        told = f"{request.path} {request.headers.get('webhook-signature')}"
        return web.Response(
            status=503 if len(asked) == 1 else 200, text=told if len(asked) > 1 else "not yet"
        )

    app = web.Application()
    app.router.add_post("/{any:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/"), asked
    await server.close()


def _policies(folder: Path) -> Upstream:
    upstream = Upstream(folder / "upstream")
    at = f"{(START.hour + 1) % 24:02}:{START.minute:02}"
    schedule = f'schedule: {{start: every_day, at: "{at}", time_zone: UTC}}\n'
    upstream.commit("first", policies__monthly=CAMPAIGN + STEPS + schedule)
    return upstream


def _configuration(
    here: Site, git: str, hooks: str, issuer: str, token: str, port: int, metrics: int
) -> Path:
    (here.folder / "secrets").mkdir()
    (here.folder / "secrets" / "hooks.json").write_text(
        f'{{"drain": {{"url": "{hooks}/{IN_URL}/drain", "secret": "{HOOK}"}},'
        f' "people": {{"url": "{hooks}/{IN_URL}/people", "secret": "{HOOK}"}}}}'
    )
    (here.folder / "secrets" / "client").write_text(CLIENT + "\n")
    write(here.folder / "secrets")
    subscription = here.script.fleet.machines[0].subscription
    configuration = here.folder / "secrets" / "daemon.yaml"
    configuration.write_text(
        f"version: 1\npolicies: {{source: {git!r}, every: 2m, user: bot, password_env: GIT_PASSWORD}}\n"
        f"fleet: {{subscriptions: {subscription}, endpoint: {here.endpoint!r}}}\n"
        f"campaigns: {{monthly: {{act: true}}}}\njournal: {here.journal}\nwebhooks: hooks.json\n"
        f"web: {{listen: '127.0.0.1:{port}', tls: {{certificate: tls.crt, key: tls.key}}}}\n"
        f"egress: {{allow: ['*', 127.0.0.1]}}\nmetrics: {{listen: '127.0.0.1:{metrics}'}}\ntell: {{to: [{{webhook: people}}]}}\n"
        f"access:\n  issuer: {{url: {issuer!r}, client: wavekeeper, secret_file: client, page: 'https://127.0.0.1:{port}'}}\n"
        "  grants: [{role: admin, who: {groups: ops}}]\n"
        f"  tokens: {{ci: {{hash: '{hash_of(token)}', expires: 2100-01-01, role: admin}}}}\n"
    )
    return configuration


async def _everything(
    session: aiohttp.ClientSession, url: str, rollout: str, machine: str
) -> dict[str, bytes]:
    """What each path answers that only reads, and the page."""
    paths = [API + route.path for route in ROUTES if route.method == "GET"]
    paths += ["/", "/api/v1/openapi.json", "/sign-in"]
    told = {}
    for path in paths:
        asked = path.replace("{id}", rollout).replace("{name}", machine)
        told[asked] = b""
        with suppress(TimeoutError):  # a stream of events has no end
            async with asyncio.timeout(1), session.get(url + asked, allow_redirects=False) as answer:
                told[asked] = str(answer.headers).encode()
                async for part in answer.content.iter_any():
                    told[asked] += part
    return told


def _files(folder: Path) -> dict[str, bytes]:
    """All that was written, but for where the secrets are kept and the world outside."""
    outside = ("secrets", "upstream", "emulator.log", "audit.jsonl")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in outside
    }


async def test_no_secret_is_written_or_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no log, no journal, no answer of the API and no page; nor the signed part of a URL, once nobody follows it."""
    monkeypatch.setenv("GIT_PASSWORD", GIT)
    made = await asyncio.to_thread(virtual(script), twins(3), CAMPAIGN)
    upstream, issuer, token = _policies(tmp_path), FakeIssuer(SystemClock().now()), new_token()
    await issuer.start()
    await counts_from_the_start(tmp_path, upstream, native.dump(made.fleet))
    port, metrics = unused_port(), unused_port()
    with _git(upstream) as git, site(tmp_path, made, time_scale=SCALE) as here:
        async with _hooks() as (hooks, called):
            configuration = _configuration(here, git, hooks, issuer.url, token, port, metrics)
            process = here.start("daemon", "--config", str(configuration), "--json")
            here.processes.append(process)
            await asyncio.to_thread(wait_for, lambda: here.rows() > 0 and len(here.installs()) >= 1, process)
            url, jwt, bad = f"https://127.0.0.1:{port}", issuer.token(), new_token()
            scope = await asyncio.to_thread(here.scope_now)
            (rollout,) = {**scope.rollouts, **scope.ended}  # it may be over by now, where the machine is busy
            machine = made.fleet.machines[0].name
            connector = aiohttp.TCPConnector(ssl=False)
            async with aiohttp.ClientSession(connector=connector) as session:
                told = {}
                for sent in (token, jwt):
                    session.headers["Authorization"] = f"Bearer {sent}"
                    told |= {
                        f"{path} of {sent[:3]}": body
                        for path, body in (await _everything(session, url, rollout, machine)).items()
                    }
                    async with session.get(url + API + "/me") as answer:
                        assert answer.status == 200
                for path in ("/metrics", "/healthz", "/readyz"):
                    async with session.get(f"http://127.0.0.1:{metrics}{path}") as answer:
                        told[path] = await answer.read()
                session.headers["Authorization"] = f"Bearer {bad}"
                async with session.get(url + API + "/me") as answer:
                    assert answer.status == 401
                    told["bad"] = await answer.read()
            await asyncio.to_thread(
                wait_for, lambda: here.rows() > 3 and bool(here.scope_now().ended), process
            )
            process.terminate()
            code, log = await asyncio.to_thread(here.end_of, process)
            assert code == ExitCode.DONE, log
    await issuer.stop()
    assert any(path.endswith("/drain") for path in called)
    signed = Signer(made.seed)._certificate[:100]
    secrets = [GIT, HOOK, IN_URL, CLIENT, token, bad, jwt, jwt.rpartition(".")[2], signed]
    secrets += [
        base64.b64encode(f"bot:{GIT}".encode()).decode(),
        (tmp_path / "secrets/tls.key").read_text().splitlines()[1],
    ]
    everything = told | {"log": log.encode()} | _files(tmp_path)
    found = {
        where: secret for where, body in everything.items() for secret in secrets if secret.encode() in body
    }
    assert found == {}
    assert rollout.encode() in everything["journal.db"] + everything.get("journal.db-wal", b"")
