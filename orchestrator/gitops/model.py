"""The nouns: where policies come from, and what a branch points at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks a remote for its branch; nobody if both are empty. A token goes as the password, its user may be anything."""

    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the secret, wherever it is printed."""
        return f"Login(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, as people speak of it. `at` is when it was committed, in UTC."""

    id: str
    author: str
    at: datetime
    subject: str

    @property
    def short(self) -> str:
        """As git shows it."""
        return self.id[:10]

    def __str__(self) -> str:
        return f"{self.short} {self.subject} ({self.author})"
