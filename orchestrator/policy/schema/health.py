"""How a machine is judged, and what is done around its change."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from orchestrator.policy.model import Each, StepWhen
from orchestrator.policy.schema.command import RunCommandSection
from orchestrator.policy.schema.rules import Per
from orchestrator.policy.schema.section import Empty, Narrowed, Section, one_key_of
from orchestrator.policy.values import Count, OneOrMany, Port, PositiveDuration, Status, Text, Webhook, one_of


class HttpSettings(Section):
    """How a machine is asked over HTTP."""

    url: Text = Field(
        description="What is asked with GET. May hold {private_ip}, {name}, {computer_name} and {tag:NAME}.",
        examples=['"http://{private_ip}:8080/healthz"'],
    )
    expect_status: Annotated[list[Status], OneOrMany] = Field(
        default_factory=list,
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


PROBE_KINDS: Final = ("app_health", "vm_agent", "http", "tcp")

GROUP_PROBE_KINDS: Final = ("http", "tcp")


def _named_probe(value: object) -> object:
    """`- app_health` as `- app_health: {}`."""
    return {value: None} if isinstance(value, str) else value


class ProbeSection(Narrowed):
    """One question, asked of each machine before and after its change. Exactly one kind."""

    model_config = one_key_of(PROBE_KINDS)

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


class GroupProbeSection(Narrowed):
    """One question about a group of machines, asked before any of them is changed, and after. Exactly one kind."""

    model_config = one_key_of(GROUP_PROBE_KINDS)

    http: HttpSettings | None = Field(
        default=None,
        description="A GET must be answered with an expected status. `url` may hold {group}, the group's name, and nothing of a machine's.",
        examples=['{url: "http://status.shop.example/quorum/{group}"}'],
    )
    tcp: TcpSettings | None = Field(
        default=None,
        description="A TCP connection must be accepted by `host`, which must be written here, and may hold {group}.",
        examples=["{host: db.shop.example, port: 5432}"],
    )
    per: Per = Field(
        default_factory=list,
        description="A kind of group, or several: the machines of each group by itself are asked about; the same kinds as for rules. Left out: the machines are one group.",
        examples=["region"],
    )


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
        description="What to do with a machine that fails its probes before anything was done: leave (it counts as out and isn't touched) or repair (it is changed all the same, which costs nothing more of the budgets that it uses up already). leave if no policy says; of several policies that say, leave.",
        examples=["repair"],
    )
    probes: list[
        Annotated[
            ProbeSection,
            BeforeValidator(
                _named_probe, json_schema_input_type=ProbeSection | Literal["app_health", "vm_agent"]
            ),
        ]
    ] = Field(
        default_factory=list,
        description="What each machine is asked. Without any, from any policy: vm_agent, and app_health where the extension is.",
        examples=["[app_health]"],
    )
    group_probes: list[GroupProbeSection] = Field(
        default_factory=list,
        description="What is asked about machines that belong together: before a change of any of them, and after. While it isn't answered well, none of them is begun.",
        examples=['[{http: {url: "http://status.shop.example/quorum"}, of: {tags: {tier: db}}}]'],
    )


STEP_KINDS: Final = ("webhook", "run_command")


class StepSection(Section):
    """Something done before or after. Exactly one kind."""

    model_config = one_key_of(STEP_KINDS)

    webhook: Webhook | None = Field(
        default=None,
        description="The name of a webhook; where it goes is configuration, never a policy's.",
        examples=["lb-drain"],
    )
    run_command: RunCommandSection | None = Field(
        default=None,
        description="A script on the machine instead of a webhook; only around each machine, and only on those of its family.",
        examples=["{script: scripts/drain.sh, timeout: 5m}"],
    )
    timeout: PositiveDuration | None = Field(
        default=None,
        description="How long the webhook may take; 10m if left out. A script has a timeout of its own.",
        examples=["5m"],
    )


class AfterStepSection(StepSection):
    """A step after the change."""

    when: Annotated[StepWhen, one_of(*StepWhen)] | None = Field(
        default=None,
        description="healthy (the default): only once the machine, or all of the wave, the stage or the rollout, is well; always: also when it isn't, and after a stop.",
        examples=["always"],
    )


class AroundSection(Narrowed):
    """Steps before and after each machine, which counts as out from the first to the last; or each wave, stage or rollout."""

    each: Annotated[Each, one_of(*Each)] = Field(
        default=Each.MACHINE,
        description="Around what: each machine, or each wave of a lane, stage or rollout that changes such a machine.",
        examples=["wave"],
    )
    before: Annotated[list[StepSection], OneOrMany] = Field(
        default_factory=list,
        description="A step, or several in order, before the change; of waves, stages and rollouts once, before their first.",
        examples=["{webhook: lb-drain, timeout: 10m}"],
    )
    after: Annotated[list[AfterStepSection], OneOrMany] = Field(
        default_factory=list,
        description="A step, or several in order, after it; of waves, stages and rollouts once their machines are done and verified.",
        examples=["{webhook: lb-undrain}"],
    )
