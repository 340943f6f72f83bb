"""Region pairs where the source is silent."""

from __future__ import annotations

from orchestrator.inventory.model import Location
from orchestrator.inventory.regions import PAIRED, with_regions
from tests.fleet import availability_set, inventory, vm


def test_regions_that_nobody_described_come_from_the_table() -> None:
    """Also those in which only a set stands; regions without machines don't come up."""
    fleet = inventory(vm("a", location="uksouth"), availability_sets=(availability_set("as"),))

    assert with_regions(fleet).locations == (
        Location("uksouth", ("ukwest",)),
        Location("westeurope", ("northeurope",)),
    )


def test_what_the_source_says_goes_before_the_table() -> None:
    """A pair that Azure tells is believed; a region it describes without a pair is treated as the table has it."""
    told = (Location("uksouth", ("atlantis",)), Location("westeurope", (), {"s": {"1": "westeurope-az1"}}))
    fleet = inventory(vm("a", location="uksouth"), vm("b"), locations=told)

    assert with_regions(fleet).locations == (
        Location("uksouth", ("atlantis",)),
        Location("westeurope", ("northeurope",), {"s": {"1": "westeurope-az1"}}),
    )


def test_a_region_that_is_in_no_table_stays_undescribed() -> None:
    """No pair is made up for it."""
    assert with_regions(inventory(vm("a", location="atlantis"))).locations == ()


def test_a_known_region_without_a_pair_is_described() -> None:
    """To have no pair is a fact; not to know one isn't."""
    assert with_regions(inventory(vm("a", location="polandcentral"))).locations == (
        Location("polandcentral"),
    )


def test_one_way_pairs_stay_one_way() -> None:
    """Brazil South names South Central US, which names North Central US."""
    assert (PAIRED["brazilsouth"], PAIRED["southcentralus"]) == (("southcentralus",), ("northcentralus",))
    assert (PAIRED["westus3"], PAIRED["eastus"]) == (("eastus",), ("westus",))


def test_every_pair_leads_to_a_region_of_the_table() -> None:
    """A misspelt region would be a pair that never holds."""
    assert [other for pairs in PAIRED.values() for other in pairs if other not in PAIRED] == []
