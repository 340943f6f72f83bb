"""The API of a daemon that is killed: a key holds across it, and a stream is taken up where it broke off."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.integration.site import DEADLINE_S
from tests.integration.test_remote import Remote, remote

__all__ = ["remote"]  # the fixture

pytestmark = [pytest.mark.process, pytest.mark.wire]


def ask(there: Remote, method: str, path: str, key: str = "", **options: Any) -> requests.Response:
    """A request with ada's token."""
    headers = {
        "Authorization": f"Bearer {there.tokens['ada']}",
        "Idempotency-Key": key,
        **options.pop("headers", {}),
    }
    url = f"{there.url}/api/v1{path}"
    return requests.request(method, url, headers=headers, timeout=DEADLINE_S, **options)


def events(there: Remote, after: str, until: str) -> list[str]:
    """The ids of a stream from a place on, up to the first event of that name."""
    ids: list[str] = []
    with ask(there, "GET", "/events", headers={"Last-Event-ID": after}, stream=True) as got:
        for line in got.iter_lines(decode_unicode=True):
            name, _, value = line.partition(": ")
            if name == "id":
                ids.append(value)
            elif (name, value) == ("event", until):
                return ids
    raise AssertionError(f"the stream ended before {until}")


def test_a_key_and_a_stream_hold_across_a_kill(remote: Remote) -> None:
    """What was answered is answered once more, by another process; what was told before isn't told again."""
    first = remote.daemon()
    plan = (remote.site.folder / "plan.json").read_bytes()
    kind = {"Content-Type": "application/json"}
    started = ask(remote, "POST", "/rollouts?reason=now", "start", data=plan, headers=kind)
    assert started.status_code == 200, started.text
    pause = f"/rollouts/{started.json()['rollout']}/pause"
    paused = ask(remote, "POST", pause, "pause", json={"reason": "look"})
    assert paused.json()["facts"] == ["paused by ada (token): look"]
    before = events(remote, "0", "RolloutPaused")
    first.kill()
    remote.site.end_of(first)
    remote.daemon()
    assert ask(remote, "POST", pause, "pause", json={"reason": "look"}).json() == paused.json()
    assert (
        ask(remote, "POST", "/rollouts?reason=now", "start", data=plan, headers=kind).json() == started.json()
    )
    assert ask(remote, "POST", pause, "pause", json={"reason": "other"}).status_code == 422
    for place in (0, len(before) // 2):
        assert events(remote, before[place], "RolloutPaused") == before[place + 1 :]
