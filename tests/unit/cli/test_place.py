"""Where a command's rollouts are, and what lets it in there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orchestrator.cli import place
from orchestrator.cli.place import Remote, place_of
from orchestrator.client.address import read_address
from orchestrator.errors import UsageError

SAFE = read_address("https://wavekeeper.example")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of it."""
    for name in ("JOURNAL", "SERVER", "TOKEN"):
        monkeypatch.delenv(f"WAVEKEEPER_{name}", raising=False)


def test_what_is_typed_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """In either direction."""
    assert place_of(None, None).remote is None
    assert not place_of(None, None).named
    monkeypatch.setenv("WAVEKEEPER_SERVER", "https://there.example")
    named = place_of(None, None).remote
    assert named is not None
    assert named.url == "https://there.example"
    assert place_of(Path("here.db"), None).remote is None
    monkeypatch.delenv("WAVEKEEPER_SERVER")
    monkeypatch.setenv("WAVEKEEPER_JOURNAL", "here.db")
    assert place_of(None, None).named
    assert place_of(None, "https://there.example").remote is not None


def test_both_are_none() -> None:
    """It could mean either."""
    with pytest.raises(UsageError, match="give one of them"):
        place_of(Path("here.db"), "https://there.example")


async def test_the_token_is_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file before the identity of this machine, and that before the environment's."""
    (tmp_path / "token").write_text("of-file")

    @asynccontextmanager
    async def identity(audience: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
        async def fetch() -> str:
            return f"for-{audience}"

        yield fetch

    monkeypatch.setattr(place, "identity", identity)
    for remote, token in (
        (Remote("u", "of-env", tmp_path / "token", "a"), "of-file"),
        (Remote("u", "of-env", None, "a"), "for-a"),
        (Remote("u", "of-env"), "of-env"),
    ):
        async with remote.credential() as credential:
            assert await credential.header(SAFE) == {"Authorization": f"Bearer {token}"}
    async with Remote("u").credential() as credential:
        assert await credential.header(SAFE) == {}
    assert "of-env" not in repr(Remote("u", "of-env"))
