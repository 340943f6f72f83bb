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
from orchestrator.daemon.schema import CampaignSection, DaemonFile, FleetSection, GitSection, WebSection
from orchestrator.daemon.secrets import read_secret
from orchestrator.daemon.web import web_settings
from orchestrator.egress.rules import Rules
from orchestrator.errors import Problem, UsageError
from orchestrator.gitops.model import Login
from orchestrator.notify.webhook import Target
from orchestrator.policy.checked import read_checked, refuse_if_any
from orchestrator.policy.complaints import Language
from orchestrator.policy.document import Document
from orchestrator.web.settings import Settings
from orchestrator.wiring.files import read_bytes
from orchestrator.wiring.journal import journal_path
from orchestrator.wiring.rollout import read_webhooks

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


OBSERVED: Final = Campaign()
"""One that the configuration doesn't name."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the daemon was told. Files in it are found; secrets are read, and never shown."""

    file: Path
    git: GitSection
    login: Login = field(repr=False)
    subscriptions: tuple[str, ...]
    endpoint: str | None
    inventory_age: timedelta
    campaigns: Mapping[str, Campaign]
    journal: Path
    keep_for: timedelta
    webhooks: Mapping[str, Target] = field(repr=False)
    web: Settings | None = None
    access: Access = CLOSED
    egress: Rules = field(default_factory=Rules)

    @property
    def state(self) -> Path:
        """The folder for what the daemon keeps besides the journal."""
        return self.journal.parent / f"{self.journal.stem}.daemon"

    def campaign(self, name: str) -> Campaign:
        """What may be done with this one."""
        return self.campaigns.get(name.lower(), OBSERVED)

    def with_campaigns_of(self, other: Config) -> Config:
        """This one, but for what may be done with campaigns and by whom, how old an inventory may be, and what the journal keeps."""
        return replace(
            self,
            campaigns=other.campaigns,
            inventory_age=other.inventory_age,
            keep_for=other.keep_for,
            access=other.access,
        )


def read_config(file: Path, environment: Mapping[str, str] | None = None) -> Config:
    """What a configuration says.

    Raises:
        PolicyError: with every problem of it, each with its place and what to write instead.
        UsageError: the file can't be read.
    """
    content = read_bytes(file, "configuration")
    document, checked, found = read_checked(str(file), content, DaemonFile, LANGUAGE)
    config, more = _made(file, document, checked, os.environ if environment is None else environment)
    refuse_if_any([*found, *more])
    return config


def _made(
    file: Path, document: Document, checked: DaemonFile, environment: Mapping[str, str]
) -> tuple[Config, list[Problem]]:
    folder = file.absolute().parent
    login, problems = _login(document, checked.policies, folder, environment)
    webhooks: Mapping[str, Target] = {}
    if checked.webhooks is not None:
        try:
            webhooks = read_webhooks(folder / checked.webhooks)
        except UsageError as error:
            problems.append(document.problem(("webhooks",), str(error)))
    git = checked.policies
    if "://" not in git.source and not _is_ssh(git.source):
        here = folder / Path(git.source).expanduser()
        git = git.model_copy(update={"source": str(here)})
        if not here.is_dir():
            what = f"there is no folder {here}"
            problems.append(
                document.problem(("policies", "source"), what, "write a URL, or a folder that is there")
            )
    web, found = web_settings(document, checked.web, folder)
    problems += found
    access, found = access_settings(document, checked.access, folder, environment)
    problems += found
    egress, found = egress_rules(document, checked.egress)
    problems += found
    problems += refuse_open_doors(document, checked)
    config = Config(
        file=file,
        git=git,
        login=login,
        subscriptions=tuple(checked.fleet.subscriptions),
        endpoint=checked.fleet.endpoint,
        inventory_age=checked.fleet.every,
        campaigns={name.lower(): Campaign(one.act, one.catch_up) for name, one in checked.campaigns.items()},
        keep_for=checked.keep_for,
        journal=journal_path(folder / checked.journal if checked.journal is not None else None),
        webhooks=webhooks,
        web=web,
        access=access,
        egress=egress,
    )
    return config, problems


def _is_ssh(source: str) -> bool:
    """`git@host:path`, as ssh writes it."""
    host, colon, _ = source.partition(":")
    return bool(colon) and "@" in host


def _login(
    document: Document, git: GitSection, folder: Path, environment: Mapping[str, str]
) -> tuple[Login, list[Problem]]:
    password, found = read_secret(
        document, ("policies",), "password",
        env=git.password_env, file=git.password_file, folder=folder, environment=environment,
    )  # fmt: skip
    scheme, slashes, rest = git.source.partition("://")
    if slashes and scheme in ("http", "https") and "@" in rest.partition("/")[0]:
        what = "the repository's URL holds who asks, and maybe a password, where everybody reads it"
        instead = "take what stands before the @ out, and say `user` and `password_env` or `password_file`"
        found.append(document.problem(("policies", "source"), what, instead))
    return Login(git.user or "", password), found
