"""Azure's managed run commands: resources under a machine, `runCommands/NAME`, whose name is ours to choose.

So a name is a key: whoever doesn't know whether a command was taken asks for it by its name (docs/decisions). Of a script's output Azure
keeps the last 4,096 bytes, and ends it after 90 minutes at the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from orchestrator.cloud.answers import Received, error_from_answer
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.port import Ended, OperationState, StillRunning, Target
from orchestrator.inventory.model import Kind
from orchestrator.policy.change import RunCommand

LONGEST_NAME: Final = 80
"""Characters. What Azure takes isn't published for this resource; most of its names may have 80."""

ENDED: Final = frozenset({"Succeeded", "Failed", "TimedOut", "Canceled"})
"""Execution states after which nothing more comes."""

_DIGEST: Final = 12
_ON_ARC: Final[Mapping[Permission, Permission]] = MappingProxyType(
    {
        Permission.READ_COMMANDS: Permission.READ_ARC_COMMANDS,
        Permission.DELETE_COMMANDS: Permission.DELETE_ARC_COMMANDS,
    }
)


def command_name(key: str) -> str:
    """The name of the command that a request's key stands for: the same key, the same name."""
    name = f"wavekeeper-{key}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - _DIGEST - 1]}-{sha256(key.encode()).hexdigest()[:_DIGEST]}"


def command_body(command: RunCommand, target: Target) -> Mapping[str, Any]:
    """What is put there. It runs beside the request (`asyncExecution`), so that the machine isn't locked for as long as it takes."""
    properties: dict[str, Any] = {
        "source": {"script": command.script.text},
        "parameters": [{"name": name, "value": value} for name, value in command.parameters],
        "asyncExecution": True,
        "timeoutInSeconds": int(command.timeout.total_seconds()),
    }
    if target.kind is Kind.AZURE_VM:  # a word that Arc's provider doesn't know
        properties["treatFailureAsDeploymentFailure"] = False
    return {"location": target.location, "properties": properties}


def reading_command(target: Target) -> Asked:
    """Looking at a command."""
    return Asked(
        f"looking at a run command of {target.name}",
        _permission(target, Permission.READ_COMMANDS),
        target.arm_id,
    )


def forgetting_command(target: Target) -> Asked:
    """Taking one away that has ended."""
    return Asked(
        f"taking away a run command of {target.name}",
        _permission(target, Permission.DELETE_COMMANDS),
        target.arm_id,
    )


def _permission(target: Target, permission: Permission) -> Permission:
    """The same for the machine's own provider."""
    return permission if target.kind is Kind.AZURE_VM else _ON_ARC[permission]


def command_state(received: Received, asked: Asked) -> OperationState:
    """How a command stands, by its resource with its instance view.

    Raises:
        CloudPermanent: There is none of that name (`ResourceNotFound`), or it can't be asked for.
        CloudTransient, AccessDenied: It couldn't be read now, or not by this identity.
    """
    if received.status != HTTPStatus.OK:
        raise error_from_answer(received, asked)
    properties = received.body.get("properties") or {}
    view: Mapping[str, Any] = properties.get("instanceView") or {}
    state = str(view.get("executionState") or "")
    if state in ENDED:
        return Ended(state == "Succeeded" and not view.get("exitCode"), view)
    if properties.get("provisioningState") in ("Failed", "Canceled"):
        message = str(view.get("executionMessage") or "its extension could not be set up on the machine")
        return Ended(False, {}, "VMExtensionProvisioningError", message)
    return StillRunning()
