"""Facts about what the service tells people of itself. They are of the scope, and of no rollout, but for the first, which is of either. Named by `events`."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.rollout.matters import Receiver


@dataclass(frozen=True, slots=True)
class ReceiversNamed:
    """These are told from now on, and nobody else by the service's configuration: of the service, or of the rollout whose fact it is."""

    receivers: tuple[Receiver, ...]


@dataclass(frozen=True, slots=True)
class MatterRaised:
    """Something is the matter with the service; see `matters.Matter`."""

    topic: str
    key: str
    text: str
    stake: str = ""
    options: tuple[str, ...] = ()
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class MatterSettled:
    """It stands no more."""

    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class MatterTold:
    """News of a matter reached the receiver of a webhook; or (`ok` False) it hasn't for a while, and is tried on."""

    news: int
    webhook: str
    ok: bool
    evidence: str


MatterEvent = ReceiversNamed | MatterRaised | MatterSettled | MatterTold
