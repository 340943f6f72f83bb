"""Whether a machine can get hotpatches at all: by its image, or by its edition, build and virtualization-based security.

On Azure the image decides: publisher, offer and SKU, without regard to case. The trap among them is Windows Server 2022 Azure Edition
with a desktop, which can't, though its Core image can, the image named "hotpatch" can, and 2025's desktop can. Under Arc it is
Windows Server 2025 Standard or Datacenter. Windows 11 has hotpatches too, which only Intune and Windows Autopatch deliver.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Final

from orchestrator.hotpatch.model import Answer, Eligibility, Product, Way
from orchestrator.inventory.model import Image, Kind, Machine, Os

_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

_SERVER: Final = ("microsoftwindowsserver", "windowsserver")

_IMAGES: Final = {
    **{
        (*_SERVER, f"2022-datacenter-azure-edition-{kind}{disk}"): Product.WS2022
        for kind in ("core", "hotpatch")
        for disk in ("", "-smalldisk")
    },
    **{
        (*_SERVER, f"2025-datacenter-azure-edition{kind}{disk}"): Product.WS2025
        for kind in ("", "-core")
        for disk in ("", "-smalldisk")
    },
    (
        "microsoftwindowsserver",
        "windowsserverhotpatch-previews",
        "windows-server-2022-azure-edition-hotpatch",
    ): Product.WS2022,
    (
        "microsoftwindowsserver",
        "microsoftserveroperatingsystems-previews",
        "windows-server-2025-azure-edition-hotpatch",
    ): Product.WS2025,
}

_DESKTOP_2022: Final = re.compile(r"2022-datacenter-azure-edition(-smalldisk)?")

ARC_BUILD: Final = 26100, 1742
"""The first build of Windows Server 2025 that hotpatches under Arc."""

_ARC_EDITIONS: Final = frozenset(
    {
        "serverstandard",
        "serverstandardcore",
        "serverstandardeval",
        "serverdatacenter",
        "serverdatacentercore",
        "serverdatacentereval",
    }
)

_VERSION: Final = re.compile(r"10\.0\.(\d+)(?:\.(\d+))?")
_PRODUCTS: Final = {20348: Product.WS2022, 26100: Product.WS2025}
_BASES: Final = {product: base for base, product in _PRODUCTS.items()}


READ: Final = attrgetter(
    "os._value_",
    "kind._value_",
    "image.publisher",
    "image.offer",
    "image.sku",
    "image.id",
    "os_name",
    "os_version",
    "os_edition",
    "vbs",
)
"""All that `eligibility` reads of a machine, as plain values whose hashes are remembered: who says the same is as eligible."""


def eligibility(machine: Machine) -> Eligibility:
    """Whether the machine can get hotpatches, and why."""
    if machine.os is Os.LINUX:
        return Eligibility(_NO, "hotpatches are a thing of Windows")
    if client := client_of(machine):
        return Eligibility(
            _NO,
            f"{client} gets its hotpatches from Intune or Windows Autopatch, and none by Azure Update Manager",
        )
    if machine.kind is Kind.AZURE_VM:
        return _of_image(machine.image, product_of(machine))
    if _is_azure_edition(machine):
        return _azure_edition(machine)
    return _under_arc(machine)


def client_of(machine: Machine) -> str:
    """What a Windows client calls itself, such as `Windows 11 Enterprise`; empty for whatever is none.

    Azure Update Manager patches no clients. They can be restarted, and run commands.
    """
    name = machine.os_name or ""
    if name.lower().startswith(("windows 10", "windows 11")):
        return name
    if machine.image.publisher.lower() == "microsoftwindowsdesktop":
        eleven = "11" in machine.image.offer or "win11" in machine.image.sku.lower()
        return "Windows 11" if eleven else "Windows 10"
    return ""


def product_of(machine: Machine) -> Product | None:
    """Which of the two products a machine runs, hotpatched or not; None for others, and where nobody tells."""
    image = machine.image
    sku = image.sku.lower()
    for product in Product:
        if sku.startswith(product.value[-4:]) or f"server-{product.value[-4:]}" in sku:
            return product
        if (machine.os_name or "").startswith(product.named):
            return product
    if client_of(machine):
        return None
    base, _ = build_of(machine)
    return _PRODUCTS.get(base) if base is not None else None


def build_of(machine: Machine) -> tuple[int | None, int | None]:
    """Both parts of a build: `26100` and `32690` of `10.0.26100.32690`. None: not told."""
    found = _VERSION.fullmatch(machine.os_version or "")
    if found is None:
        return None, None
    base, revision = found.groups()
    return int(base), int(revision) if revision is not None else None


def base_of(product: Product) -> int:
    """The first part of a product's builds."""
    return _BASES[product]


