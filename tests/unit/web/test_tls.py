"""TLS from files: what is shown, what is refused, and what becomes of connections when the files change."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import ClientSession, TCPConnector, web

from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.web.server import listening
from orchestrator.web.settings import Settings
from orchestrator.web.tls import Certificate, TlsFiles
from tests.fakes.certificates import common_name, write
from tests.fakes.issuer import Hands


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    """The first certificate."""
    return TlsFiles(*write(tmp_path, "first"))


@asynccontextmanager
async def _echoing(certificate: Certificate) -> AsyncIterator[int]:
    """A server that says back each line; its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=certificate.context)
    yield server.sockets[0].getsockname()[1]
    server.close()


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _connected(
    port: int, *, named: str = "", context: ssl.SSLContext | None = None
) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
    """Whose certificate is shown, and the connection."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context or _trusting(), server_hostname=named
    )
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return common_name(shown), reader, writer


async def _shown(port: int, named: str = "") -> str:
    name, _, writer = await _connected(port, named=named)
    writer.close()
    await writer.wait_closed()
    return name


@pytest.mark.parametrize("named", ["", "waves.example"])
async def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_live_on(
    files: TlsFiles, tmp_path: Path, named: str
) -> None:
    """Whether or not the host is named; of another kind of key, too."""
    certificate = Certificate(files)
    async with _echoing(certificate) as port:
        name, reader, writer = await _connected(port, named=named)
        assert name == "first"
        write(tmp_path, "second", rsa_key=True)
        certificate.look()
        assert await _shown(port, named) == "second"
        write(tmp_path, "third")
        certificate.look()
        assert await _shown(port, named) == "third"
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()
        await writer.wait_closed()


async def test_one_that_can_not_be_used_changes_nothing_until_it_can(files: TlsFiles, tmp_path: Path) -> None:
    """The two files are written one after the other, and somebody may look in between."""
    certificate = Certificate(files)
    async with _echoing(certificate) as port:
        old = files.key.read_bytes()
        write(tmp_path, "second")
        new = files.key.read_bytes()
        files.key.write_bytes(old)
        with structlog.testing.capture_logs() as logs:
            certificate.look()
            certificate.look()
        assert [one["log_level"] for one in logs if "can not be used" in one["event"]] == ["warning"]
        assert await _shown(port) == "first"
        files.key.write_bytes(new)
        certificate.look()
        assert await _shown(port) == "second"


async def test_nothing_older_than_tls_1_2_is_spoken(files: TlsFiles) -> None:
    """A client that knows no better is turned away."""
    old = _trusting()
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    certificate = Certificate(files)
    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2
    async with _echoing(certificate) as port:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await _connected(port, context=old)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda files: files.key.unlink(), "can't be read: No such file or directory"),
        (lambda files: files.certificate.write_text("no PEM"), "aren't a certificate and its key"),
        (
            lambda files: write(files.key.parent, passphrase="s"),
            "has a passphrase, and nobody is there to type it",
        ),
    ],
)
def test_files_that_can_not_be_used_are_told_at_the_start(
    files: TlsFiles, spoil: Callable[[TlsFiles], object], why: str
) -> None:
    """Before anybody listens."""
    spoil(files)
    with pytest.raises(UsageError, match=why):
        Certificate(files)


@pytest.mark.parametrize(
    ("lasts", "told"),
    [
        (timedelta(days=90), []),
        (timedelta(days=13), ["the certificate ends soon", "the certificate ends soon"]),
        (timedelta(days=-1), ["the certificate has expired; browsers and clients refuse it"] * 2),
    ],
)
def test_a_certificate_that_ends_is_told_of_once_a_day(
    tmp_path: Path, lasts: timedelta, told: list[str]
) -> None:
    """In time, and after."""
    hands = Hands(SystemClock().now())
    certificate = Certificate(TlsFiles(*write(tmp_path, lasts=lasts)), hands)
    with structlog.testing.capture_logs() as logs:
        for hours in (0, 12, 13):
            hands.turn(timedelta(hours=hours))
            certificate.look()
    assert [one["event"] for one in logs] == told


async def test_the_server_speaks_https_with_it(files: TlsFiles) -> None:
    """And plain HTTP gets no answer there."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    trusted = ssl.create_default_context(cafile=str(files.certificate))
    async with (
        listening(app, Settings(port=0, tls=files)) as url,
        ClientSession(connector=TCPConnector(ssl=trusted)) as session,
    ):
        assert url.startswith("https://127.0.0.1:")
        async with session.get(url) as answer:
            assert await answer.text() == "hello"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"hello" not in await reader.read()
        writer.close()
