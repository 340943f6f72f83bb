"""What the configuration says of access and egress, as they are taken; and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orchestrator.access.issuer import secure
from orchestrator.access.model import Grant, Reach
from orchestrator.access.settings import CLOSED, Access, Issuer, Rule, TokenEntry
from orchestrator.access.tokens import read_hash
from orchestrator.daemon.access_schema import (
    AccessSection,
    EgressSection,
    GrantSection,
    IssuerSection,
    TokenSection,
)
from orchestrator.daemon.schema import DaemonFile
from orchestrator.daemon.secrets import read_secret
from orchestrator.egress.rules import NEVER, Rules, literal, read_network
from orchestrator.errors import Problem
from orchestrator.policy.document import Document
from orchestrator.wiring.cloud import is_loopback

_ANY_TENANT: Final = frozenset({"common", "organizations", "consumers"})  # Entra ID's
_MOST_SKEW: Final = timedelta(minutes=5)


def access_settings(
    document: Document, section: AccessSection | None, folder: Path, environment: Mapping[str, str]
) -> tuple[Access, list[Problem]]:
    """Who may do what; nobody anything where nothing is said."""
    if section is None:
        return CLOSED, []
    problems = list(_contradictions(document, section))
    issuer = None
    if section.issuer is not None:
        issuer, found = _issuer(document, section.issuer, folder, environment)
        problems += found
    tokens = []
    for name, one in section.tokens.items():
        digest = read_hash(one.hash)
        if digest is None:
            what = "this isn't the hash of a token: `sha256:` and 64 digits of 0-9, a-f"
            problems.append(
                document.problem(
                    ("access", "tokens", name, "hash"), what, f"make one with: wavekeeper token new {name}"
                )
            )
            continue
        expires = datetime(one.expires.year, one.expires.month, one.expires.day, tzinfo=UTC)
        tokens.append(TokenEntry(name, digest, expires, _grant(one)))
    access = Access(
        section.open,
        issuer,
        tuple(_rule(one) for one in section.grants),
        tuple(tokens),
        (section.issuer.page or "").rstrip("/") if section.issuer is not None else "",
        section.issuer.session if section.issuer is not None else CLOSED.session,
    )
    return access, problems


def egress_rules(document: Document, section: EgressSection | None) -> tuple[Rules, list[Problem]]:
    """Where probes and webhooks may go."""
    if section is None:
        return Rules(), []
    hosts, networks, problems = [], [], []
    for number, one in enumerate(section.allow):
        path = ("egress", "allow", number)
        network = read_network(one)
        if network is not None and any(network.version == n.version and network.subnet_of(n) for n in NEVER):  # type: ignore[arg-type]
            what = f"{one} hands out secrets of this machine, and is never asked"
            problems.append(document.problem(path, what, "take it out"))
        elif network is not None:
            networks.append(network)
        elif "/" in one or ":" in one or " " in one:
            what = f"{one} is neither a host's name nor a network"
            problems.append(
                document.problem(path, what, "write it as lb.example, *.corp.example or 10.0.0.0/8")
            )
        else:
            hosts.append(one)
    return Rules(tuple(hosts), tuple(networks)), problems


def refuse_open_doors(document: Document, file: DaemonFile) -> Iterator[Problem]:
    """What would serve others than were meant: everybody, or nobody, or whoever listens on the way."""
    if file.web is None:
        return
    if file.access is None:
        yield document.problem(
            ("web",),
            "who may use it isn't said",
            "write who may do what in `access`; on loopback, `access: {open: true}` lets everybody of this machine in",
            key=True,
        )
    yield from _unreachable_page(document, file)
    if is_loopback(f"http://{file.web.listen}"):
        return
    if file.access is not None and file.access.open:
        what = f"{file.web.listen} is open to other machines, and whoever connects may do everything"
        yield document.problem(
            ("access", "open"), what, "listen on 127.0.0.1, or say an `issuer` or `tokens` in place of `open`"
        )
    if file.web.tls is None and not file.web.behind_proxy:
        what = f"{file.web.listen} is open to other machines, and plain HTTP shows tokens to whoever is on the way"
        yield document.problem(
            ("web", "listen"),
            what,
            "say `tls`; or `behind_proxy: true` if something in front of it speaks TLS and nobody else gets there",
        )


def _unreachable_page(document: Document, file: DaemonFile) -> Iterator[Problem]:
    """The server refuses requests to names that it wasn't given, and the page's would be one."""
    issuer = file.access.issuer if file.access is not None else None
    host = _host(issuer.page or "") if issuer is not None else ""
    if file.web is None or not host or literal(host):
        return
    if host not in {"localhost", *(name.lower() for name in file.web.names)}:
        what = f"browsers come to {host}, which isn't among the `names` of `web`, so they are refused"
        yield document.problem(("access", "issuer", "page"), what, f"say `names: {host}` in `web`")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _contradictions(document: Document, section: AccessSection) -> Iterator[Problem]:
    if section.open:
        for key in ("issuer", "grants", "tokens"):
            if key in section.model_fields_set:
                what = f"`open: true` lets everybody in, whatever `{key}` says"
                yield document.problem(("access", key), what, "leave one of the two away", key=True)
        return
    if section.issuer is None and not section.tokens:
        what = "nobody can get in"
        yield document.problem(
            ("access",),
            what,
            "say an `issuer` with `grants`, or `tokens`; or on loopback `open: true`",
            key=True,
        )
    if section.issuer is not None and not section.grants:
        what = "whoever the issuer recognises may do nothing"
        yield document.problem(
            ("access", "issuer"),
            what,
            "say in `grants` who has which role: [{role: viewer, who: {groups: ...}}]",
            key=True,
        )
    if section.issuer is None and section.grants:
        what = "`grants` are for those whom an issuer recognises, and there is none"
        yield document.problem(
            ("access", "grants"), what, "say the `issuer`; a token has its role itself", key=True
        )
    for number, grant in enumerate(section.grants):
        if not grant.who:
            yield document.problem(
                ("access", "grants", number, "who"),
                "nobody is meant",
                "write the claims that they have, such as {groups: ops}",
            )


def _issuer(
    document: Document, section: IssuerSection, folder: Path, environment: Mapping[str, str]
) -> tuple[Issuer, list[Problem]]:
    problems: list[Problem] = []

    def wrong(key: str, what: str, instead: str = "") -> None:
        problems.append(document.problem(("access", "issuer", key), what, instead))

    if not secure(section.url):
        wrong(
            "url",
            f"{section.url} isn't HTTPS",
            "write the issuer as it calls itself, such as https://login.example",
        )
    if set(section.url.split("/")) & _ANY_TENANT:
        what = "this is the issuer of every tenant, and calls itself otherwise in each token"
        wrong("url", what, "write your tenant's id in it")
    if section.page is not None:
        parts = urlsplit(section.page)
        if (
            not secure(section.page)
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
            or parts.username
        ):
            wrong(
                "page",
                f"{section.page} is no address of a page",
                "write https:// and the host, with a port if it has one",
            )
    if section.skew > _MOST_SKEW:
        wrong(
            "skew",
            "with clocks so far apart, tokens count long after they expired",
            "write at most 5m, and set the clocks",
        )
    if "openid" not in section.scopes:
        wrong("scopes", "without `openid` there is no identity", "add openid")
    secret, found = read_secret(
        document, ("access", "issuer"), "secret",
        env=section.secret_env, file=section.secret_file, folder=folder, environment=environment,
    )  # fmt: skip
    problems += found
    issuer = Issuer(
        section.url,
        section.client,
        tuple(section.audiences) or (section.client,),
        secret,
        tuple(section.names),
        tuple(section.scopes),
        section.skew,
    )
    return issuer, problems


def _rule(section: GrantSection) -> Rule:
    return Rule(tuple((name, tuple(values)) for name, values in section.who.items()), _grant(section))


def _grant(section: GrantSection | TokenSection) -> Grant:
    tags = tuple((name, tuple(values)) for name, values in section.tags.items())
    return Grant(section.role, Reach(tuple(section.campaigns), tags))
