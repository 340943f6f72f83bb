"""One branch of a repository: fetched where it is a remote's, read where it lies on this machine. By dulwich, without the git binary.

A remote is kept as a bare repository that is fetched into; a folder on this machine is read as it is committed, never as it is
edited. All calls block, and are for a thread. Only what is reachable from the branch is read; a commit is written out as plain files:
links and submodules in it are refused, since they could point anywhere.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from dulwich.client import default_urllib3_manager, get_transport_and_path
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.graph import can_fast_forward
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, ObjectID
from dulwich.objects import Commit as RawCommit
from dulwich.refs import Ref
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from orchestrator.errors import GitError
from orchestrator.gitops.model import Commit, Login

NOBODY: Final = Login()
TIMEOUT_S: Final = 30.0
"""Real seconds that a remote may keep silent."""

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all files of a folder of policies together. Whoever keeps more in it keeps something else there."""


class Repository:
    """A branch that is followed. `keep` is the folder in which a remote's objects are kept; it is made if it isn't there."""

    def __init__(
        self, source: str, branch: str, keep: Path, login: Login = NOBODY, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.source = source
        self.branch = branch
        self._keep = keep
        self._login = login
        self._timeout_s = timeout_s

    @property
    def is_remote(self) -> bool:
        """Whether it is asked for over a network; else it is a folder of this machine."""
        return "://" in self.source or ("@" in self.source and ":" in self.source)

    def newest(self) -> Commit:
        """The commit that the branch points at now; a remote is asked for it, and for all that belongs to it.

        Raises:
            GitError: it can't be reached, has no such branch, or isn't a repository.
        """
        with _as_ours(self.source, self._login), self._opened() as repo:
            head = self._fetched(repo) if self.is_remote else self._read(repo)
            return _commit(repo, head)

    def descends(self, later: str, earlier: str) -> bool:
        """Whether `later` came of `earlier`: if not, the branch was rewritten. One that isn't there any more has no descendants."""
        with _as_ours(self.source, self._login), self._opened() as repo:
            if earlier.encode() not in repo:
                return False
            return can_fast_forward(repo, ObjectID(earlier.encode()), ObjectID(later.encode()))

    def write_out(self, commit: str, folder: str, target: Path) -> None:
        """Write the files of one folder of a commit to `target`, which isn't there yet; all of them, or none.

        Raises:
            GitError: there is no such commit or folder, or what is in it isn't plain files of a bearable size.
        """
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(beside, ignore_errors=True)
        try:
            with _as_ours(self.source, self._login), self._opened() as repo:
                for path, content in self._files(repo, commit, folder):
                    file = beside / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
            if not beside.exists():
                raise GitError(f"{self._named(commit)} has no folder {folder or '/'} with files in it")
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    # ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        if not self.is_remote:
            with Repo(self.source) as repo:
                yield repo
            return
        if not self._keep.exists():
            self._keep.mkdir(parents=True)
            Repo.init_bare(str(self._keep)).close()
        with Repo(str(self._keep)) as repo:
            yield repo

    def _fetched(self, repo: Repo) -> bytes:
        manager: Any = None
        if self.source.startswith(("http://", "https://")):
            manager = default_urllib3_manager(None, timeout=self._timeout_s)
        client, path = get_transport_and_path(
            self.source,
            username=self._login.user or None,
            password=self._login.password or None,
            pool_manager=manager,
        )
        wanted = self._ref
        found: dict[bytes, Any] = {}

        def wants(refs: Any, *_: Any, **__: Any) -> list[Any]:
            found.update(refs)
            head = refs.get(wanted)
            return [] if head is None or head in repo.object_store else [head]

        client.fetch(path, repo, determine_wants=wants)
        head = found.get(wanted)
        if head is None:
            raise GitError(self._no_branch(found))
        repo.refs[wanted] = head
        return bytes(head)

    def _read(self, repo: Repo) -> bytes:
        try:
            return bytes(repo.refs[self._ref])
        except KeyError:
            raise GitError(self._no_branch(repo.refs.as_dict(Ref(b"refs/heads/")), b"")) from None

    @property
    def _ref(self) -> Ref:
        return Ref(f"refs/heads/{self.branch}".encode())

    def _no_branch(self, refs: Any, prefix: bytes = b"refs/heads/") -> str:
        names = sorted(
            bytes(ref).removeprefix(prefix).decode() for ref in refs if bytes(ref).startswith(prefix)
        )
        there = f"it has {', '.join(names[:8])}" if names else "it has none yet"
        return f"{self.source} has no branch {self.branch}: {there}"

    def _files(self, repo: Repo, commit: str, folder: str) -> Iterator[tuple[PurePosixPath, bytes]]:
        root = PurePosixPath(folder.strip("/") or ".")
        try:
            raw = repo[ObjectID(commit.encode())]
        except KeyError:
            raise GitError(f"{self.source} has no commit {commit}") from None
        assert isinstance(raw, RawCommit)
        total = 0
        for entry in iter_tree_contents(repo.object_store, raw.tree):
            path = PurePosixPath(entry.path.decode("utf-8", "surrogateescape"))
            if root != PurePosixPath() and root not in path.parents:
                continue
            inside = path.relative_to(root)
            if not stat.S_ISREG(entry.mode) or ".." in inside.parts or inside.is_absolute():
                what = "a link" if stat.S_ISLNK(entry.mode) else "no plain file"
                raise GitError(
                    f"{self._named(commit)}: {path} is {what}; a folder of policies holds plain files"
                )
            blob = repo[entry.sha]
            assert isinstance(blob, Blob)
            total += blob.raw_length()
            if total > MOST_BYTES:
                most = MOST_BYTES // 1024 // 1024
                raise GitError(
                    f"{self._named(commit)}: {folder or '/'} holds more than {most} MiB; name a folder of policies"
                )
            yield inside, blob.data

    def _named(self, commit: str) -> str:
        return f"commit {commit[:10]} of {self.source}"


def _commit(repo: Repo, head: bytes) -> Commit:
    raw = repo[ObjectID(head)]
    if not isinstance(raw, RawCommit):
        raise GitError(f"{head.decode()} is no commit")
    author = raw.author.decode("utf-8", "replace").partition(" <")[0]
    subject = raw.message.decode("utf-8", "replace").strip().partition("\n")[0]
    return Commit(head.decode(), author, datetime.fromtimestamp(raw.commit_time, UTC), subject)


@contextmanager
def _as_ours(source: str, login: Login) -> Iterator[None]:
    """Whatever the library, the network or the disk say, as one error, and nobody's password in it."""
    try:
        yield
    except GitError:
        raise
    except NotGitRepository as error:
        raise GitError(f"{source} is no git repository") from error
    except (GitProtocolError, HTTPError, OSError, KeyError, ValueError) as error:
        said = str(error) or type(error).__name__
        for secret in filter(None, (login.password,)):
            said = said.replace(secret, "***")
        raise GitError(f"{source}: {said}") from error
