"""A configuration is read as a whole: every mistake at once, with its place, and no secret in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.daemon.config import OBSERVED, Campaign, Config, read_config
from orchestrator.errors import PolicyError

SMALLEST = """\
version: 1
policies: {source: repo}
fleet: {subscriptions: 11111111-0000-0000-0000-000000000000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration lies, beside a repository."""
    (tmp_path / "repo").mkdir()
    return tmp_path


def config(folder: Path, text: str, **environment: str) -> Config:
    """The configuration of a text."""
    (folder / "daemon.yaml").write_text(text)
    return read_config(folder / "daemon.yaml", environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    """What is wrong with it, without the folder."""
    with pytest.raises(PolicyError) as error:
        config(folder, text, **environment)
    return [str(problem).replace(f"{folder}/", "") for problem in error.value.problems]


def test_the_smallest_only_observes(folder: Path) -> None:
    """Nobody who forgets a word has machines changed."""
    made = config(folder, SMALLEST)
    assert made.git.source == str(folder / "repo")
    assert (made.git.branch, made.git.folder) == ("main", "policies")
    assert made.campaign("anything") == OBSERVED
    assert not made.campaign("anything").act


def test_everything_that_it_may_say(folder: Path) -> None:
    """Files are found from its own folder on."""
    (folder / "hooks.json").write_text('{"drain": {"url": "https://lb.example/drain", "secret": "s3cret"}}')
    made = config(
        folder,
        "version: 1\n"
        "policies: {source: https://git.example/p.git, branch: prod, folder: ., every: 5m, user: bot, password_env: TOKEN}\n"
        "fleet: {subscriptions: [a, b], endpoint: http://127.0.0.1:8800, every: 2h}\n"
        "campaigns: {Monthly: {act: true, catch_up: 2d}}\n"
        "journal: state/journal.db\nwebhooks: hooks.json\n",
        TOKEN="hunter2",
    )
    assert made.login.password == "hunter2"
    assert "hunter2" not in repr(made)
    assert "s3cret" not in repr(made)
    assert made.campaign("monthly") == Campaign(act=True, catch_up=timedelta(days=2))
    assert made.journal == folder / "state/journal.db"
    assert made.state == folder / "state/journal.daemon"
    assert made.subscriptions == ("a", "b")


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    """With line and column, and what to write instead."""
    text = (
        "version: 2\npolicies: {source: nowhere, brunch: main, password_env: TOKEN}\n"
        "campaigns: {monthly: {act: yes}}\nflet: {}\n"
    )
    found = problems(folder, text)
    assert any(one.startswith("daemon.yaml:1:") for one in found)
    assert any("brunch" in one and "did you mean `branch`" in one for one in found)
    assert any("daemon.yaml:3:" in one and "write true" in one for one in found)
    assert any("flet" in one for one in found)


def test_what_is_not_there_is_named(folder: Path) -> None:
    """A folder, a secret, a file: all of them."""
    text = (
        SMALLEST.replace("{source: repo}", "{source: nowhere, password_env: TOKEN}")
        + "webhooks: hooks.json\n"
    )
    found = problems(folder, text)
    assert any("there is no folder" in one and "nowhere" in one for one in found)
    assert any("the environment has no TOKEN" in one for one in found)
    assert any("hooks.json" in one for one in found)
    twice = SMALLEST.replace("{source: repo}", "{source: repo, password_env: T, password_file: f}")
    assert any("said twice" in one for one in problems(folder, twice, T="x"))


def test_what_is_not_there_is_told_with_mistakes_in_the_language(folder: Path) -> None:
    """Who mends the one would else be told of the other only then."""
    text = (
        SMALLEST.replace("{source: repo}", "{source: nowhere, brunch: main, password_env: TOKEN}")
        + "webhooks: hooks.json\n"
    )
    found = problems(folder, text)
    for part in ("there is no folder", "brunch", "the environment has no TOKEN", "hooks.json"):
        assert any(part in one for one in found)
    assert any("must be a mapping" in one or "policies" in one for one in problems(folder, "policies: [x]\n"))


def test_what_holds_without_a_restart(folder: Path) -> None:
    """And what doesn't, by name."""
    (folder / "hooks.json").write_text('{"drain": {"url": "https://lb.example/drain"}}')
    old = config(folder, SMALLEST)
    new = config(
        folder,
        SMALLEST.replace("{source: repo}", "{source: repo, every: 5m}").replace(
            "0000}", "0000, every: 2h, health: 5m}"
        )
        + "campaigns: {monthly: {act: true, stragglers: false}}\nkeep_for: 30d\nwebhooks: hooks.json\njournal: j.db\n",
    )
    made, restart = old.taken_over(new)
    assert (made.git.every, made.inventory_age) == (timedelta(minutes=5), timedelta(hours=2))
    assert made.campaign("monthly") == Campaign(act=True, stragglers=False)
    assert made.keep_for == timedelta(days=30)
    assert set(made.webhooks) == {"drain"}
    assert (made.journal, made.health_every) == (old.journal, old.health_every)
    assert restart == ("fleet.health", "journal")


def test_who_is_told_and_where_metrics_are(folder: Path) -> None:
    """Of everything, if nothing is said."""
    (folder / "hooks.json").write_text(
        '{"ops": {"url": "https://ops.example"}, "chat": {"url": "https://c.example"}}'
    )
    made = config(
        folder,
        SMALLEST + "webhooks: hooks.json\n"
        "tell: {to: [{webhook: ops, on: [stopped, git]}, {webhook: chat}], page: https://w.example/}\n"
        'metrics: {listen: "[::1]:9000"}\n',
    )
    ops, chat = made.tell.receivers
    assert (ops.webhook, ops.on) == ("ops", ("stopped", "git"))
    assert {"started", "bad_commit", "hold"} <= set(chat.on)
    assert made.tell.page == "https://w.example"
    assert str(made.metrics) == "[::1]:9000"


def test_receivers_that_lead_nowhere_are_refused(folder: Path) -> None:
    """With the names that there are; twice the same, and what isn't known, too."""
    (folder / "hooks.json").write_text('{"ops": {"url": "https://ops.example"}}')
    found = problems(
        folder,
        SMALLEST + "webhooks: hooks.json\n"
        "tell: {to: [{webhook: opps}, {webhook: ops}, {webhook: ops}], page: w.example}\n"
        "metrics: {listen: 9464}\n",
    )
    assert found == [
        "daemon.yaml:5:23: `webhooks` doesn't say where opps goes; one of ops",
        "daemon.yaml:5:56: ops is told twice; write one entry with all of `on`",
        "daemon.yaml:5:69: w.example is no address of a page; write it as https://host",
        "daemon.yaml:6:19: 9464 is no address to listen on; write an address and a port, such as 127.0.0.1:9464 or [::1]:9464",
    ]
    assert "`dune` isn't known here" in problems(folder, SMALLEST + "tell: {to: {webhook: a, on: dune}}\n")[0]


def test_metrics_and_the_page_do_not_listen_at_one_address(folder: Path) -> None:
    """The second would find it taken, when all the rest is up."""
    found = problems(folder, SMALLEST + "web: {}\naccess: {open: true}\nmetrics: {listen: 127.0.0.1:8470}\n")
    assert found == ["daemon.yaml:6:19: 127.0.0.1:8470 is where `web` listens already; write another port"]
