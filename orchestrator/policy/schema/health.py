"""How a machine is judged, and what is done around its change."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from orchestrator.policy.model import StepWhen
from orchestrator.policy.schema.section import Empty, Narrowed, Section
from orchestrator.policy.values import Count, OneOrMany, Port, PositiveDuration, Status, Text, Webhook, one_of


class HttpSettings(Section):
    """How a machine is asked over HTTP."""

    url: Text = Field(
        description="What is asked with GET. May hold {private_ip}, {name}, {computer_name} and {tag:NAME}.",
        examples=['"http://{private_ip}:8080/healthz"'],
    )
    expect_status: Annotated[list[Status], OneOrMany] = Field(
        default=[],
        description="The answers that mean well; 200 if left out. Redirects aren't followed.",
        examples=["[200, 204]"],
    )
    timeout: PositiveDuration | None = Field(
        default=None, description="How long the answer may take; 5s if left out.", examples=["3s"]
    )


class TcpSettings(Section):
    """How a machine is asked whether a port is open."""

    port: Port = Field(description="The port that must accept a connection.", examples=["5432"])
    host: Text | None = Field(
        default=None,
        description="Where: {private_ip} if left out; the same placeholders as in `url`.",
        examples=['"{computer_name}.corp.example"'],
    )
    timeout: PositiveDuration | None = Field(
        default=None, description="How long the connection may take; 5s if left out.", examples=["3s"]
    )


def _named_probe(value: object) -> object:
    """`- app_health` as `- app_health: {}`."""
    return {value: None} if isinstance(value, str) else value


class ProbeSection(Narrowed):
    """One question, asked of each machine before and after its change. Exactly one kind."""

    app_health: Empty = Field(
        default=None,
        description="The Application Health extension must say healthy. Asked only of machines that have it.",
        examples=["{}"],
    )
    vm_agent: Empty = Field(
        default=None, description="The machine runs and its guest agent is ready.", examples=["{}"]
    )
    http: HttpSettings | None = Field(
        default=None,
        description="A GET must be answered with an expected status.",
        examples=['{url: "http://{private_ip}/healthz"}'],
    )
    tcp: TcpSettings | None = Field(
        default=None, description="A TCP connection must be accepted.", examples=["{port: 5432}"]
    )


PROBE_KINDS: Final = ("app_health", "vm_agent", "http", "tcp")


class HealthSection(Section):
    """How it is judged whether a machine is well, before and after its change."""

    min_healthy_time: PositiveDuration | None = Field(
        default=None,
        description="How long a machine must stay well before its wave counts as done; 5m if no policy says.",
        examples=["10m"],
    )
    healthy_deadline: PositiveDuration | None = Field(
        default=None,
        description="How long after its change a machine may take to become well; 30m if no policy says.",
        examples=["1h"],
    )
    interval: PositiveDuration | None = Field(
        default=None, description="How often a machine is asked; 15s if no policy says.", examples=["30s"]
    )
    fail_after: Count | None = Field(
        default=None,
        description="Consecutive misses before a machine that was well counts as unwell; 3 if no policy says.",
        examples=["5"],
    )
    when_already_out: Annotated[str, one_of("leave", "repair")] | None = Field(
        default=None,
        description="What to do with a machine that fails its probes before anything was done: leave (it counts as out and isn't touched).",
        examples=["leave"],
    )
    probes: list[Annotated[ProbeSection, BeforeValidator(_named_probe)]] = Field(
        default=[],
        description="What each machine is asked. Without any, from any policy: vm_agent, and app_health where the extension is.",
        examples=["[app_health]"],
    )


class StepSection(Section):
    """Something done before or after a machine's change."""

    webhook: Webhook = Field(
        description="The name of a webhook; where it goes is configuration, never a policy's.",
        examples=["lb-drain"],
    )
    timeout: PositiveDuration | None = Field(
        default=None, description="How long the step may take; 10m if left out.", examples=["5m"]
    )


class AfterStepSection(StepSection):
    """A step after the change."""

    when: Annotated[StepWhen, one_of(*StepWhen)] | None = Field(
        default=None,
        description="healthy (the default): only once the machine is well; always: also when it isn't.",
        examples=["always"],
    )


class AroundSection(Narrowed):
    """Steps before and after each machine. It counts as out from the first to the last."""

    each: Annotated[str, one_of("machine", "wave", "stage", "rollout")] = Field(
        default="machine", description="Around what: each machine.", examples=["machine"]
    )
    before: Annotated[list[StepSection], OneOrMany] = Field(
        default=[],
        description="A step, or several in order, before the change.",
        examples=["{webhook: lb-drain, timeout: 10m}"],
    )
    after: Annotated[list[AfterStepSection], OneOrMany] = Field(
        default=[], description="A step, or several in order, after it.", examples=["{webhook: lb-undrain}"]
    )
