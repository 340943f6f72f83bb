"""Words of the language that stand for one of a few: how a machine is asked, around what steps are done and when."""

from __future__ import annotations

from enum import StrEnum


class ProbeKind(StrEnum):
    """How a machine is asked whether it is well."""

    APP_HEALTH = "app_health"  # the Application Health extension, off the instance view
    VM_AGENT = "vm_agent"  # the guest agent is ready and the power is on, off the instance view
    HTTP = "http"
    TCP = "tcp"


class Each(StrEnum):
    """Around what steps are done."""

    MACHINE = "machine"
    WAVE = "wave"
    STAGE = "stage"
    ROLLOUT = "rollout"


class StepWhen(StrEnum):
    """When an `after` step runs."""

    HEALTHY = "healthy"
    ALWAYS = "always"
