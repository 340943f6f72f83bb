"""The fleet, read beside the daemon: what the cloud said comes back as it was, with the requests that it took."""

from __future__ import annotations

import pickle

import pytest

from orchestrator.daemon import fleet as module
from orchestrator.daemon.fleet import FleetRead, read_fleet
from orchestrator.errors import CloudTransient
from orchestrator.wiring.cloud import Hear


def test_what_the_cloud_refuses_comes_back_with_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also through the pipe between the processes: a 429 that nobody counts would be the one that matters."""

    async def throttled(_: object, __: object, hear: Hear) -> bytes:
        hear("GET", 200, None)
        hear("GET", 429, 17.0)
        raise CloudTransient("listing failed", code="TooManyRequests", retry_after_s=17.0)

    monkeypatch.setattr(module, "read_apart", throttled)
    came: FleetRead = pickle.loads(pickle.dumps(read_fleet(None, ["s"])))
    assert came.requests == (("GET", 200, None), ("GET", 429, 17.0))
    assert isinstance(came.error, CloudTransient)
    assert (str(came.error), came.error.retry_after_s) == ("listing failed", 17.0)


def test_what_was_read_comes_back_as_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is wrong."""

    async def answered(_: object, __: object, hear: Hear) -> bytes:
        hear("GET", 200, None)
        return b"a file"

    monkeypatch.setattr(module, "read_apart", answered)
    assert read_fleet(None, ["s"]) == FleetRead(b"a file", (("GET", 200, None),))
