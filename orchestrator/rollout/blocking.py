"""Updates that people keep out: what a person's word makes happen, what is left to be asked for, and what isn't."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.errors import Refused
from orchestrator.inventory.model import Os
from orchestrator.policy.change import Change, Patches
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Scope


def decide_block(scope: Scope, command: m.Block | m.Unblock) -> tuple[e.Event, ...]:
    """The fact of it. Raises `Refused` where it is so already, or nobody said why."""
    known = scope.blocked.get(command.kb)
    if not command.reason.strip():
        raise Refused(f"say why, for whoever reads it later: --reason ... (KB{command.kb})")
    if isinstance(command, m.Block):
        if known is not None:
            raise Refused(f"{known}")
        return (e.UpdateBlocked(command.kb, command.who, command.reason),)
    if known is None:
        others = ", ".join(f"KB{kb}" for kb in sorted(scope.blocked)) or "nothing is"
        raise Refused(f"KB{command.kb} isn't blocked; blocked: {others}")
    return (e.UpdateUnblocked(command.kb, command.who, command.reason),)


def without_blocked(patches: Patches, blocked: Collection[str]) -> Patches:
    """What is asked for with the blocked KBs left out: they are excluded, whatever else would bring them."""
    if not blocked:
        return patches
    return replace(
        patches,
        include_kbs=tuple(kb for kb in patches.include_kbs if kb not in blocked),
        exclude_kbs=tuple(sorted({*patches.exclude_kbs, *blocked})),
        only_kbs=None
        if patches.only_kbs is None
        else tuple(kb for kb in patches.only_kbs if kb not in blocked),
    )


def nothing_left(change: Change, os: Os, blocked: Collection[str]) -> tuple[str, ...]:
    """The blocked KBs that are all that a change would install on machines of this family; none where something else is left."""
    if not isinstance(change, Patches) or os is Os.LINUX or not blocked:
        return ()
    if change.only_kbs is not None:
        asked = set(change.only_kbs)
    elif change.classifications or change.include_names:
        return ()
    else:
        asked = set(change.include_kbs)
    return tuple(sorted(asked)) if asked and asked <= set(blocked) else ()
