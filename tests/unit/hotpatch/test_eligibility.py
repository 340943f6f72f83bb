"""Which machines can get hotpatches at all."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.hotpatch.eligibility import READ, client_of, eligibility, product_of
from orchestrator.hotpatch.model import Answer, Product
from orchestrator.inventory.model import Image, Kind, Machine, Os
from tests.fleet import vm

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
WS2022, WS2025 = Product.WS2022, Product.WS2025
SERVER = ("MicrosoftWindowsServer", "WindowsServer")


def azure(publisher: str, offer: str, sku: str) -> Machine:
    """A virtual machine made from an image."""
    return vm("a", os=Os.WINDOWS, image=Image(publisher, offer, sku))


def arc(**facts: Any) -> Machine:
    """A server under Arc that could be hotpatched, unless the facts say otherwise."""
    good = {
        "kind": Kind.ARC,
        "os": Os.WINDOWS,
        "os_name": "Windows Server 2025 Datacenter",
        "os_version": "10.0.26100.32690",
        "os_edition": "serverdatacenter",
    }
    return vm("a", **{**good, **facts})


@pytest.mark.parametrize(
    ("sku", "answer", "product"),
    [
        ("2022-datacenter-azure-edition-core", YES, WS2022),
        ("2022-Datacenter-Azure-Edition-Core-smalldisk", YES, WS2022),
        ("2022-Datacenter-Azure-Edition-Hotpatch", YES, WS2022),
        ("2022-datacenter-azure-edition-hotpatch-smalldisk", YES, WS2022),
        ("2025-Datacenter-Azure-Edition", YES, WS2025),
        ("2025-datacenter-azure-edition-smalldisk", YES, WS2025),
        ("2025-DATACENTER-AZURE-EDITION-CORE", YES, WS2025),
        ("2025-datacenter-azure-edition-core-smalldisk", YES, WS2025),
        ("2022-datacenter-azure-edition", NO, WS2022),
        ("2022-Datacenter-Azure-Edition-smalldisk", NO, WS2022),
        ("2022-datacenter", NO, WS2022),
        ("2022-datacenter-g2", NO, WS2022),
        ("2025-datacenter", NO, WS2025),
        ("2025-datacenter-core-smalldisk-g2", NO, WS2025),
        ("2019-Datacenter-gensecond", NO, None),
        ("2016-datacenter", NO, None),
    ],
)
def test_images_of_windows_server(sku: str, answer: Answer, product: Product | None) -> None:
    """Case is no matter; each image but those that are listed isn't hotpatched."""
    told = eligibility(azure(*SERVER, sku))

    assert (told.answer, told.product) == (answer, product)


class Watched:
    """A machine, or its image, that notes what is read of it."""

    def __init__(self, held: object, seen: set[str], path: str = "") -> None:
        self._told = held, seen, path

    def __getattr__(self, name: str) -> Any:
        """The value; what is plain is noted by its path."""
        held, seen, path = self._told
        value = getattr(held, name)
        if isinstance(value, Image):
            return Watched(value, seen, f"{name}.")
        seen.add(path + name)
        return value


@pytest.mark.parametrize(
    "machine",
    [
        vm("a"),
        vm("a", os=Os.WINDOWS),
        vm("a", os=Os.WINDOWS, image=Image(id="/custom")),
        azure(*SERVER, "2022-datacenter-azure-edition-core"),
        azure(*SERVER, "2022-datacenter-azure-edition"),
        azure("MicrosoftWindowsDesktop", "windows-11", "win11-24h2-ent"),
        arc(),
        arc(os_name=None, os_version=None),
        arc(os_edition="serverweb", vbs=False),
        arc(kind=Kind.AZURE_LOCAL, os_name="Windows Server 2025 Datacenter: Azure Edition"),
    ],
)
def test_machines_that_say_the_same_are_as_eligible(machine: Machine) -> None:
    """`READ` leaves nothing out, so that an answer may stand for all of them."""
    seen: set[str] = set()
    watched: Any = Watched(machine, seen)

    assert eligibility(watched) == eligibility(machine)
    listed: set[str] = set()
    READ(Watched(machine, listed))
    assert seen <= listed


def test_the_desktop_of_2022_is_told_what_would_be_hotpatched() -> None:
    """It looks as if it could."""
    why = eligibility(azure(*SERVER, "2022-datacenter-azure-edition")).why

    assert "desktop of 2022 Azure Edition" in why
    assert "-hotpatch" in why


