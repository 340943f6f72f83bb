"""Whose machines are whose is known right after a start as well, by what the daemon before has kept of the fleet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog

from orchestrator.access.decide import may
from orchestrator.access.model import About, Grant, Person, Reach, Role, Verb
from orchestrator.access.settings import Access, Rule, TokenEntry
from orchestrator.daemon.desk import DaemonDesk
from orchestrator.daemon.fleet import Fleet, Known
from orchestrator.daemon.tags import FILE, Tagged, keep, remembered
from orchestrator.executor.services import at_once
from orchestrator.inventory import native
from tests.fleet import inventory, vm, vm_id

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SHOP = Grant(Role.OPERATOR, Reach(tags=(("Team", ("shop",)),)))
ACCESS = Access(
    rules=(Rule((("groups", ("shop",)),), SHOP),),
    tokens=(TokenEntry("ci", b"", NOON, Grant(Role.VIEWER, Reach(tags=(("tier", ("web",)),)))),),
)
FLEET = Known(
    inventory(
        vm("a", tags={"team": "shop", "note": "call 555"}),
        vm("b", tags={"TIER": "web"}),
        vm("c", tags={"note": "x"}),
    ),
    b"",
    NOON,
)


def desk(state: Path, fleet: Known | None = None) -> DaemonDesk:
    """That of a daemon that has just been started."""
    config = SimpleNamespace(journal=state / "journal.db", state=state)
    daemon: Any = SimpleNamespace(config=config, fleet=SimpleNamespace(known=fleet))
    return DaemonDesk(daemon)


def test_what_roles_are_for_is_kept_with_when_it_was_read(tmp_path: Path) -> None:
    """And nothing else of what people write into tags."""
    keep(tmp_path, FLEET, ACCESS)
    assert remembered(tmp_path) == Tagged(NOON, {vm_id("a"): {"team": "shop"}, vm_id("b"): {"TIER": "web"}})
    assert b"555" not in (tmp_path / FILE).read_bytes()


def test_while_the_cloud_does_not_answer_who_operates_a_machine_may_pause(tmp_path: Path) -> None:
    """The log says of when the tags are."""
    anna = Person("anna", (SHOP,), "1")
    keep(tmp_path, FLEET, ACCESS)
    with structlog.testing.capture_logs() as logs:
        there = desk(tmp_path)
    assert [one["read_at"] for one in logs] == [NOON]
    assert may(anna, Verb.PAUSE, About("monthly", [there.tags(vm_id("a")), there.tags(vm_id("b"))]))
    assert not may(anna, Verb.VIEW, About("monthly", [there.tags(vm_id("b"))]))


def test_once_the_fleet_is_read_its_tags_alone_count(tmp_path: Path) -> None:
    """Whoever lost a machine meanwhile has lost it."""
    keep(tmp_path, FLEET, ACCESS)
    there = desk(tmp_path)
    there.daemon.fleet.known = Known(inventory(vm("b", tags={"team": "pay"})), b"", NOON)
    assert (there.tags(vm_id("a")), there.tags(vm_id("b"))) == ({}, {"team": "pay"})


@pytest.mark.parametrize("held", [None, b"", b"[]", b'{"at": 3, "tags": {}}', b'{"tags": {"a": {}}}'])
def test_without_a_file_that_can_be_read_nobody_has_a_machine(tmp_path: Path, held: bytes | None) -> None:
    """And the daemon starts all the same."""
    if held is not None:
        (tmp_path / FILE).write_bytes(held)
    assert desk(tmp_path).tags(vm_id("a")) == {}


def test_what_can_not_be_written_is_logged_and_what_was_there_stays(tmp_path: Path) -> None:
    """The fleet was read: nothing fails by it."""
    (tmp_path / f".{FILE}.part").mkdir()
    (tmp_path / FILE).write_bytes(orjson.dumps({"at": NOON, "tags": {}}))
    with structlog.testing.capture_logs() as logs:
        keep(tmp_path, FLEET, ACCESS)
    assert [one["log_level"] for one in logs] == ["warning"]
    assert remembered(tmp_path) == Tagged(NOON, {})


async def test_each_reading_of_the_fleet_is_kept() -> None:
    """Once: one that is young enough isn't read again."""
    kept: list[Known] = []
    now = [NOON]

    async def ask(_: object) -> bytes:
        return native.dump(FLEET.inventory)

    fleet = Fleet(ask, lambda: now[0], at_once, kept.append)
    for _ in range(2):
        await fleet.younger((), timedelta(minutes=1))
    now[0] += timedelta(hours=1)
    await fleet.younger((), timedelta(minutes=1))
    assert [one.at for one in kept] == [NOON, NOON + timedelta(hours=1)]
