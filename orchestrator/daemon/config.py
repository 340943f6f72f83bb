"""The daemon's configuration: YAML text to what it says, or every mistake in it, with its place and what to write instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from orchestrator.access.settings import CLOSED, Access
from orchestrator.daemon.access import access_settings, egress_rules, refuse_open_doors
from orchestrator.daemon.access_schema import (
    AccessSection,
    EgressSection,
    GrantSection,
    IssuerSection,
    TlsSection,
    TokenSection,
)
from orchestrator.daemon.named import look_up
from orchestrator.daemon.operating import Tell, metrics_address, tell_settings
from orchestrator.daemon.operating_schema import MetricsSection, ReceiverSection, TellSection
from orchestrator.daemon.schema import CampaignSection, DaemonFile, FleetSection, GitSection, WebSection
from orchestrator.daemon.web import web_settings
from orchestrator.egress.rules import Rules
from orchestrator.errors import PolicyError, Problem
from orchestrator.gitops.model import Login
from orchestrator.notify.webhook import Target
from orchestrator.policy.checked import read_checked, refuse_if_any
from orchestrator.policy.complaints import Language
from orchestrator.policy.document import Document, read
from orchestrator.telemetry.endpoint import Address
from orchestrator.web.settings import Settings
from orchestrator.wiring.files import read_bytes
from orchestrator.wiring.journal import journal_path

LANGUAGE: Final = Language(
    root=DaemonFile,
    homes=MappingProxyType(
        {
            DaemonFile: "at the top of the file",
            GitSection: "in `policies`",
            FleetSection: "in `fleet`",
            CampaignSection: "in an entry of `campaigns`",
            WebSection: "in `web`",
            TlsSection: "in `tls`",
            AccessSection: "in `access`",
            IssuerSection: "in `issuer`",
            GrantSection: "in an entry of `grants`",
            TokenSection: "in an entry of `tokens`",
            EgressSection: "in `egress`",
            TellSection: "in `tell`",
            ReceiverSection: "in an entry of `tell`",
            MetricsSection: "in `metrics`",
        }
    ),
    entry="a campaign",
    entries="campaigns",
    kinds=(),
    example="monthly: {act: true}",
)


@dataclass(frozen=True, slots=True)
class Campaign:
    """What may be done with a campaign."""

    act: bool = False
    catch_up: timedelta = timedelta(days=7)
    stragglers: bool = True


OBSERVED: Final = Campaign()
"""One that the configuration doesn't name."""


STALE_AFTER: Final = 3
"""So many times the age that it may have, and an inventory is stale: it couldn't be read for that long."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the daemon was told. Files in it are found; secrets are read, and never shown."""

    file: Path
    git: GitSection
    login: Login = field(repr=False)
    subscriptions: tuple[str, ...]
    endpoint: str | None
    inventory_age: timedelta
    health_every: timedelta
    campaigns: Mapping[str, Campaign]
    journal: Path
    keep_for: timedelta
    webhooks: Mapping[str, Target] = field(repr=False)
    web: Settings | None = None
    access: Access = CLOSED
    egress: Rules = field(default_factory=Rules)
    tell: Tell = field(default_factory=Tell)
    metrics: Address | None = None

    @property
    def state(self) -> Path:
        """The folder for what the daemon keeps besides the journal."""
        return self.journal.parent / f"{self.journal.stem}.daemon"

    @property
    def inventory_limit(self) -> timedelta:
        """The age from which on an inventory is stale."""
        return STALE_AFTER * self.inventory_age

    def campaign(self, name: str) -> Campaign:
        """What may be done with this one."""
        return self.campaigns.get(name.lower(), OBSERVED)

    def taken_over(self, new: Config) -> tuple[Config, tuple[str, ...]]:
        """This one with all of a newer one that can hold without a restart, and the keys that differ and can't."""
        git = self.git.model_copy(update={"every": new.git.every})
        fixed = {
            "policies": (git, self.login) != (new.git, new.login),
            "fleet.subscriptions": self.subscriptions != new.subscriptions,
            "fleet.endpoint": self.endpoint != new.endpoint,
            "fleet.health": self.health_every != new.health_every,
            "journal": self.journal != new.journal,
            "web": self.web != new.web,
            "egress": self.egress != new.egress,
            "metrics": self.metrics != new.metrics,
            "tell.page": self.tell.page != new.tell.page,
        }
        config = replace(
            self,
            git=git,
            campaigns=new.campaigns,
            inventory_age=new.inventory_age,
            keep_for=new.keep_for,
            webhooks=new.webhooks,
            access=new.access,
            tell=replace(new.tell, page=self.tell.page),
        )
        return config, tuple(name for name, differs in fixed.items() if differs)


def read_config(file: Path, environment: Mapping[str, str] | None = None) -> Config:
    """What a configuration says.

    Raises:
        PolicyError: with every problem of it, each with its place and what to write instead.
        UsageError: the file can't be read.
    """
    content = read_bytes(file, "configuration")
    around = os.environ if environment is None else environment
    try:
        document, checked, found = read_checked(str(file), content, DaemonFile, LANGUAGE)
    except PolicyError as error:
        plain, _ = read(str(file), content)
        missing = look_up(plain, file.absolute().parent, around).problems if plain is not None else []
        raise PolicyError([*error.problems, *missing]) from None
    config, more = _made(file, document, checked, around)
    refuse_if_any([*found, *more])
    return config


def _made(
    file: Path, document: Document, checked: DaemonFile, environment: Mapping[str, str]
) -> tuple[Config, list[Problem]]:
    folder = file.absolute().parent
    named = look_up(document, folder, environment)
    web, problems = web_settings(document, checked.web, folder)
    access, found = access_settings(document, checked.access, folder, environment)
    problems += found
    egress, found = egress_rules(document, checked.egress)
    problems += found
    problems += refuse_open_doors(document, checked)
    tell, found = tell_settings(document, checked.tell, named.webhooks)
    problems += found
    metrics, found = metrics_address(document, checked.metrics, web)
    problems += found
    config = Config(
        file=file,
        git=checked.policies.model_copy(update={"source": named.source}),
        login=named.login,
        subscriptions=tuple(checked.fleet.subscriptions),
        endpoint=checked.fleet.endpoint,
        inventory_age=checked.fleet.every,
        health_every=checked.fleet.health,
        campaigns={
            name.lower(): Campaign(one.act, one.catch_up, one.stragglers)
            for name, one in checked.campaigns.items()
        },
        keep_for=checked.keep_for,
        journal=journal_path(folder / checked.journal if checked.journal is not None else None),
        webhooks=named.webhooks,
        web=web,
        access=access,
        egress=egress,
        tell=tell,
        metrics=metrics,
    )
    return config, [*named.problems, *problems]
