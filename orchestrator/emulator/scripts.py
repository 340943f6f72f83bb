"""What a script would do to a machine, as far as the emulator knows: a few lines are recognised, the rest does nothing.

Recognised, in any case, in PowerShell and shell scripts alike:

- taking an update away: `wusa /uninstall /kb:5123010`, `Remove-WindowsPackage` or `dism /remove-package` with a KB in the line;
  where the line looks for it first (`Where-Object`), one that isn't there is passed over;
- installing one: `wusa windows-kb5123010.msu`, `Add-WindowsPackage`, `dism /add-package`, `Install-WindowsUpdate -KBArticleID`;
- restarting: `Restart-Computer`, `shutdown /r`, `reboot`, `systemctl reboot`; and `wusa /quiet` without `/norestart`, where it
  needs one;
- waiting (`Start-Sleep -Seconds 30`, `sleep 30`), saying something (`Write-Output`, `echo`), ending (`exit 3`, `throw "why"`).

Parameters are put in where the script names them: `$kb`, `${kb}`. Neither branches nor loops are followed: each line is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

_KB = re.compile(r"kb:?\s*(\d{4,8})", re.IGNORECASE)
_REMOVES = re.compile(
    r"\bwusa(?:\.exe)?\b.*/uninstall|\bRemove-WindowsPackage\b|\bdism(?:\.exe)?\b.*/remove-package",
    re.IGNORECASE,
)
_LOOKS = re.compile(r"\bWhere-Object\b", re.IGNORECASE)
_INSTALLS = re.compile(
    r"\bwusa(?:\.exe)?\b.*\.msu|\bAdd-WindowsPackage\b|\bdism(?:\.exe)?\b.*/add-package"
    r"|\b(?:Install|Get)-WindowsUpdate\b.*-KBArticleID",
    re.IGNORECASE,
)
_RESTARTS = re.compile(
    r"\bRestart-Computer\b|\bshutdown(?:\.exe)?\s.*[-/]r\b|^\s*(?:sudo\s+)?(?:systemctl\s+)?reboot\b",
    re.IGNORECASE,
)
_UNASKED = re.compile(r"\bwusa(?:\.exe)?\b.*/quiet", re.IGNORECASE)
_WAITS = re.compile(r"^\s*(?:Start-Sleep\s+(?:-s(?:econds)?\s+)?|sleep\s+)(\d+)", re.IGNORECASE)
_SAYS = re.compile(r"^\s*(?:Write-Output|Write-Host|echo)\s+(.*)$", re.IGNORECASE)
_ENDS = re.compile(r"^\s*exit\s+(\d+)\s*;?\s*$", re.IGNORECASE)
_THROWS = re.compile(r"^\s*throw\s+(.*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Script:
    """What a script does, in sum. KBs are digits, each once, in the order of the script."""

    removes: tuple[str, ...] = ()
    passed_over: frozenset[str] = frozenset()  # of those: the script goes on where they aren't installed
    installs: tuple[str, ...] = ()
    restarts: bool = False
    restarts_if_required: bool = False
    waits: timedelta = timedelta(0)
    output: str = ""
    error: str = ""
    exit_code: int = 0


def read_script(lines: Iterable[str], parameters: Mapping[str, str]) -> Script:
    """Read a script line by line, up to where it ends itself."""
    removes: list[str] = []
    passed_over: set[str] = set()
    installs: list[str] = []
    said: list[str] = []
    waits, restarts, if_required = timedelta(0), False, False
    error, exit_code = "", 0
    for line in _put_in(lines, parameters):
        if ends := _ENDS.match(line):
            exit_code = int(ends[1])
            break
        if throws := _THROWS.match(line):
            error, exit_code = _unquoted(throws[1]), 1
            break
        if says := _SAYS.match(line):
            said.append(_unquoted(says[1]))
            continue
        if waiting := _WAITS.match(line):
            waits += timedelta(seconds=int(waiting[1]))
        if _REMOVES.search(line):
            removes += _KB.findall(line)
            if _LOOKS.search(line):
                passed_over.update(_KB.findall(line))
        elif _INSTALLS.search(line):
            installs += _KB.findall(line)
        restarts |= _RESTARTS.search(line) is not None
        if_required |= _UNASKED.search(line) is not None and "/norestart" not in line.lower()
    return Script(
        removes=tuple(dict.fromkeys(removes)),
        passed_over=frozenset(passed_over),
        installs=tuple(dict.fromkeys(installs)),
        restarts=restarts,
        restarts_if_required=if_required,
        waits=waits,
        output="".join(f"{text}\n" for text in said),
        error=f"{error}\n" if error else "",
        exit_code=exit_code,
    )


def _put_in(lines: Iterable[str], parameters: Mapping[str, str]) -> list[str]:
    """The script's lines and statements, with its parameters' values in their places. Comments are dropped."""
    text = "\n".join(lines)
    for name, value in sorted(parameters.items(), key=lambda item: -len(item[0])):
        place = re.compile(rf"\$\{{{re.escape(name)}\}}|\${re.escape(name)}\b", re.IGNORECASE)
        text = value.join(place.split(text))
    statements = [part for line in text.splitlines() for part in re.split(r";|&&", line)]
    return [statement for statement in statements if not statement.lstrip().startswith("#")]


def _unquoted(text: str) -> str:
    stripped = text.strip()
    quoted = len(stripped) > 1 and stripped[0] in "\"'" and stripped[-1] == stripped[0]
    return stripped[1:-1] if quoted else stripped
