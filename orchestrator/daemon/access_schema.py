"""The language of the daemon's configuration, as far as it says who may do what, and where the daemon itself may go."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from orchestrator.access.model import Role
from orchestrator.access.settings import NAME_CLAIMS, SCOPES
from orchestrator.policy.schema.section import Section
from orchestrator.policy.time_values import Date
from orchestrator.policy.values import Duration, Flag, Name, OneOrMany, PositiveDuration, Text, one_of

_CAMPAIGNS: Final = (
    "Only for campaigns of these names; globs (`*`, `?`) are allowed, and case doesn't matter."
)
_TAGS: Final = (
    "Only for machines with these tags, each with a value or a list of values; values may be globs, and case doesn't matter. "
    "With `campaigns` as well: such machines in such campaigns."
)


class IssuerSection(Section):
    """Who says who people are, by OpenID Connect."""

    url: Text = Field(
        description="The issuer, exactly as it calls itself; its discovery document is found from there.",
        examples=["https://login.microsoftonline.com/TENANT/v2.0"],
    )
    client: Text = Field(
        description="The client id that is registered there for Wavekeeper.",
        examples=["11111111-2222-3333-4444-555555555555"],
    )
    audiences: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list,
        description="For whom a bearer token may be; the client id if left out.",
        examples=["[api://wavekeeper]"],
    )
    secret_env: Text | None = Field(
        default=None,
        description="The environment variable that holds the client's secret, where it has one; never the secret itself.",
        examples=["WAVEKEEPER_CLIENT_SECRET"],
    )
    secret_file: Text | None = Field(
        default=None, description="Or a file that holds it.", examples=["/run/secrets/client-secret"]
    )
    page: Text | None = Field(
        default=None,
        description="The page's address as browsers see it. Without it nobody signs in by a browser. The issuer must know PAGE/sign-in/callback as a redirect URI.",
        examples=["https://wavekeeper.example"],
    )
    session: PositiveDuration = Field(
        default=timedelta(hours=8),
        description="How long somebody stays signed in at the page. Who loses a group at the issuer loses it here by then.",
        examples=["8h"],
    )
    names: Annotated[list[Text], OneOrMany] = Field(
        default_factory=lambda: list(NAME_CLAIMS),
        description="The claims in which the name is looked for that the journal says, in this order; then `sub`. `email` counts only if the issuer verified it. preferred_username, upn, email if left out.",
        examples=["[preferred_username]"],
    )
    scopes: Annotated[list[Text], OneOrMany] = Field(
        default_factory=lambda: list(SCOPES),
        description="What a browser's sign-in asks for. openid, profile, email if left out.",
        examples=["[openid, profile, groups]"],
    )
    skew: Duration = Field(
        default=timedelta(minutes=1),
        description="How far the issuer's clock may be from this machine's, at most 5m.",
        examples=["1m"],
    )


class GrantSection(Section):
    """A role, for whom, and for which part of the fleet."""

    role: Annotated[Role, one_of(*Role)] = Field(
        description="viewer, operator or admin; docs/access.md has the table.", examples=["operator"]
    )
    who: dict[Text, Annotated[list[Text], OneOrMany]] = Field(
        description="The claims that somebody must have, each with a value or a list of values of which one is enough. `realm_access.roles` is a claim within a claim.",
        examples=["{groups: [0a1b2c3d-0000-0000-0000-000000000000]}"],
    )
    campaigns: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list, description=_CAMPAIGNS, examples=["[shop-*]"]
    )
    tags: dict[str, Annotated[list[Text], OneOrMany]] = Field(
        default_factory=dict, description=_TAGS, examples=["{team: shop}"]
    )


class TokenSection(Section):
    """A machine's token. `wavekeeper token new NAME` makes it, and writes this line."""

    hash: Text = Field(
        description="The SHA-256 of the token. The token itself is nowhere but with whoever uses it.",
        examples=["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    expires: Date = Field(
        description="The first day, in UTC, on which it no longer counts.", examples=["2027-03-01"]
    )
    role: Annotated[Role, one_of(*Role)] = Field(
        description="viewer, operator or admin; docs/access.md has the table.", examples=["viewer"]
    )
    campaigns: Annotated[list[Text], OneOrMany] = Field(
        default_factory=list, description=_CAMPAIGNS, examples=["[shop-*]"]
    )
    tags: dict[str, Annotated[list[Text], OneOrMany]] = Field(
        default_factory=dict, description=_TAGS, examples=["{team: shop}"]
    )


class AccessSection(Section):
    """Who may do what. Whatever isn't granted here is denied."""

    open: Flag = Field(
        default=False,
        description="true: whoever can connect may do everything, without saying who they are. On loopback alone, and instead of all else.",
        examples=["true"],
    )
    issuer: IssuerSection | None = Field(
        default=None,
        description="Who says who people are, by OpenID Connect.",
        examples=["{url: https://login.example, client: wavekeeper}"],
    )
    grants: list[GrantSection] = Field(
        default_factory=list,
        description="Which role whoever the issuer recognised has. Several that fit add up.",
        examples=["[{role: operator, who: {groups: ops}}]"],
    )
    tokens: dict[Name, TokenSection] = Field(
        default_factory=dict,
        description="Machines, by name, with the token that each has.",
        examples=["{ci: {hash: sha256:..., expires: 2027-03-01, role: viewer}}"],
    )


class EgressSection(Section):
    """Where probes and webhooks may go."""

    allow: Annotated[list[Text], OneOrMany] = Field(
        default_factory=lambda: ["*"],
        description='Host names (globs are allowed), addresses and networks. "*" if left out: everywhere but this machine, link-local and multicast addresses, which are open only where a network within them is named. Metadata addresses (169.254.169.254, 168.63.129.16) never are.',
        examples=['["*.corp.example", 10.0.0.0/8]'],
    )


class TlsSection(Section):
    """The certificate that the server shows. Both files are read again when they change."""

    certificate: Text = Field(
        description="A PEM file: the certificate, then those that lead to its root.",
        examples=["/etc/wavekeeper/tls.crt"],
    )
    key: Text = Field(
        description="A PEM file: its private key, without a passphrase.",
        examples=["/etc/wavekeeper/tls.key"],
    )
