"""What a company runs, as a table: Brindlemark, a retailer of furniture that doesn't exist.

A row is one tier of one application: where it stands, how many there are, what they run on, who owns them. The counts add up to
`MACHINES`; a smaller or larger company keeps the proportions and the quorums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from orchestrator.inventory.model import Image, Kind, Os

WEST, NORTH = "westeurope", "northeurope"
SHORT: Final = MappingProxyType({WEST: "weu", NORTH: "neu"})
"""Regions as names of machines begin."""

PROD, SHARED = "prod", "shared"
SUBSCRIPTIONS: Final = MappingProxyType(
    {
        PROD: "6f2c1e90-7c9e-4e63-9f0a-2d8c51e7a001",
        SHARED: "b81d47aa-3a05-4b7d-8e16-90cf4d12b002",
    }
)

EDR_OLD, EDR_NEW = "palisade-4", "palisade-5"
"""Two versions of the endpoint protection that every server runs. The story's bad update doesn't get on with the old one."""


class Place(Enum):
    """How the machines of a tier stand in their region."""

    ZONES = "spread over three zones"
    SET = "in an availability set"
    SCALE_SET = "in a Flexible scale set"
    NOWHERE = "in no set and no zone"


@dataclass(frozen=True, slots=True)
class Build:
    """What machines are made from."""

    os: Os
    image: Image
    size: str
    patch_mode: str = "AutomaticByPlatform"


def _windows(sku: str, version: str, size: str) -> Build:
    return Build(Os.WINDOWS, Image("MicrosoftWindowsServer", "WindowsServer", sku, version), size)


def _ubuntu(size: str) -> Build:
    image = Image("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202610140")
    return Build(Os.LINUX, image, size)


def _red_hat(size: str) -> Build:
    return Build(Os.LINUX, Image("RedHat", "RHEL", "9-lvm-gen2", "9.4.2026101311"), size)


_WINDOWS_2019 = ("2019-Datacenter-gensecond", "17763.8024.261009")
_WINDOWS_2022 = ("2022-datacenter-g2", "20348.4405.261009")
_WINDOWS_2025 = ("2025-datacenter-azure-edition", "26100.7171.261009")
HOTPATCHED: Final = frozenset({_WINDOWS_2025[0]})
"""SKUs whose machines have hotpatching turned on."""
_APPLIANCE = Build(Os.LINUX, Image("ferrule-networks", "ferrule-gate", "gate-7", "7.2.1"), "Standard_F4s_v2")


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of one application. `code` is the middle of its machines' names.

    `counts` are machines by region; `fixed` ones don't grow with the company. `canaries` of each region offer
    themselves as the first to be patched. `old_edr` is the share that still runs the old endpoint protection.
    """

    code: str
    app: str
    tier: str
    owner: str
    counts: Mapping[str, int]
    place: Place
    build: Build
    subscription: str = PROD
    env: str = "prod"
    fixed: bool = False
    health: bool = False  # has the Application Health extension
    canaries: int = 0
    old_edr: float = 0.0
    patching: str = "monthly"
    agent: bool = True
    pool: str = ""  # the load balancer's back-end pool in each region, such as `lb-shop/web`
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    kind: Kind = Kind.AZURE_VM


def _both(west: int, north: int) -> Mapping[str, int]:
    return MappingProxyType({WEST: west, NORTH: north})


