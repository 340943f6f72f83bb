"""What lets a command in."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.client.address import read_address
from orchestrator.client.credentials import NOBODY, Credential, from_environment, from_file, from_identity
from orchestrator.errors import ServerError, UsageError

SAFE = read_address("https://wavekeeper.example")
OPEN = read_address("http://wavekeeper.example")


async def test_a_token_is_sent_where_nobody_reads_it() -> None:
    """Over TLS, or on this machine."""
    header = {"Authorization": "Bearer sesame"}
    assert await from_environment("sesame\n").header(SAFE) == header
    assert await from_environment("sesame").header(read_address("http://127.0.0.1:1")) == header
    assert await NOBODY.header(OPEN) == {}


async def test_a_token_is_never_sent_in_clear() -> None:
    """Nor shown where it isn't."""
    credential = from_environment("sesame")
    with pytest.raises(
        UsageError, match="plain http to another machine: the token of WAVEKEEPER_TOKEN isn't sent"
    ):
        await credential.header(OPEN)
    assert "sesame" not in repr(credential)


async def test_a_file_is_read_each_time(tmp_path: Path) -> None:
    """Since whoever keeps it may write a new one."""
    file = tmp_path / "token"
    credential = from_file(file)
    with pytest.raises(UsageError, match="can't be read: No such file"):
        await credential.header(SAFE)
    for text in ("one\n", "two"):
        file.write_text(text)
        assert await credential.header(SAFE) == {"Authorization": f"Bearer {text.strip()}"}
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is no text"):
        await credential.header(SAFE)


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("a b", "is no token"), ("a\nb", "is no token"), ("ö", "is no token")]
)
async def test_what_is_no_token_is_not_sent(text: str, why: str) -> None:
    """A line break would make headers of its own."""
    with pytest.raises(ServerError, match=why):
        await from_environment(text).header(SAFE)


async def test_an_identity_is_asked_each_time() -> None:
    """It renews what it gives."""
    given = iter(("one", "two"))

    async def fetch() -> str:
        return next(given)

    credential: Credential = from_identity("api://wavekeeper", fetch)
    assert [await credential.header(SAFE) for _ in range(2)] == [
        {"Authorization": "Bearer one"},
        {"Authorization": "Bearer two"},
    ]
