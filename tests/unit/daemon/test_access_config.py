"""What the configuration says of access, TLS and egress: as it is taken, and every mistake in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from orchestrator.access.model import Grant, Reach, Role
from orchestrator.access.settings import Access, Issuer, Rule, TokenEntry
from orchestrator.access.tokens import hash_of
from orchestrator.daemon.config import Config, read_config
from orchestrator.egress.rules import Rules
from orchestrator.errors import PolicyError
from tests.fakes.certificates import write

START = "version: 1\npolicies: {source: repo}\nfleet: {subscriptions: a}\n"
LOCAL = "web: {}\n"
OPEN = "access: {open: true}\n"
HASH = hash_of("wk_x")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration lies, beside a repository."""
    (tmp_path / "repo").mkdir()
    return tmp_path


def config(folder: Path, text: str, **environment: str) -> Config:
    """The configuration of a text."""
    (folder / "daemon.yaml").write_text(START + text)
    return read_config(folder / "daemon.yaml", environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    """What is wrong with it, without the folder."""
    with pytest.raises(PolicyError) as error:
        config(folder, text, **environment)
    return [str(problem).replace(f"{folder}/", "") for problem in error.value.problems]


def test_everything_that_it_may_say(folder: Path) -> None:
    """Whom to believe, and what that is good for; secrets are read, and never shown."""
    write(folder)
    made = config(
        folder,
        "web: {listen: '0.0.0.0:8470', tls: {certificate: tls.crt, key: tls.key}, names: W.example}\n"
        "access:\n"
        "  issuer: {url: https://login.example/t, client: c, audiences: api://c, secret_env: SECRET, page: https://w.example/,\n"
        "    session: 1h, names: [name], scopes: [openid], skew: 2m}\n"
        "  grants:\n"
        "    - {role: operator, who: {groups: [ops, duty], amr: mfa}, campaigns: shop-*, tags: {team: [shop, pay]}}\n"
        "    - {role: viewer, who: {realm_access.roles: staff}}\n"
        f"  tokens: {{ci: {{hash: '{HASH}', expires: 2027-03-01, role: admin}}}}\n"
        "egress: {allow: ['*.corp.example', 10.0.0.0/8, 127.0.0.1, 'fd12::/16']}\n",
        SECRET="hunter2",
    )
    shop = Reach(("shop-*",), (("team", ("shop", "pay")),))
    assert made.access == Access(
        issuer=Issuer(
            "https://login.example/t",
            "c",
            ("api://c",),
            "hunter2",
            ("name",),
            ("openid",),
            timedelta(minutes=2),
        ),
        rules=(
            Rule((("groups", ("ops", "duty")), ("amr", ("mfa",))), Grant(Role.OPERATOR, shop)),
            Rule((("realm_access.roles", ("staff",)),), Grant(Role.VIEWER)),
        ),
        tokens=(
            TokenEntry("ci", bytes.fromhex(HASH[7:]), datetime(2027, 3, 1, tzinfo=UTC), Grant(Role.ADMIN)),
        ),
        url="https://w.example",
        session=timedelta(hours=1),
    )
    networks = tuple(map(ip_network, ("10.0.0.0/8", "127.0.0.1/32", "fd12::/16")))
    assert made.egress == Rules(("*.corp.example",), networks)
    assert "hunter2" not in repr(made)
    assert HASH[7:] not in repr(made)


def test_without_anything_nobody_is_served_and_probes_reach_machines(folder: Path) -> None:
    """The default of access is nobody, of egress everywhere but here."""
    made = config(folder, "")
    assert (made.web, made.access, made.egress) == (None, Access(), Rules())


def test_what_may_be_on_loopback(folder: Path) -> None:
    """Plain HTTP and open access; behind a proxy plain HTTP may be on any address."""
    for address in ("127.0.0.1:8470", "'[::1]:8470'", "localhost:8470"):
        assert config(folder, f"web: {{listen: {address}}}\n{OPEN}").access.open
    tokens = f"access: {{tokens: {{ci: {{hash: '{HASH}', expires: 2027-03-01, role: viewer}}}}}}\n"
    assert config(folder, "web: {listen: '0.0.0.0:80', behind_proxy: true}\n" + tokens).web is not None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (LOCAL, "daemon.yaml:4:1: who may use it isn't said; write who may do what in `access`"),
        (
            "web: {listen: '0.0.0.0:80', behind_proxy: true}\n" + OPEN,
            "daemon.yaml:5:16: 0.0.0.0:80 is open to other machines, and whoever connects may do everything; listen on 127.0.0.1",
        ),
        (
            "web: {listen: '10.1.2.3:80'}\n" + OPEN,
            "daemon.yaml:4:15: 10.1.2.3:80 is open to other machines, and plain HTTP shows tokens to whoever is on the way; say `tls`",
        ),
        (
            "web: {tls: {certificate: no.crt, key: no.key}}\n" + OPEN,
            "daemon.yaml:4:7: no.crt or no.key can't be read",
        ),
        (
            LOCAL + "access: {issuer: {url: https://i.example, client: c, page: https://w.example}, grants: [{role: viewer, who: {g: a}}]}\n",
            "browsers come to w.example, which isn't among the `names` of `web`, so they are refused; say `names: w.example` in `web`",
        ),
        ("access: {}\n", "daemon.yaml:4:1: nobody can get in; say an `issuer` with `grants`, or `tokens`"),
        (
            "access: {open: true, tokens: {}}\n",
            "daemon.yaml:4:22: `open: true` lets everybody in, whatever `tokens` says; leave one of the two away",
        ),
        ("access: {open: yes}\n", "`yes` is text in YAML 1.2, not a truth value; write true"),
        (
            "access: {grants: [{role: viewer, who: {groups: a}}]}\n",
            "`grants` are for those whom an issuer recognises, and there is none",
        ),
        (
            "access: {issuer: {url: https://i.example, client: c}}\n",
            "whoever the issuer recognises may do nothing; say in `grants` who has which role",
        ),
        ("access: {tokens: {ci: {hash: wk_plain, expires: 2027-03-01, role: viewer}}}\n", "make one with: wavekeeper token new ci"),
        (f"access: {{tokens: {{ci: {{hash: '{HASH}', expires: soon, role: viewer}}}}}}\n", "`soon` isn't a date"),
        (f"access: {{tokens: {{ci: {{hash: '{HASH}', expires: 2027-03-01, role: root}}}}}}\n", "write viewer, operator or admin"),
        (f"access: {{tokens: {{ci: {{hash: '{HASH}', expires: 2027-03-01, role: viewer, campaign: x}}}}}}\n", "did you mean `campaigns`"),
        ("egress: {allow: [169.254.169.254]}\n", "daemon.yaml:4:18: 169.254.169.254 hands out secrets of this machine, and is never asked; take it out"),
        ("egress: {allow: [https://lb.example]}\n", "https://lb.example is neither a host's name nor a network; write it as lb.example"),
        ("egress: {allow: [10.0.0.0/33]}\n", "10.0.0.0/33 is neither a host's name nor a network"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(folder: Path, text: str, wrong: str) -> None:
    """And with what to write instead."""
    assert any(wrong in one for one in problems(folder, text)), problems(folder, text)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("url: http://login.example, client: c", "http://login.example isn't HTTPS"),
        ("url: https://login.microsoftonline.com/common/v2.0, client: c", "write your tenant's id in it"),
        (
            "url: https://i.example, client: c, page: http://w.example",
            "http://w.example is no address of a page",
        ),
        ("url: https://i.example, client: c, page: https://w.example/sub", "is no address of a page"),
        ("url: https://i.example, client: c, skew: 1h", "write at most 5m"),
        ("url: https://i.example, client: c, scopes: [email]", "without `openid` there is no identity"),
        ("url: https://i.example, client: c, secret_env: NONE", "the environment has no NONE"),
        ("url: https://i.example, client: c, secret_file: none", "none"),
        ("url: https://i.example, client: c, secret_file: none, secret_env: X", "the secret is said twice"),
        ("url: https://i.example, client: c, secret: hunter2", "did you mean `secret_env`"),
    ],
)
def test_what_is_wrong_with_an_issuer(folder: Path, said: str, wrong: str) -> None:
    """Before it is asked anything."""
    text = f"access: {{issuer: {{{said}}}, grants: [{{role: viewer, who: {{groups: a}}}}]}}\n"
    found = problems(folder, text)
    assert any(wrong in one for one in found), found


@pytest.mark.parametrize(
    "source", ["https://me:hunter2@git.example/p.git", "https://ghp_t0ken@git.example/p.git"]
)
def test_no_password_stands_in_the_repositorys_url(folder: Path, source: str) -> None:
    """Everybody reads a configuration, and logs say which repository is followed."""
    (folder / "daemon.yaml").write_text(START.replace("repo", source))
    with pytest.raises(PolicyError) as error:
        read_config(folder / "daemon.yaml", {})
    assert "say `user` and `password_env` or `password_file`" in str(error.value)
    assert "hunter2" not in str(error.value)
    assert "t0ken" not in str(error.value)
