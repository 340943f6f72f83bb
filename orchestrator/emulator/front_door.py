"""What becomes of a request before the world sees it, and of the answer after: faults and rate limits.

Every way into the world leads through here, so that a simulated provider is throttled and struck like the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.emulator.fault_book import FaultBook, first
from orchestrator.emulator.faults import Drop, LostAnswer, Refuses, RequestFault, ServerError, Slow, Throttle
from orchestrator.emulator.problems import SERVICE, problem, throttled_by_arm, throttled_by_compute
from orchestrator.emulator.state import WRITES as WRITING
from orchestrator.emulator.state import Answer, Delivery, Kind
from orchestrator.emulator.throttle import (
    GLOBAL_READS,
    GLOBAL_WRITES,
    POLICY,
    READS,
    WRITES,
    Buckets,
    Empty,
    Limit,
)
from orchestrator.inventory.model import Machine


@dataclass(frozen=True, slots=True)
class Passage:
    """One request's way through the door: refused at once, or let in and its answer finished on the way out."""

    refused: Answer | None
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    delay_s: float = 0.0

    def out(self, answer: Answer) -> Answer:
        """The answer as it leaves: with the limits' headers, late or lost if a fault says so."""
        return Answer(
            answer.status,
            {**answer.headers, **self.headers},
            answer.body,
            answer.operation,
            Delivery.LOST if self.lost else answer.delivery,
            answer.delay_s + self.delay_s,
        )


class FrontDoor:
    """The door of one world."""

    def __init__(self, book: FaultBook, start: datetime) -> None:
        self._book = book
        self._buckets = Buckets(start)

    def enter(
        self, kind: Kind, now: datetime, *, subscription: str, region: str, machine: Machine | None = None
    ) -> Passage:
        """Let a request in or refuse it. `region` is empty for what a subscription is asked as a whole."""
        faults = self._book.on_request(kind, now, subscription=subscription, region=region, machine=machine)
        slow = first(faults, Slow)
        delay_s = slow.seconds if slow else 0.0
        refused = _struck(faults, kind, subscription, now) if faults else None
        if refused is not None:
            return Passage(replace(refused, delay_s=delay_s))
        left = self._buckets.spend(_limits(kind, subscription, region, machine), now)
        if isinstance(left, Empty):
            return Passage(replace(_throttled(kind, left, subscription, now), delay_s=delay_s))
        return Passage(None, _headers(left), first(faults, LostAnswer) is not None, delay_s)


def _struck(faults: tuple[RequestFault, ...], kind: Kind, subscription: str, now: datetime) -> Answer | None:
    """The refusal that the faults demand; a cut connection goes before an answer."""
    if first(faults, Drop) is not None:
        return Answer(0, delivery=Delivery.DROPPED)
    if throttle := first(faults, Throttle):
        policy = POLICY.get(kind)
        if throttle.policy == "arm" or policy is None:
            return throttled_by_arm(_arm_word(kind), subscription, throttle.retry_after)
        return throttled_by_compute(policy.name, policy.subscription, throttle.retry_after, now)
    if error := first(faults, ServerError):
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        message = "The service is temporarily unavailable. Please retry the request."
        return problem(error.status, error.code, message, headers={**headers, **SERVICE})
    if refuses := first(faults, Refuses):
        return problem(refuses.status, refuses.code, refuses.message, headers=SERVICE)
    return None


def _throttled(kind: Kind, empty: Empty, subscription: str, now: datetime) -> Answer:
    policy = POLICY.get(kind)
    if policy is not None and empty.limit in {policy.resource, policy.subscription}:
        return throttled_by_compute(policy.name, empty.limit, empty.retry_after_s, now)
    return throttled_by_arm(_arm_word(kind), subscription, empty.retry_after_s)


def _arm_word(kind: Kind) -> str:
    return "write" if kind in WRITING else "read"


def _limits(
    kind: Kind, subscription: str, region: str, machine: Machine | None
) -> list[tuple[Limit, tuple[str, ...]]]:
    """The buckets that a request draws from. ARM counts a POST as a write; Resource Graph keeps a count of its own."""
    if kind is Kind.GRAPH:
        return []
    wanted: list[tuple[Limit, tuple[str, ...]]] = [
        (limit, (subscription,))
        for limit in ((WRITES, GLOBAL_WRITES) if kind in WRITING else (READS, GLOBAL_READS))
    ]
    policy = POLICY.get(kind)
    if policy is not None:
        if policy.resource is not None and machine is not None:
            wanted.append((policy.resource, (machine.id,)))
        wanted.append((policy.subscription, (subscription, region)))
    return wanted


def _headers(left: dict[str, int]) -> dict[str, str]:
    compute = ",".join(
        f"Microsoft.Compute/{name};{n}" for name, n in left.items() if not name.startswith("x-ms-")
    )
    headers = {name: str(n) for name, n in left.items() if name.startswith("x-ms-")}
    if compute:
        headers["x-ms-ratelimit-remaining-resource"] = compute
    return headers
