"""What only a campaign has: what to change, in which stages, and when to stop."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from orchestrator.policy.change import Patches, PinnedBy, Reboot
from orchestrator.policy.masks import NameMask, PackageMask
from orchestrator.policy.schema.command import RunCommandSection
from orchestrator.policy.schema.section import Section, Select, maybe_nothing, one_key_of
from orchestrator.policy.values import (
    Count,
    Duration,
    Flag,
    Kb,
    Name,
    PositiveDuration,
    PositiveShare,
    one_of,
)

WINDOWS_CLASSIFICATIONS: Final = (
    "critical", "security", "update_rollup", "feature_pack", "service_pack", "definition", "tools", "updates",
)  # fmt: skip
"""`VMGuestPatchClassificationForWindows` of the compute API, in snake case."""

LINUX_CLASSIFICATIONS: Final = ("critical", "security", "other")
"""`VMGuestPatchClassificationForLinux`."""

CLASSIFICATIONS: Final = tuple(dict.fromkeys((*WINDOWS_CLASSIFICATIONS, *LINUX_CLASSIFICATIONS)))


class PatchesSection(Section):
    """Install patches."""

    classifications: list[Annotated[str, one_of(*CLASSIFICATIONS)]] | None = Field(
        default=None,
        description=f"Which patches: of {', '.join(CLASSIFICATIONS)} (other on Linux only; the others but critical and security on Windows only). critical and security if left out.",
        examples=["[critical, security]"],
    )
    include_kbs: list[Kb] = Field(
        default_factory=list, description="KBs to install besides (Windows).", examples=["[5087423]"]
    )
    exclude_kbs: list[Kb] = Field(
        default_factory=list,
        description="KBs never to install, whatever else says so (Windows).",
        examples=["[5087539]"],
    )
    include_names: list[NameMask] = Field(
        default_factory=list,
        description="Updates to install besides whose name fits one of these masks (Windows): letters, digits, * and ?.",
        examples=['["*Hotpatch*"]'],
    )
    exclude_names: list[NameMask] = Field(
        default_factory=list,
        description="Updates never to install whose name fits one of these masks, whatever else says so (Windows).",
        examples=['["*NET?Framework*"]'],
    )
    include_packages: list[PackageMask] = Field(
        default_factory=list,
        description="Packages to install besides whose name fits one of these masks (Linux); name=version for one version.",
        examples=['["openssl*"]'],
    )
    exclude_packages: list[PackageMask] = Field(
        default_factory=list,
        description="Packages never to install whose name fits one of these masks (Linux), in every version; they may still come as what another package needs.",
        examples=['["mysql*"]'],
    )
    hotpatch_only: Flag = Field(
        default=False,
        description="true: on Windows nothing but updates of which Azure says that they never restart a machine, and reboot: never. Linux machines are left out.",
        examples=["true"],
    )
    reboot: Annotated[Reboot, one_of(*Reboot)] = Field(
        default=Patches().reboot,
        description="if_required, never or always; never with hotpatch_only.",
        examples=["if_required"],
    )
    maximum_duration: PositiveDuration = Field(
        default=Patches().maximum_duration,
        description="How long one installation may take on the machine; Azure's examples go up to 4h. 2h if left out.",
        examples=["3h"],
    )
    pinned_by: Annotated[PinnedBy, one_of(*PinnedBy)] = Field(
        default=Patches().pinned_by,
        description="What settles, when it is planned, the set of patches that all waves get. publication: what was published until then (Windows; Linux packages in the versions that assessments found, if every machine has one). assessment: what assessments found and nothing else; machines without a recent one are left out.",
        examples=["assessment"],
    )


class RestartSection(Section):
    """Restart machines."""

    only: Annotated[str, one_of("pending")] | None = Field(
        default=None,
        description="pending: only machines on which a restart is pending when it is planned, and still is right before. Left out: every machine.",
        examples=["pending"],
    )


CHANGE_KINDS: Final = ("patches", "restart", "run_command")


class ChangeSection(Section):
    """What a campaign changes. Exactly one kind."""

    model_config = one_key_of(CHANGE_KINDS)

    patches: Annotated[PatchesSection | None, BeforeValidator(maybe_nothing)] = Field(
        default=None,
        description="Install patches; {} for critical and security ones.",
        examples=["{classifications: [security]}"],
    )
    restart: Annotated[RestartSection | None, BeforeValidator(maybe_nothing)] = Field(
        default=None,
        description="Restart the machine, nothing else; {} for every machine.",
        examples=["{only: pending}"],
    )
    run_command: RunCommandSection | None = Field(
        default=None,
        description="Run a script on the machine, by Azure's managed run commands.",
        examples=["{script: scripts/clear-cache.ps1}"],
    )


class GrowingSection(Section):
    """A stage in steps, each verified before the next."""

    first: PositiveShare | None = Field(
        default=None,
        description="How many machines the first step takes, or which share of the stage's; 1 if left out.",
        examples=["2"],
    )
    factor: Count | None = Field(
        default=None,
        description="How many times as many the next step takes; 2 if left out.",
        examples=["3"],
    )
    most: PositiveShare | None = Field(
        default=None,
        description="How many machines a step takes at most, or which share of the stage's; no limit if left out.",
        examples=["64"],
    )


def _growing(value: object) -> object:
    """`growing: true` as `growing: {}`, and `false` as nothing."""
    return {} if value == "true" else None if value == "false" else value


class StageSection(Section):
    """A barrier over the whole campaign, with a time to bake."""

    name: Name = Field(description="The stage's name, unique in the campaign.", examples=["canary"])
    select: Select = Field(
        default_factory=Select,
        description="Only these of the campaign's machines.",
        examples=["{tags: {ring: canary}}"],
    )
    count: Count | None = Field(
        default=None, description="At most so many machines, besides those of earlier stages.", examples=["5"]
    )
    per_region: Count | None = Field(
        default=None, description="At most so many of each region.", examples=["1"]
    )
    up_to: PositiveShare | None = Field(
        default=None,
        description="So many, or such a share, of the campaign's machines are done when the stage ends, earlier stages included.",
        examples=["10%"],
    )
    growing: Annotated[
        GrowingSection | None, BeforeValidator(_growing, json_schema_input_type=GrowingSection | bool)
    ] = Field(
        default=None,
        description="true, or how: the stage goes in steps of 1, 2, 4, ... machines, each verified before the next begins. It bakes after the last.",
        examples=["{most: 64}"],
    )
    bake: Duration | None = Field(
        default=None,
        description="How long to wait after the stage's last machine is verified; not at all if left out.",
        examples=["24h"],
    )
    then: Annotated[str, one_of("continue", "approve")] = Field(
        default="continue",
        description="approve: a person must approve before the next stage begins.",
        examples=["approve"],
    )


class StopWhenSection(Section):
    """How many failures stop a rollout. A percentage is of the machines attempted, from 20 on."""

    unhealthy: PositiveShare | None = Field(
        default=None,
        description="Machines that were well before and aren't after: a count or a percentage; 1% if no policy says. In the canary the first one stops.",
        examples=["1%"],
    )
    not_changed: PositiveShare | None = Field(
        default=None,
        description="Machines that stayed well but didn't take the change; 5% if no policy says.",
        examples=["5%"],
    )
