"""The language of what the configuration says to whoever operates the daemon: who is told of what, and where metrics are served."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from orchestrator.policy.model import Occasion
from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import OneOrMany, Text, Webhook, one_of
from orchestrator.rollout.matters import Topic

EVERYTHING: Final = (*map(str, Occasion), *map(str, Topic))
"""All that anybody can be told of, of rollouts and of the daemon itself."""


class ReceiverSection(Section):
    """One receiver, and what it is told."""

    webhook: Webhook = Field(
        description="The name of a webhook of the file of `webhooks`.",
        examples=["platform-team"],
    )
    on: Annotated[list[Annotated[str, one_of(*EVERYTHING)]], OneOrMany] = Field(
        default=list(EVERYTHING),
        description=(
            "Of what. Of every rollout: started, stage, approval, unhealthy (or undecided), stopped, paused (or resumed), finished (or aborted). "
            "Of the daemon: due (and can't be opened), missed, bad_commit, git (can't be asked for long), inventory (can't be read for long), "
            "hold (ends soon), certificate (of the server, ends soon), token (of a machine, ends soon). All if left out."
        ),
        examples=["[stopped, approval, unhealthy, bad_commit, due]"],
    )


class TellSection(Section):
    """Whom the daemon tells, of every rollout and of itself, besides those whom policies name."""

    to: Annotated[list[ReceiverSection], OneOrMany] = Field(
        description="A receiver or a list of them.",
        examples=["[{webhook: platform-team, on: [stopped, approval, bad_commit]}]"],
    )
    page: Text | None = Field(
        default=None,
        description="The page's address as people see it, for the link in what they are told; that of the issuer's section if left out.",
        examples=["https://wavekeeper.example"],
    )


class MetricsSection(Section):
    """Where `/metrics`, `/healthz` and `/readyz` are served, in plain HTTP and to anybody who reaches it. Without this section they are not."""

    listen: Text = Field(
        default="127.0.0.1:9464",
        description="The address and port. Any but loopback is open to others: say it on purpose.",
        examples=["127.0.0.1:9464"],
    )
