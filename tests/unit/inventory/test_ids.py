"""What an ARM id says by itself."""

from __future__ import annotations

import pytest

from orchestrator.inventory import ids

VM = "/subscriptions/S1/resourceGroups/RG1/providers/Microsoft.Compute/virtualMachines/Web01"
INSTANCE = "/subscriptions/S1/resourceGroups/RG1/providers/Microsoft.Compute/virtualMachineScaleSets/ss/virtualMachines/0"


def test_an_id_names_its_subscription_and_group_in_lower_case() -> None:
    """Subscription and resource group compare without regard to case, so they are lower case; the name is as spelt."""
    told = (ids.subscription_of(VM), ids.resource_group_of(VM), ids.name_of(VM))

    assert told == ("s1", "rg1", "Web01")


def test_an_id_that_names_nothing_gives_empty_strings() -> None:
    """What isn't in an id is empty, never an error."""
    told = (ids.subscription_of("web01"), ids.resource_group_of("web01"), ids.type_of("web01"))

    assert told == ("", "", "")


@pytest.mark.parametrize(
    ("arm_id", "expected"),
    [
        (VM, "microsoft.compute/virtualmachines"),
        (VM + "/", "microsoft.compute/virtualmachines"),
        (INSTANCE, "microsoft.compute/virtualmachinescalesets/virtualmachines"),
        ("/subscriptions/S1/resourceGroups/RG1", ""),
        ("/subscriptions/S1/providers/Microsoft.Compute", ""),
        (
            VM + "/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
            "microsoft.resourcehealth/availabilitystatuses",
        ),
    ],
)
def test_the_type_is_read_off_the_id(arm_id: str, expected: str) -> None:
    """The type of the last provider in an id, nested types included."""
    assert expected == ids.type_of(arm_id)


def test_the_parent_of_an_instance_is_its_scale_set() -> None:
    """An instance of a Uniform scale set is a child resource."""
    assert ids.name_of(ids.parent_of(INSTANCE)) == "ss"


def test_regions_have_one_spelling() -> None:
    """Display names and names of regions are the same region."""
    assert ids.region_name("West Europe") == ids.region_name("westeurope")
