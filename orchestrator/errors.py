"""Every error of the program itself, in one tree, split by who must act.

    WavekeeperError
    ├── UsageError            whoever typed the command          exit code 1
    │   ├── InventoryError        a file that isn't an inventory
    │   └── JournalError          a journal that is broken, foreign, or held by somebody else
    ├── PolicyError           the author of a policy             exit code 2
    ├── Refused               the operator, who is told why      exit code 3
    │   ├── PlanRefused           a plan that breaks a rule, or that the fleet has outrun
    │   └── Busy                  machines of it are in another rollout, which must end first
    ├── CloudError            whoever runs the cloud
    │   ├── CloudTransient        nobody: it is tried again
    │   ├── CloudPermanent        a person: it won't pass by itself
    │   └── AccessDenied          whoever grants access
    ├── ServerError           whoever runs a daemon, or says who may use it
    ├── GitError              whoever keeps the policies: they can't be had from git
    ├── Unrecognised          whoever asks: who it is isn't known, or no longer
    ├── IssuerError           whoever runs the issuer of identities: it can't be asked, or isn't what it should be
    ├── StaleLease            this process: it steps down, another one writes
    └── Defect                us: a step that can't be, a broken promise in the code

Errors of libraries stop at the adapter that speaks to the library; what travels on is one of these.
"""

from __future__ import annotations

from dataclasses import dataclass


class WavekeeperError(Exception):
    """The root. `exit_code` is what a command that ends by this error returns."""

    exit_code = 1


class UsageError(WavekeeperError):
    """The command can't be carried out as it was typed; the message says what to type instead."""


class InventoryError(UsageError):
    """A file or an answer that can't be read as an inventory."""


class JournalError(UsageError):
    """A journal that is broken, newer than this program, another program's, or held by somebody else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of a file that a person wrote.

    `line` and `column` count from 1; 0 where the problem is the file as a whole. `code` is what the kind of problem is called
    where it has a name (`policy/codes.py`).

    Whatever `what` and `instead` quote of the file, they stay one line of what can be printed: a line break or a terminal's escape
    in a quoted value would forge other lines of a report.
    """

    file: str
    line: int
    what: str
    instead: str = ""
    column: int = 0
    code: str = ""

    def __post_init__(self) -> None:
        for part in ("what", "instead"):
            said: str = getattr(self, part)
            if not said.isprintable():
                object.__setattr__(self, part, _printable(said))

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what to write instead`."""
        place = self.file
        if self.line:
            place += f":{self.line}" + (f":{self.column}" if self.column else "")
        return f"{place}: {self.what}" + (f"; {self.instead}" if self.instead else "")


def _printable(text: str) -> str:
    """Text with the characters that move a cursor, or that nobody sees, written as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


class PolicyError(WavekeeperError):
    """Policies that are wrong. Carries every problem found, so that they are mended in one go."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.what)))
        super().__init__("\n".join(str(p) for p in self.problems))


class Refused(WavekeeperError):
    """Nothing can be planned, or what is asked would break a promise; the message says which."""

    exit_code = 3


class PlanRefused(Refused):
    """A plan that doesn't pass the judge, or that no longer fits the fleet."""


class Busy(Refused):
    """A plan with machines that another rollout changes. `rollout` is that one's id."""

    def __init__(self, message: str, *, rollout: str) -> None:
        super().__init__(message)
        self.rollout = rollout


class CloudError(WavekeeperError):
    """The cloud answered with an error. `code` is its own word for it, open-ended."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class CloudTransient(CloudError):
    """It may pass: a time-out, a lost connection, a 5xx, a throttle.

    `retry_after_s` is the cloud's own word on when, in seconds, or None.
    """

    def __init__(self, message: str, *, code: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class CloudPermanent(CloudError):
    """It won't pass by itself: a bad request, a resource that is gone."""


class AccessDenied(CloudError):
    """No credentials, or none that may do this."""


class ServerError(WavekeeperError):
    """A daemon that can't be asked: it isn't reached, isn't trusted, doesn't let one in, or isn't one."""


class GitError(WavekeeperError):
    """A repository that can't be reached or read, or that holds what can't be taken. It is tried again; what was had before holds on."""


class Unrecognised(WavekeeperError):
    """No proof of who asks, or one that doesn't hold: foreign, for somebody else, expired. The message says what to do about it."""


class IssuerError(WavekeeperError):
    """The issuer of identities can't be reached, or its answers can't be used. It is tried again; who is known stays known."""


class StaleLease(WavekeeperError):
    """Another process writes this scope now; this one must not go on."""


class Defect(WavekeeperError):
    """A state that the code promises can't occur. Always a bug of ours."""
