"""Real repositories, on disk and behind a real HTTP server; both are git's own formats, by dulwich."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from dulwich import porcelain
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from orchestrator.errors import GitError
from orchestrator.gitops.model import Login
from orchestrator.gitops.repository import Repository
from tests.upstream import Upstream


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """With one commit."""
    found = Upstream(tmp_path / "upstream")
    found.commit("first", policies__shop="version: 1\n", other="x\n")
    return found


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def url(upstream: Upstream) -> Iterator[str]:
    """Where it is served over HTTP."""
    app = make_wsgi_chain(DictBackend({"/policies.git": upstream.repo}))
    with make_server("127.0.0.1", 0, app, WSGIServer, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/policies.git"
        server.shutdown()
        thread.join()


def test_a_folder_of_this_machine_is_read_as_it_is_committed(upstream: Upstream, tmp_path: Path) -> None:
    """What somebody is just editing is no policy yet."""
    (upstream.folder / "policies/shop.yaml").write_text("half writ")
    here = Repository(str(upstream.folder), "main", tmp_path / "keep")
    commit = here.newest()
    assert (commit.subject, commit.author, commit.short) == ("first", "Ada Lovelace", commit.id[:10])
    here.write_out(commit.id, "policies", tmp_path / "out")
    assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir()} == {"shop.yaml": "version: 1\n"}


def test_a_remote_is_fetched_as_it_moves_on(upstream: Upstream, url: str, tmp_path: Path) -> None:
    """Also by a process that begins with what another one has kept."""
    remote = Repository(url, "main", tmp_path / "keep")
    first = remote.newest()
    second = upstream.commit("second", policies__deep__er="name: x\n")
    again = Repository(url, "main", tmp_path / "keep")
    assert again.newest().id == second
    assert again.newest().id == second
    assert again.descends(second, first.id)
    again.write_out(second, "policies", tmp_path / "out")
    assert (tmp_path / "out/deep/er.yaml").read_text() == "name: x\n"


def test_a_branch_that_was_rewritten_is_seen(upstream: Upstream, url: str, tmp_path: Path) -> None:
    """The commit that was followed is no ancestor of the new one."""
    remote = Repository(url, "main", tmp_path / "keep")
    remote.newest()
    second = upstream.commit("second", other="y\n")
    assert remote.newest().id == second
    upstream.rewind("first")
    third = upstream.commit("instead", other="z\n")
    assert remote.newest().id == third
    assert not remote.descends(third, second)
    assert not remote.descends(third, "0" * 40)


@pytest.mark.parametrize(
    ("source", "branch", "said"),
    [
        ("{url}", "prod", "has no branch prod: it has main"),
        ("{folder}", "prod", "has no branch prod: it has main"),
        ("{folder}/nowhere", "main", "is no git repository"),
        ("http://127.0.0.1:9/policies.git", "main", "http://127.0.0.1:9/policies.git: "),
    ],
)
def test_what_cannot_be_had_says_why(
    upstream: Upstream, url: str, tmp_path: Path, source: str, branch: str, said: str
) -> None:
    """With what was asked for."""
    repository = Repository(source.format(url=url, folder=upstream.folder), branch, tmp_path / "keep")
    with pytest.raises(GitError) as error:
        repository.newest()
    assert said in str(error.value)


def test_a_password_is_never_said(tmp_path: Path) -> None:
    """Not in an error, and not where a login is printed."""
    login = Login("bot", "hunter2")
    assert "hunter2" not in repr(login)
    with pytest.raises(GitError) as error:
        Repository("http://127.0.0.1:9/x.git", "main", tmp_path / "keep", login).newest()
    assert "hunter2" not in str(error.value)


def test_a_folder_that_is_not_there_leaves_nothing_behind(upstream: Upstream, tmp_path: Path) -> None:
    """Neither does a link in it, which could point anywhere."""
    here = Repository(str(upstream.folder), "main", tmp_path / "keep")
    with pytest.raises(GitError, match="has no folder policy with files in it"):
        here.write_out(here.newest().id, "policy", tmp_path / "out")
    (upstream.folder / "policies/link.yaml").symlink_to("/etc/passwd")
    porcelain.add(str(upstream.folder), paths=[str(upstream.folder / "policies/link.yaml")])
    linked = upstream.commit("a link")
    with pytest.raises(GitError, match=r"policies/link\.yaml is a link"):
        here.write_out(linked, "policies", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