def _of_image(image: Image, product: Product | None) -> Eligibility:
    if image.id is not None:
        return Eligibility(
            _NO, "it was made from a custom image, and only Microsoft's own are hotpatched", product
        )
    if not image.sku:
        return Eligibility(_UNKNOWN, "its image isn't told", product)
    triple = image.publisher.lower(), image.offer.lower(), image.sku.lower()
    if triple in _IMAGES:
        return Eligibility(_YES, f"its image is {image.sku}", _IMAGES[triple])
    if triple[:2] == _SERVER and _DESKTOP_2022.fullmatch(triple[2]):
        why = (
            f"{image.sku} is the desktop of 2022 Azure Edition, which isn't hotpatched; "
            "its images whose names go on with -core or -hotpatch are, and those of 2025"
        )
        return Eligibility(_NO, why, Product.WS2022)
    return Eligibility(_NO, f"its image, {image.sku}, isn't one that is hotpatched", product)


def _is_azure_edition(machine: Machine) -> bool:
    return (
        "azure edition" in (machine.os_name or "").lower() or "turbine" in (machine.os_edition or "").lower()
    )


def _azure_edition(machine: Machine) -> Eligibility:
    """Azure Edition outside Azure runs on Azure Local, and is hotpatched there without a license."""
    if machine.kind is not Kind.AZURE_LOCAL:
        return Eligibility(
            _UNKNOWN,
            f"{machine.os_name or 'Azure Edition'} is for Azure and Azure Local alone",
            product_of(machine),
        )
    product = product_of(machine)
    if product is None:
        return Eligibility(_UNKNOWN, "which Azure Edition it runs isn't told")
    why = (
        f"{product.named} Azure Edition on Azure Local is hotpatched by itself: Group Policy, SConfig or "
        "a tool of your own installs, and Azure isn't told whether it is on the track"
    )
    return Eligibility(_YES, why, product, Way.AZURE_LOCAL)


def _under_arc(machine: Machine) -> Eligibility:
    product = product_of(machine)
    base, revision = build_of(machine)
    if machine.os is not Os.WINDOWS:
        return Eligibility(_UNKNOWN, "its operating system isn't told", product)
    if base is not None and base != ARC_BUILD[0]:
        return Eligibility(
            _NO, f"under Arc only Windows Server 2025 is hotpatched, and this is build {base}", product
        )
    if product is Product.WS2022:
        return Eligibility(_NO, "under Arc only Windows Server 2025 is hotpatched, and this is 2022", product)
    edition = (machine.os_edition or "").lower()
    if edition and edition not in _ARC_EDITIONS:
        return Eligibility(
            _NO, f"under Arc only Standard and Datacenter are hotpatched, and this is {edition}", product
        )
    if base is not None and revision is not None and revision < ARC_BUILD[1]:
        why = f"build {base}.{revision} is older than {ARC_BUILD[0]}.{ARC_BUILD[1]}, the first that hotpatches under Arc"
        return Eligibility(_NO, why, product)
    if machine.vbs is False:
        return Eligibility(
            _NO, "virtualization-based security doesn't run on it, which hotpatching needs", product
        )
    if base is None or not (edition or product):
        return Eligibility(_UNKNOWN, "its edition or its build isn't told", product)
    return Eligibility(_YES, "Windows Server 2025 under Arc", Product.WS2025, Way.ARC)
