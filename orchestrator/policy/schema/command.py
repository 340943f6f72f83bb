"""A script that is run on machines: as what a campaign changes, or as a step around a machine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import PositiveDuration, Text, one_of


class RunCommandSection(Section):
    """A script on the machine: it needs the guest agent, its last 4096 bytes of output are kept, and an exit code other than 0 fails."""

    script: Text = Field(
        description="The script's file, from the policy's folder on. A plan carries its text and digest: what runs is what was reviewed.",
        examples=["scripts/clear-cache.ps1"],
    )
    os: Annotated[str, one_of("windows", "linux")] | None = Field(
        default=None,
        description="windows (PowerShell) or linux (the shell); machines of the other family are left out. Left out: as the file is named, .ps1 or .sh.",
        examples=["windows"],
    )
    timeout: PositiveDuration | None = Field(
        default=None,
        description="How long the script may take; at most 90m, which is Azure's most. 30m if left out.",
        examples=["1h"],
    )
    parameters: dict[str, Text] = Field(
        default_factory=dict,
        description="Named parameters of the script. Everybody who may read a plan reads them: no secrets.",
        examples=["{keep_days: 7}"],
    )
