"""A git repository whose commits a test writes."""

from __future__ import annotations

from pathlib import Path

from dulwich import porcelain
from dulwich.repo import Repo

WHO = b"Ada Lovelace <ada@example.com>"


class Upstream:
    """A repository whose commits a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commits: dict[str, str] = {}
        self.repo = Repo.init(str(folder), mkdir=True, default_branch=b"main")

    def commit(self, subject: str, **files: str) -> str:
        """Write files (`a__b` is a/b.yaml) and commit them. Returns its id."""
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/") + ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            porcelain.add(str(self.folder), paths=[str(path)])
        made = porcelain.commit(str(self.folder), message=subject.encode(), author=WHO, committer=WHO)
        self.commits[subject] = made.decode()
        return made.decode()

    def rewind(self, subject: str) -> None:
        """Have the branch point at an earlier commit, as whoever rewrites it does."""
        head = self.commits[subject].encode()
        self.repo.refs[b"refs/heads/main"] = head  # type: ignore[index,assignment]
