"""The state of a scope as bytes, so that a start needn't fold years of facts. Only ever a shortcut: the facts are the truth.

Machines stand by columns, each value once where few differ. How it looks follows from the state's own classes, and `FORM` is a checksum
of those: whatever is changed in them, snapshots of before are passed over and everything is read. A change of what a fold *means* raises
`_MEANING`. Plans are named by digest, URLs by the document that keeps them: neither stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, get_type_hints
from zlib import crc32

import orjson

from orchestrator.availability.ledger import Grant
from orchestrator.rollout.emergency import Emergency
from orchestrator.rollout.holds import Hold, Meant
from orchestrator.rollout.kept import by_reference
from orchestrator.rollout.matters import Matter, News, Tidings
from orchestrator.rollout.membership import count_elsewhere
from orchestrator.rollout.plain import instant, maker, plain
from orchestrator.rollout.planned import Planned, with_waves
from orchestrator.rollout.state import (
    Blocked,
    Ended,
    LaneRun,
    LeftOpen,
    MachineRun,
    Membership,
    Notice,
    Replanning,
    Rollout,
    Scope,
    Sick,
    StretchRun,
)

_MEANING = 2
_APART = frozenset({"planned", "reviewed", "machines", "blocked", "holds"})

_CLASSES = (
    Rollout,
    LaneRun,
    StretchRun,
    Sick,
    Notice,
    Replanning,
    Grant,
    Ended,
    LeftOpen,
    Membership,
    Blocked,
    Hold,
    Meant,
    Emergency,
    Matter,
    News,
    Tidings,
)

_RUN_HINTS = get_type_hints(MachineRun)


def _layout() -> Iterator[str]:
    yield f"{_MEANING} {_RUN_HINTS}"
    for cls in _CLASSES:
        yield f"{cls.__name__} {[(f.name, str(f.type)) for f in fields(cls)]}"


FORM = crc32("\n".join(_layout()).encode())
"""The form of what `dump` writes and `load` reads."""


def dump(scope: Scope) -> bytes:
    """The state as bytes."""
    return orjson.dumps(
        {
            "seq": scope.seq,
            "last": plain(scope.last),
            "revision": scope.ledger.revision,
            "blocked": [plain(one) for one in scope.blocked.values()],
            "holds": [plain(one) for one in scope.holds.values()],
            "holdings": [scope.holdings, scope.holdings_changed],
            "grants": [[machine, plain(grant)] for machine, grant in scope.ledger.grants.items()],
            "others": [[machine, plain(since)] for machine, since in scope.ledger.others.items()],
            "rollouts": [
                {**_named(rollout), "machines": _columns(rollout), "waves": _replanned(rollout)}
                for rollout in scope.rollouts.values()
            ],
            "ended": [plain(ended) for ended in scope.ended.values()],
            "archivings": scope.archivings,
            "tidings": plain(scope.tidings),
        }
    )


def digests(told: Mapping[str, Any]) -> dict[str, str]:
    """The plans that a snapshot needs: rollout -> digest. `told` is what `orjson.loads` makes of it."""
    return {rollout["id"]: rollout["digest"] for rollout in told["rollouts"]}


def load(told: Mapping[str, Any], plans: Mapping[str, Planned]) -> Scope:
    """The state again, with the plan of each rollout. Operations that are followed are named by their documents."""
    scope = Scope(seq=told["seq"], last=instant(told["last"]), archivings=told["archivings"])
    scope.tidings = maker(Tidings)(told["tidings"])
    grant, since, ended = maker(Grant), maker(datetime), maker(Ended)
    scope.ledger.grants.update((machine, grant(one)) for machine, one in told["grants"])
    scope.ledger.others.update((machine, since(one)) for machine, one in told["others"])
    scope.ended.update((one["id"], ended(one)) for one in told["ended"])
    scope.blocked.update((one.kb, one) for one in map(maker(Blocked), told["blocked"]))
    scope.holds.update((one.id, one) for one in map(maker(Hold), told["holds"]))
    scope.holdings, scope.holdings_changed = told["holdings"]
    hints = get_type_hints(Rollout)
    for one in told["rollouts"]:
        reviewed = planned = plans[one["id"]]
        for lane, waves in one["waves"]:
            planned = with_waves(planned, lane, 0, list(map(tuple, waves)))
        simple = {f.name: maker(hints[f.name])(one[f.name]) for f in fields(Rollout) if f.name not in _APART}
        rollout = Rollout(
            **simple,
            planned=planned,
            reviewed=reviewed,
            blocked=scope.blocked,
            holds=scope.holds,
            machines=_machines(one["machines"]),
        )
        scope.rollouts[rollout.id] = rollout
        if rollout.ended_at is None:
            scope.ledger.register(rollout.id, planned.plan.constraints)
            for machine, membership in rollout.moved.items():
                count_elsewhere(scope, rollout, machine, membership)
    scope.ledger.revision = told["revision"]
    return scope


# Machines, by columns ---------------------------------------------------------------------------------------


def _columns(rollout: Rollout) -> list[list[Any]]:
    """For each field its values, and for each machine which of them it has; none where all have the same."""
    runs = [by_reference(rollout, machine) for machine in range(len(rollout.machines))]
    found = []
    for column in zip(*runs, strict=True):
        place = {value: number for number, value in enumerate(dict.fromkeys(column))}
        numbers = list(map(place.__getitem__, column)) if len(place) > 1 else []
        found.append([list(map(plain, place)), numbers])
    return [[len(runs)], *found]


def _machines(told: list[list[Any]]) -> list[MachineRun]:
    (count,), *columns = told
    read = []
    for hint, (values, numbers) in zip(_RUN_HINTS.values(), columns, strict=False):
        made = list(map(maker(hint), values))
        read.append(list(map(made.__getitem__, numbers)) if numbers else made * count)
    return list(map(MachineRun, *read)) if read else []


def _replanned(rollout: Rollout) -> list[list[Any]]:
    """The waves of each lane that was planned anew since its plan was reviewed."""
    assert rollout.reviewed is not None
    both = zip(rollout.planned.lanes, rollout.reviewed.lanes, strict=True)
    return [[number, now.waves] for number, (now, then) in enumerate(both) if now.waves != then.waves]


def _named(value: Rollout) -> dict[str, Any]:
    return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name not in _APART}