TIERS: Final = (
    # The shop: web and api servers over three zones, and a database that needs two of its three nodes.
    Tier(
        "shop-web", "shop", "web", "shop-team", _both(21, 15), Place.ZONES, _ubuntu("Standard_D4as_v5"),
        health=True, canaries=1, pool="lb-shop/web",
    ),
    Tier(
        "shop-api", "shop", "api", "shop-team", _both(15, 12), Place.ZONES,
        _windows(*_WINDOWS_2022, "Standard_D8as_v5"), canaries=1, old_edr=0.6, pool="lb-shop/api",
    ),
    Tier(
        "shop-db", "shop", "db", "shop-team", _both(3, 3), Place.ZONES, _red_hat("Standard_E16ds_v5"), fixed=True,
        tags={"cluster": "shop-db"},
    ),
    # The message broker: five nodes, three of which make a quorum.
    Tier(
        "broker", "broker", "queue", "messaging", {WEST: 5}, Place.ZONES, _ubuntu("Standard_E4as_v5"), fixed=True,
        tags={"cluster": "broker"},
    ),
    # Payments, which are older than zones: an availability set in each region.
    Tier(
        "pay", "payments", "app", "payments", _both(12, 10), Place.SET,
        _windows(*_WINDOWS_2019, "Standard_D4s_v5"), old_edr=1.0, pool="lb-pay/app",
    ),
    # Product search: one Flexible scale set.
    Tier(
        "search", "search", "app", "shop-team", {WEST: 24}, Place.SCALE_SET, _ubuntu("Standard_D8as_v5"),
        health=True, canaries=1,
    ),
    # The warehouse's system and what the board reads, in availability sets.
    Tier(
        "wms", "warehouse", "app", "logistics", _both(8, 9), Place.SET,
        _windows(*_WINDOWS_2019, "Standard_E8s_v5"), old_edr=1.0,
    ),
    Tier(
        "bi", "reporting", "app", "finance", {NORTH: 15}, Place.SET, _windows(*_WINDOWS_2022, "Standard_E8as_v5"),
        old_edr=0.2,
    ),
    Tier(
        "lake", "analytics", "worker", "data", {NORTH: 18}, Place.ZONES, _ubuntu("Standard_E16as_v5"), canaries=1,
    ),
    Tier(
        "media", "media", "web", "shop-team", _both(12, 9), Place.ZONES, _ubuntu("Standard_F4s_v2"),
        health=True, canaries=1, pool="agw-media/web",
    ),
    # The intranet is the one that is hotpatched: most months its machines don't restart.
    Tier(
        "intra", "intranet", "web", "workplace", _both(8, 6), Place.ZONES, _windows(*_WINDOWS_2025, "Standard_D4as_v5"),
    ),
    # Domain controllers, desktops and whatever else everybody shares.
    Tier(
        "dc", "directory", "dc", "identity", _both(3, 3), Place.ZONES, _windows(*_WINDOWS_2022, "Standard_D2s_v5"),
        SHARED, fixed=True, tags={"role": "dc", "ad-domain": "corp.brindlemark.example"},
    ),
    Tier(
        "desk", "desktops", "session", "workplace", _both(15, 9), Place.ZONES,
        _windows(*_WINDOWS_2022, "Standard_D16as_v5"), SHARED, old_edr=0.4,
    ),
    Tier(
        "build", "build-farm", "agent", "platform", {WEST: 24}, Place.NOWHERE, _ubuntu("Standard_F8s_v2"), SHARED,
        "build", canaries=1,
    ),
    Tier(
        "wbuild", "build-farm", "agent", "platform", {WEST: 8}, Place.NOWHERE,
        _windows(*_WINDOWS_2022, "Standard_F8s_v2"), SHARED, "build",
    ),
    Tier("mon", "monitoring", "app", "platform", _both(3, 3), Place.NOWHERE, _ubuntu("Standard_D4as_v5"), SHARED),
    Tier(
        "jump", "jump-hosts", "host", "platform", _both(2, 2), Place.NOWHERE,
        _windows(*_WINDOWS_2022, "Standard_B2ms"), SHARED,
    ),
    # File servers stand in the offices themselves, and Azure Arc connects them.
    Tier(
        "file", "files", "app", "workplace", _both(2, 2), Place.NOWHERE,
        Build(Os.WINDOWS, Image(), ""), SHARED, old_edr=1.0, kind=Kind.ARC,
    ),
    # Gateways that their vendor patches: they run no Azure agent, and no campaign selects them.
    Tier(
        "gate", "network", "gateway", "network", _both(1, 1), Place.NOWHERE, _APPLIANCE, SHARED, fixed=True,
        patching="vendor", agent=False,
    ),
    Tier(
        "test", "shop", "test", "shop-team", {NORTH: 17}, Place.NOWHERE, _ubuntu("Standard_B2s"), SHARED, "test",
    ),
)  # fmt: skip

MACHINES: Final = sum(sum(tier.counts.values()) for tier in TIERS)
"""How many machines the company has."""