@pytest.mark.parametrize(
    ("machine", "answer"),
    [
        (
            azure(
                "microsoftwindowsserver",
                "WindowsServerHotpatch-previews",
                "windows-server-2022-azure-edition-hotpatch",
            ),
            YES,
        ),
        (
            azure(
                "MicrosoftWindowsServer",
                "microsoftserveroperatingsystems-previews",
                "windows-server-2025-azure-edition-hotpatch",
            ),
            YES,
        ),
        (azure("contoso", "WindowsServer", "2025-datacenter-azure-edition"), NO),
        (azure("MicrosoftWindowsServer", "WindowsServerSemiAnnual", "2025-datacenter-azure-edition"), NO),
        (vm("a", os=Os.WINDOWS, image=Image(id="/galleries/g/images/i")), NO),
        (vm("a", os=Os.WINDOWS), UNKNOWN),
        (vm("a", os=Os.UNKNOWN), UNKNOWN),
        (vm("a", os=Os.LINUX, image=Image("canonical", "ubuntu", "22_04-lts")), NO),
    ],
)
def test_other_images(machine: Machine, answer: Answer) -> None:
    """Previews count; a custom image doesn't, and one that nobody tells isn't taken for either."""
    assert eligibility(machine).answer is answer


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, YES),
        ({"os_edition": "ServerStandardCore"}, YES),
        ({"os_version": "10.0.26100.1742"}, YES),
        ({"vbs": True}, YES),
        ({"os_edition": None}, YES),
        ({"os_version": "10.0.26100.1741"}, NO),
        ({"os_version": "10.0.26100"}, YES),
        ({"os_version": "10.0.20348.5139", "os_name": "Windows Server 2022 Datacenter"}, NO),
        ({"os_version": None, "os_name": "Windows Server 2022 Datacenter"}, NO),
        ({"os_edition": "serverdatacenteressentials"}, NO),
        ({"vbs": False}, NO),
        ({"os_version": None}, UNKNOWN),
        ({"os": Os.UNKNOWN}, UNKNOWN),
        ({"os": Os.LINUX, "os_name": "ubuntu"}, NO),
        ({"os_name": "Windows Server 2025 Datacenter: Azure Edition"}, UNKNOWN),
    ],
)
def test_servers_under_arc(facts: dict[str, Any], answer: Answer) -> None:
    """Edition, build and virtualization-based security; whatever isn't told is no yes where it decides."""
    assert eligibility(arc(**facts)).answer is answer


@pytest.mark.parametrize(
    ("machine", "called"),
    [
        (azure("MicrosoftWindowsDesktop", "windows-11", "win11-24h2-ent"), "Windows 11"),
        (azure("MicrosoftWindowsDesktop", "office-365", "win11-24h2-avd-m365"), "Windows 11"),
        (azure("MicrosoftWindowsDesktop", "windows-10", "win10-22h2-ent"), "Windows 10"),
        (arc(os_name="Windows 11 Enterprise", os_edition="enterprise"), "Windows 11 Enterprise"),
        (azure(*SERVER, "2025-datacenter"), ""),
    ],
)
def test_clients_are_recognised(machine: Machine, called: str) -> None:
    """Windows 11 24H2 has the build of Windows Server 2025, and is none."""
    assert client_of(machine) == called
    if called:
        told = eligibility(machine)
        assert (told.answer, told.product, product_of(machine)) == (NO, None, None)
        assert "Intune" in told.why


@pytest.mark.parametrize(
    ("facts", "answer", "told"),
    [
        ({"os_name": "Windows Server 2025 Datacenter: Azure Edition"}, YES, "Group Policy"),
        (
            {"os_name": "Windows Server 2022 Datacenter: Azure Edition", "os_version": "10.0.20348.5139"},
            YES,
            "Azure isn't told",
        ),
        ({}, YES, "under Arc"),
        ({"os_name": "Windows Server 2022 Standard", "os_version": "10.0.20348.5139"}, NO, "20348"),
    ],
)
def test_machines_of_azure_local(facts: dict[str, Any], answer: Answer, told: str) -> None:
    """Azure Edition hotpatches itself there; any other is as under Arc."""
    found = eligibility(arc(kind=Kind.AZURE_LOCAL, **facts))

    assert found.answer is answer
    assert told in found.why
