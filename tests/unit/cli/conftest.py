"""A small company in a folder of its own, and the command line to type at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.cli.main import run
from orchestrator.inventory import native
from orchestrator.inventory.model import Agent, Inventory, Os, Power
from tests.fleet import availability_set, inventory, set_id, vm


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its output, as a program reads it."""
        return orjson.loads(self.out)


Typed = Callable[..., Ran]


@pytest.fixture
def wavekeeper(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Typed:
    """Types a command, in process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAVEKEEPER_ASSESSMENTS", str(tmp_path / "assessments.jsonl"))

    def typed(*words: object) -> Ran:
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return typed


def company() -> Inventory:
    """Twelve machines: seven web servers in three zones, a database set of three, two in the paired region, one of them off."""
    shop = {"app": "shop", "patching": "monthly"}
    return inventory(
        *(
            vm(f"web-{n}", zone=str((n - 1) % 3 + 1), os=Os.LINUX, tags={**shop, "tier": "web"})
            for n in range(1, 8)
        ),
        *(
            vm(
                f"db-{n}",
                availability_set=set_id("as-db"),
                update_domain=n - 1,
                os=Os.WINDOWS,
                tags={**shop, "tier": "db"},
            )
            for n in range(1, 4)
        ),
        vm("far-1", location="northeurope", agent=Agent.UNKNOWN, tags=shop),
        vm("far-2", location="northeurope", os=Os.UNKNOWN, power=Power.DEALLOCATED, tags=shop),
        availability_sets=(availability_set("as-db", "db-1", "db-2", "db-3", update_domains=5),),
    )


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    """The company, kept in a file."""
    (tmp_path / "fleet.json").write_bytes(native.dump(company()))
    return "fleet.json"


SHOP = """\
version: 1
name: shop
select: {tags: {app: shop}}
rules:
  - {max_unavailable: 1, of: {tags: {tier: web}}}
  - {order: [{tags: {tier: db}}, {tags: {tier: web}}]}
"""

MONTHLY = """\
version: 1
name: monthly
select: {tags: {patching: monthly}}
change: {patches: {}}
"""


@pytest.fixture
def policies(tmp_path: Path) -> str:
    """A folder with rules and a campaign."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "shop.yaml").write_text(SHOP)
    (folder / "monthly.yaml").write_text(MONTHLY)
    return "rules"


@pytest.fixture
def plan(wavekeeper: Typed, fleet: str, policies: str) -> str:
    """A plan of the company's monthly patches."""
    assert wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "plan.json").code == 0
    return "plan.json"
