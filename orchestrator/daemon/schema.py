"""The language of the daemon's configuration. docs/daemon.md is its reference, and a test holds it to these descriptions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from orchestrator.daemon.access_schema import (
    AccessSection,
    EgressSection,
    GrantSection,
    IssuerSection,
    TlsSection,
    TokenSection,
)
from orchestrator.daemon.operating_schema import MetricsSection, ReceiverSection, TellSection
from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import Flag, Name, OneOrMany, PositiveDuration, Text, Version


class GitSection(Section):
    """Where the policies come from."""

    source: Text = Field(
        description="The repository: a URL (https, ssh, git), or a folder of this machine, which is read as it is committed.",
        examples=["https://git.example/platform/policies.git"],
    )
    branch: Text = Field(default="main", description="The branch that counts.", examples=["main"])
    folder: Text = Field(
        default="policies",
        description="The folder of policies and their tests in it; `.` for all of it.",
        examples=["policies"],
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=1), description="How often it is looked for new commits.", examples=["1m"]
    )
    user: Text | None = Field(
        default=None,
        description="Who asks, where the repository wants to know.",
        examples=["wavekeeper"],
    )
    password_env: Text | None = Field(
        default=None,
        description="The environment variable that holds the password or token; never the secret itself.",
        examples=["WAVEKEEPER_GIT_TOKEN"],
    )
    password_file: Text | None = Field(
        default=None, description="Or a file that holds it.", examples=["/run/secrets/git-token"]
    )


class FleetSection(Section):
    """Which machines there are."""

    subscriptions: Annotated[list[Text], OneOrMany] = Field(
        description="Azure subscription ids, all in one scope.",
        examples=["[00000000-0000-0000-0000-000000000000]"],
    )
    endpoint: Text | None = Field(
        default=None,
        description="Another Azure Resource Manager than Azure's own, such as an emulator.",
        examples=["http://127.0.0.1:8800"],
    )
    every: PositiveDuration = Field(
        default=timedelta(minutes=30),
        description="How often the inventory is read; a rollout is always planned on a fresh one.",
        examples=["30m"],
    )
    health: PositiveDuration = Field(
        default=timedelta(minutes=1),
        description="How often it is looked who is out, at the most. A look lists every machine, so that there is one each 0.6 s a machine, and from 1,000 machines on one each ten minutes.",
        examples=["1m"],
    )


class CampaignSection(Section):
    """What the daemon may do with a campaign of the policies."""

    act: Flag = Field(
        default=False,
        description="Whether its rollouts are really run. Until then it is only observed: planned when it is due, held to windows and health, and told of.",
        examples=["true"],
    )
    catch_up: PositiveDuration = Field(
        default=timedelta(days=7),
        description="How late a moment of its schedule may still be taken up; of several that were missed, only the last.",
        examples=["7d"],
    )
    stragglers: Flag = Field(
        default=True,
        description="Whether machines that its rollout left out or didn't change, and new ones, are taken up in the next windows.",
        examples=["true"],
    )


class WebSection(Section):
    """Where the API and the page are served. Without this section they are not."""

    listen: Text = Field(
        default="127.0.0.1:8470",
        description="The address and port. Any but loopback is open to others: say it on purpose.",
        examples=["127.0.0.1:8470"],
    )
    tls: TlsSection | None = Field(
        default=None,
        description="The certificate to be shown. Without it, it is plain HTTP, which other machines than this one aren't served.",
        examples=["{certificate: /etc/wavekeeper/tls.crt, key: /etc/wavekeeper/tls.key}"],
    )
    behind_proxy: Flag = Field(
        default=False,
        description="true: something in front of it speaks TLS, and nobody else reaches the address; then plain HTTP may be listened for on any.",
        examples=["true"],
    )
    names: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Host names that it is reached by, besides loopback and the address itself; a request to any other is refused.",
        examples=["[wavekeeper.example]"],
    )
    origins: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="Pages of other sites that may use the API from a browser, as `https://host`. None if left out.",
        examples=["[https://tools.example]"],
    )
    requests_per_minute: int = Field(
        default=600,
        ge=1,
        description="How many requests one person may make a minute; a hundred more at once are let through.",
        examples=["600"],
    )
    largest_body: int = Field(
        default=64,
        ge=1,
        le=2048,
        description="MiB of the largest body that is taken: a plan.",
        examples=["64"],
    )


class DaemonFile(Section):
    """The daemon's configuration."""

    version: Version = Field(description="The version of this language: 1.", examples=["1"])
    policies: GitSection = Field(
        description="Where the policies come from.",
        examples=["{source: https://git.example/platform/policies.git}"],
    )
    fleet: FleetSection = Field(
        description="Which machines there are.",
        examples=["{subscriptions: [00000000-0000-0000-0000-000000000000]}"],
    )
    campaigns: dict[Name, CampaignSection] = Field(
        default_factory=dict,
        description="By the campaign's name. One that isn't named here is only observed.",
        examples=["{monthly: {act: true}}"],
    )
    journal: Text | None = Field(
        default=None,
        description="The journal's file, one a fleet; this user's own if left out. What the daemon keeps besides lies next to it.",
        examples=["/var/lib/wavekeeper/journal.db"],
    )
    keep_for: PositiveDuration = Field(
        default=timedelta(days=400),
        description="How long rollouts that are over stay in the journal. Then they move into an archive beside it, which every command reads; machines that are still out stay counted.",
        examples=["400d"],
    )
    webhooks: Text | None = Field(
        default=None,
        description="A JSON file that says where the webhooks of policies go, as for `wavekeeper rollout --webhooks`.",
        examples=["/etc/wavekeeper/webhooks.json"],
    )
    web: WebSection | None = Field(
        default=None,
        description="Where the API and the page are served; nowhere if left out.",
        examples=["{listen: 127.0.0.1:8470}"],
    )
    access: AccessSection | None = Field(
        default=None,
        description="Who may do what with the API and the page. Must be said where they are served: whatever isn't granted is denied.",
        examples=["{open: true}"],
    )
    egress: EgressSection | None = Field(
        default=None,
        description="Where probes and webhooks may go; all networks but this machine's own, if left out.",
        examples=['{allow: ["*.corp.example", 10.0.0.0/8]}'],
    )
    tell: TellSection | None = Field(
        default=None,
        description="Whom the daemon tells by webhook of every rollout and of itself, besides those whom policies name.",
        examples=["{to: {webhook: platform-team}, page: https://wavekeeper.example}"],
    )
    metrics: MetricsSection | None = Field(
        default=None,
        description="Where metrics and health are served for whoever operates the daemon; nowhere if left out.",
        examples=["{listen: 127.0.0.1:9464}"],
    )


SECTIONS: Final = (
    DaemonFile,
    GitSection,
    FleetSection,
    CampaignSection,
    WebSection,
    TlsSection,
    AccessSection,
    IssuerSection,
    GrantSection,
    TokenSection,
    EgressSection,
    TellSection,
    ReceiverSection,
    MetricsSection,
)
"""All there are."""
