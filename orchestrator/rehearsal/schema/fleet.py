"""A fleet for tests, written inline, and the situation that it is in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.hotpatch.model import Restarts
from orchestrator.inventory.model import Kind, Os
from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import Count, OneOrMany, Text, one_of
from orchestrator.rehearsal.values import Domain, Moment, Names, Of

REGION = "westeurope"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
RESOURCE_GROUP = "rg-test"


class MachinesSection(Section):
    """One machine or many alike. Where a value is a list, the machines get its entries in turn."""

    name: Names = Field(
        description='A name, or many in short: "web-[01-12]", "db-[1-3,5]". In quotes, since brackets mean lists to YAML.',
        examples=['"web-[01-12]"'],
    )
    count: Count | None = Field(
        default=None, description="So many of them, with -1, -2, ... after the name.", examples=["3"]
    )
    region: Annotated[list[Text], OneOrMany] = Field(
        default=[REGION], description=f"The region; {REGION} if left out.", examples=["northeurope"]
    )
    zone: Annotated[list[Text], OneOrMany] = Field(
        default=[], description="The availability zone; in none if left out.", examples=["[1, 2, 3]"]
    )
    tags: dict[str, Annotated[list[Text], OneOrMany]] = Field(
        default={}, description="Tags by name.", examples=["{app: shop, tier: web}"]
    )
    os: Annotated[list[Annotated[Os, one_of(*Os)]], OneOrMany] = Field(
        default=[Os.LINUX], description="windows or linux; linux if left out.", examples=["windows"]
    )
    kind: Annotated[Kind, one_of(*Kind)] = Field(
        default=Kind.AZURE_VM,
        description="azure_vm, arc or azure_local; azure_vm if left out.",
        examples=["arc"],
    )
    availability_set: Text | None = Field(
        default=None, description="The availability set that they are in, by name.", examples=["as-web"]
    )
    scale_set: Text | None = Field(
        default=None, description="The Flexible scale set that they are in, by name.", examples=["pool-a"]
    )
    load_balancer: Annotated[list[Text], OneOrMany] = Field(
        default=[],
        description="The load balancers' back-end pools that all of them serve in, by name; in none if left out. unknown: the inventory doesn't say.",
        examples=["[lb-shop/web]"],
    )
    cluster: Annotated[list[Text], OneOrMany] = Field(
        default=[],
        description="The cluster that machines of Arc and Azure Local run on, by name; a list deals them in turn. In none if left out.",
        examples=["[cluster-a, cluster-b]"],
    )
    update_domain: Annotated[list[Domain], OneOrMany] = Field(
        default=[],
        description="Update domains; in an availability set Azure's 0 to 4 in turn if left out. unknown: the inventory doesn't say.",
        examples=["[0, 1, 2]"],
    )
    fault_domain: Annotated[list[Domain], OneOrMany] = Field(
        default=[],
        description="Fault domains; in an availability set 0 and 1 in turn, in a scale set 0 for all if left out. unknown: the inventory doesn't say.",
        examples=["[0, 1, 2]"],
    )
    subscription: Annotated[list[Text], OneOrMany] = Field(
        default=[SUBSCRIPTION],
        description="The subscription; one and the same if left out. Zones of several are numbered alike.",
        examples=["8a1c0000-0000-4000-8000-000000000002"],
    )
    resource_group: Text = Field(
        default=RESOURCE_GROUP,
        description=f"The resource group; {RESOURCE_GROUP} if left out.",
        examples=["rg-shop"],
    )
    time_zone: Text | None = Field(
        default=None,
        description="The machine's own time zone as Windows names it; not known if left out.",
        examples=["W. Europe Standard Time"],
    )

    restarts: Annotated[list[Annotated[Restarts, one_of(*Restarts)]], OneOrMany] = Field(
        default=[],
        description="Whether their updates restart them, as an assessment of that moment says: certain, likely, never (a hotpatch; Windows only), or unknown, which is as if nobody had assessed them. unknown if left out.",
        examples=["never"],
    )


class FleetSection(Section):
    """The machines of a test: written here, or of an inventory file. Exactly one of the two."""

    machines: list[MachinesSection] = Field(
        default=[],
        description="The machines, each entry one or many alike.",
        examples=['[{name: "web-[01-12]", zone: [1, 2, 3], tags: {tier: web}}]'],
    )
    inventory: Text | None = Field(
        default=None,
        description="An inventory file, from the test's folder on; of any kind that Wavekeeper reads.",
        examples=["fleet.json"],
    )


class GivenSection(Section):
    """The situation: what time it is, and who is out already."""

    now: Moment | None = Field(
        default=None,
        description='The moment at which the plan is made and begun, in UTC unless it says otherwise; "2026-01-05 08:00", a Monday, if left out.',
        examples=['"2026-12-19 21:00"'],
    )
    off: Of | None = Field(
        default=None,
        description="Machines that are off when it is planned: stopped and deallocated, or, under Arc, disconnected.",
        examples=["[web-03]"],
    )
    unhealthy: Of | None = Field(
        default=None,
        description="Machines that run and whose application is unwell before anything is done. Only a rollout sees that: needs `run`.",
        examples=["[web-04]"],
    )
