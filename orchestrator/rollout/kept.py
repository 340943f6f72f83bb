"""Where an operation is followed: kept to the byte as long as it is followed, and no longer.

The two URLs of one operation are signed and take 6 kB, twenty times what all other facts of a machine take, and they let
whoever has them read it. So a `Started` stands in its row with a reference, the URLs stand beside the log
as a document under that reference's digest, kept in the same transaction; the transaction of the fact after which nobody follows
the operation drops them. The row's seal covers the digest, and the digest covers the URLs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from orchestrator.errors import JournalError
from orchestrator.rollout import events as e
from orchestrator.rollout.evolve_machine import result_url_of
from orchestrator.rollout.state import MachineRun, Rollout, Scope

SHORT = 512
"""Characters. What is shorter, such as the plain URL of an operation that was adopted, stands in its row."""

_MARK = "kept:"
_DIGEST_BYTES = 12  # enough against accidents: a wrong document is found, nobody gains by making one


@dataclass(frozen=True, slots=True)
class Reference:
    """An operation that is still followed, and the digest of the document that has its URLs."""

    rollout: str
    machine: int
    digest: str


def document_of(rollout: str, machine: int, status_url: str, result_url: str) -> tuple[str, bytes] | None:
    """The digest and document of an operation's URLs; None where they stand in the row."""
    if len(status_url) + len(result_url) < SHORT:
        return None
    body = orjson.dumps([rollout, machine, status_url, result_url])
    return blake2b(body, digest_size=_DIGEST_BYTES).hexdigest(), body


def held(rollout: Rollout, machine: int) -> str:
    """The digest of the document that a machine's state needs; empty if it needs none."""
    run = rollout.machines[machine]
    found = document_of(rollout.id, machine, run.status_url, run.result_url)
    return found[0] if found else ""


def by_reference(rollout: Rollout, machine: int) -> MachineRun:
    """The machine's state with a reference in place of its URLs, as a replay of its row has it at first."""
    run = rollout.machines[machine]
    if not run.status_url or not (digest := held(rollout, machine)):
        return run
    return run._replace(status_url=_MARK + digest, result_url=result_url_of(_MARK + digest))


def referring(rollout: str, fact: e.Event) -> tuple[e.Event, tuple[str, bytes] | None]:
    """The fact as its row holds it, and the document to be kept with the row."""
    if not isinstance(fact, e.Started):
        return fact, None
    result_url = fact.result_url or result_url_of(fact.status_url)
    found = document_of(rollout, fact.machine, fact.status_url, result_url)
    if found is None:
        return fact, None
    return e.Started(fact.machine, _MARK + found[0]), found


def references(scope: Scope) -> Iterator[Reference]:
    """Operations that are followed and whose URLs a replay hasn't found in their rows."""
    for rollout in scope.rollouts.values():
        if rollout.in_flight or not rollout.over:
            for machine, run in enumerate(rollout.machines):
                if run.status_url.startswith(_MARK):
                    yield Reference(rollout.id, machine, run.status_url.removeprefix(_MARK))


def still_held(scope: Scope, wanted: Reference) -> bool:
    """Whether the operation is followed still, as far as the state knows."""
    return _run(scope, wanted).status_url == _MARK + wanted.digest


def resolve(scope: Scope, wanted: Reference, document: bytes) -> None:
    """Put the URLs in their place. Raises `JournalError` if these aren't the ones that were kept."""
    if blake2b(document, digest_size=_DIGEST_BYTES).hexdigest() != wanted.digest:
        raise JournalError(
            f"the journal's document {wanted.digest} is not what was kept under that name: where machine {wanted.machine} of "
            f"rollout {wanted.rollout} is followed is lost; nothing was repaired: restore the journal from a backup"
        )
    _, _, status_url, result_url = orjson.loads(document)
    scope.rollouts[wanted.rollout].machines[wanted.machine] = _run(scope, wanted)._replace(
        status_url=status_url, result_url=result_url
    )


def _run(scope: Scope, wanted: Reference) -> MachineRun:
    return scope.rollouts[wanted.rollout].machines[wanted.machine]
