"""What all mappings of a policy file share, and the selector, which most of them hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.inventory.model import Kind, Os
from orchestrator.policy.values import OneOrMany, Text, one_of


class Section(BaseModel):
    """A mapping of a policy file. An unknown key is an error: a rule that is silently ignored would be fatal."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_key_of(keys: Iterable[str]) -> ConfigDict:
    """For editors: exactly one of these keys is written. The loader says it in its own words (`meaning`)."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [key]} for key in keys]})


def some_key_of(keys: Iterable[str]) -> ConfigDict:
    """For editors: at least one of these keys is written."""
    return ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in keys]})


class Select(Section):
    """Which machines: all that is said must hold; of several values of one key, any."""

    tags: dict[str, Annotated[list[Text], OneOrMany]] = Field(
        default_factory=dict,
        description='Tags by name, each with a value, a list of values or "*" for any value. Globs (`*`, `?`) are allowed. Neither names nor values mind case.',
        examples=["{app: shop, tier: [web, api]}"],
    )
    without_tags: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Names of tags that the machine doesn't have, whatever their value; none of them.",
        examples=["[patching]"],
    )
    names: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Names of machines; globs (`*`, `?`) are allowed.",
        examples=["[web-*, api-0?]"],
    )
    regions: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Azure regions, as `westeurope` or `West Europe`.",
        examples=["[westeurope]"],
    )
    zones: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Availability zones by the number that the machine's own subscription gives them.",
        examples=["[1, 2]"],
    )
    subscriptions: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Subscription ids.",
        examples=["[8a1c0000-0000-4000-8000-000000000001]"],
    )
    resource_groups: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Names of resource groups; globs are allowed.",
        examples=["[rg-shop-*]"],
    )
    os: Annotated[list[Annotated[Os, one_of(*Os)]], OneOrMany] = Field(
        default_factory=list,
        description="Families of operating systems: windows, linux, unknown.",
        examples=["windows"],
    )
    kinds: Annotated[list[Annotated[Kind, one_of(*Kind)]], OneOrMany] = Field(
        default_factory=list, description="Kinds of machine: azure_vm, arc, azure_local.", examples=["[arc]"]
    )
    availability_sets: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description='Availability sets by name or id; globs are allowed, and "*" is every machine that is in one.',
        examples=["[as-shop-*]"],
    )
    scale_sets: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description='Flexible scale sets by name or id; globs are allowed, and "*" is every machine that is in one.',
        examples=["[vmss-shop-*]"],
    )
    none_of: Annotated[list[Select], OneOrMany] = Field(
        default_factory=list,
        alias="not",
        description="A selector, or several: machines that any of them selects are not selected.",
        examples=["{tags: {role: jump-host}}"],
    )
    any_of: Annotated[list[Select], OneOrMany] = Field(
        default_factory=list,
        alias="any",
        description="Several selectors, of which at least one must hold.",
        examples=["[{regions: westeurope}, {tags: {dr: yes}}]"],
    )


class Narrowed(Section):
    """A mapping that may concern some of the policy's machines only."""

    of: Select = Field(
        default_factory=Select,
        description="Which of the policy's machines; all of them if left out.",
        examples=["{tags: {tier: web}}"],
    )


class Nothing(Section):
    """A mapping without keys, or no value at all."""


def maybe_nothing(value: object) -> object:
    """`key:` as `key: {}`."""
    return {} if value is None else value


Empty = Annotated[Nothing | None, BeforeValidator(maybe_nothing)]
"""Of a key that says all by being there. None only where the key isn't."""
