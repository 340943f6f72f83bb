"""A role for machines of a tag: what it shows, what it lets do, and that nobody else's machine is named."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from orchestrator.access.model import Grant, Person, Reach, Role
from orchestrator.web.table import ROUTES
from tests.desk import Office, office
from tests.simulation.reference import reference

OTHERS = re.compile(rb"\bb[1-4]\b|as-b\b")
"""Machines and the set of the other application, wherever they are named."""

APP_A = Reach(tags=(("app", ("a",)),))
PEOPLE = (
    Person("ann", (Grant(Role.OPERATOR, APP_A),), "ann"),
    Person("nobody", (), "nobody"),
    Person("olga", (Grant(Role.ADMIN, Reach(campaigns=("weekly",))),), "olga"),
)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """A rollout over the machines of two applications, and an operator of one of them."""
    async with office(await reference(), tmp_path, *PEOPLE, scale=60.0) as made:
        rollout = await made.begin()
        await made.until(lambda: bool(rollout.in_flight))
        yield made


async def _read(there: Office, who: str) -> dict[str, tuple[int, bytes]]:
    """What every path answers that only reads, by machine and rollout; of a stream, what comes at once."""
    (rollout,) = there.desk.house.log.scope.rollouts
    told: dict[str, tuple[int, bytes]] = {}
    for route in ROUTES:
        if route.method != "GET":
            continue
        for machine in ("a1", "b1") if "{name}" in route.path else ("",):
            path = route.path.replace("{id}", rollout).replace("{name}", machine)
            got = b""
            with suppress(TimeoutError):
                async with (
                    asyncio.timeout(0.5),
                    there.client.get(
                        f"{there.url}/api/v1{path}",
                        headers={"X-Who": who},
                        params=_NEEDED.get(route.path, {}),
                    ) as answer,
                ):
                    told[path] = (answer.status, got)
                    async for part in answer.content.iter_any():
                        got += part
                        told[path] = (answer.status, got)
    return told


_NEEDED = {"/events": {"after": "0"}}


async def test_machines_of_others_are_named_by_what_tells_of_the_rollout_as_a_whole_alone(
    there: Office,
) -> None:
    """Its status, what may be done and its chart, since its halt is everybody's who is in it; on no other path, in whatever way."""
    told = await _read(there, "ann")
    named = {path for path, (_, body) in told.items() if "/b1" not in path and OTHERS.search(body)}
    (rollout,) = there.desk.house.log.scope.rollouts
    whole = {f"/rollouts/{rollout}{what}" for what in ("", "/acts", "/chart", "/standing")}
    assert named <= whole | {"/whereabouts"}
    assert {path: body for path, (status, body) in told.items() if "/b1" in path and status != 404} == {}
    assert any(b'"a1"' in body for _, body in told.values())


@pytest.mark.parametrize("who", ["nobody", "olga"])
async def test_whoever_may_see_nothing_sees_nothing(there: Office, who: str) -> None:
    """Neither names nor numbers."""
    told = await _read(there, who)
    seen = {
        path: body
        for path, (_, body) in told.items()
        if re.search(rb"\b[ab][1-4]\b|monthly", re.sub(rb"no rollout \S+|no machine \S+", b"", body))
    }
    assert seen == {}


async def test_whoever_operates_one_machine_may_pause_and_leaves_the_rest_to_others(there: Office) -> None:
    """Its button works, the others say why not; and so it is."""
    (rollout,) = there.desk.house.log.scope.rollouts
    _, told = await there.get(f"/rollouts/{rollout}/acts", "ann")
    why_not = {one["verb"]: one["why_not"] for one in told["items"]}
    assert why_not.pop("pause") == ""
    assert why_not.pop("emergency") == "`emergency` takes the role admin, and ann is operator"
    assert {why.partition(";")[0] for why in why_not.values()} == {"ann is operator for machines with app=a"}
    how = {"json": {"reason": "it hurts"}, "headers": {"Idempotency-Key": "p"}}
    status, told = await there.ask("POST", f"/rollouts/{rollout}/pause", "ann", **how)
    assert (status, told["facts"]) == (200, ["paused by ann: it hurts"])
    how["headers"] = {"Idempotency-Key": "r"}
    assert (await there.ask("POST", f"/rollouts/{rollout}/resume", "ann", **how))[0] == 403


async def test_an_act_that_is_denied_is_logged(there: Office) -> None:
    """Who, what, on which machine, and why; what may not be seen isn't there, and is no attempt to be told of."""
    (rollout,) = there.desk.house.log.scope.rollouts
    how = {"json": {"reason": "x"}, "headers": {"Idempotency-Key": "k"}}
    with structlog.testing.capture_logs() as logs:
        assert (await there.ask("POST", f"/rollouts/{rollout}/resume", "ann", **how))[0] == 403
        assert (await there.ask("POST", f"/rollouts/{rollout}/machines/b1/retry", "ann", **how))[0] == 404
    (told,) = [one for one in logs if one["event"] == "denied"]
    assert (told["who"], told["verb"], told["path"]) == ("ann", "resume", {"id": rollout})
    assert told["why"].startswith("ann is operator for machines with app=a; ")
