"""The scripts that take updates back from Windows machines, and the change that consists of them.

Microsoft's procedure for hotpatches and baselines alike: uninstall the latest update, install the last known-good baseline, restart. ARM has
no call that uninstalls, so a script does; a plan carries its text, to be read before it is run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.hotpatch.calendar import Calendar
from orchestrator.hotpatch.eligibility import product_of
from orchestrator.hotpatch.model import Month, Product
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.policy.change import Rollback, Undo, script

_UNINSTALL = """\
# Takes KB{kbs} back. Packages are found by the KB in their description: since 2021 cumulative updates can't be uninstalled by wusa.
# What isn't there any more is passed over, so that it may be run again.
$ErrorActionPreference = 'Stop'
$packages = Get-WindowsPackage -Online | Where-Object {{ $_.PackageState -eq 'Installed' }} | ForEach-Object {{ Get-WindowsPackage -Online -PackageName $_.PackageName }}
{lines}
Write-Output 'taken back: {named}'
"""

_TAKE = (
    "$packages | Where-Object {{ \"$($_.Description) $($_.SupportInformation)/\" -match '(KB|/){kb}\\b' }} "
    "| Remove-WindowsPackage -Online -NoRestart | Out-Null  # KB{kb}"
)

_CHECK = """\
# Fails while any of {named} is still installed.
$left = @(Get-HotFix | Where-Object {{ $_.HotFixID -in {listed} }} | ForEach-Object HotFixID)
if ($left) {{ throw "still installed: $left" }}
Write-Output 'none of {named} is installed'
"""


def rollback_of(
    rollout: str, installed: Mapping[MachineId, Sequence[str]], baseline: Iterable[str] = ()
) -> Rollback:
    """The change that takes back what a rollout installed: KBs, by digits, of each machine. `baseline` are KBs to install then."""
    machines: defaultdict[tuple[str, ...], list[MachineId]] = defaultdict(list)
    for machine, kbs in installed.items():
        machines[tuple(sorted(kbs))].append(machine)
    undo = tuple(_undo(kbs, tuple(sorted(held))) for kbs, held in sorted(machines.items()))
    return Rollback(rollout, undo, tuple(sorted(set(baseline))))


def _undo(kbs: tuple[str, ...], machines: tuple[MachineId, ...]) -> Undo:
    named = ", ".join(f"KB{kb}" for kb in kbs)
    lines = "\n".join(_TAKE.format(kb=kb) for kb in kbs)
    listed = ", ".join(f"'KB{kb}'" for kb in kbs)
    uninstall = _UNINSTALL.format(kbs=", KB".join(kbs), lines=lines, named=named)
    check = _CHECK.format(named=named, listed=listed)
    return Undo(kbs, machines, script(f"uninstall {named}", uninstall), script(f"check for {named}", check))


def baselines_before(
    machines: Iterable[Machine], installed: Mapping[MachineId, Sequence[str]], calendar: Calendar
) -> tuple[str, ...]:
    """The last good baselines of machines from which a month's hotpatch or baseline is taken back, where the calendar knows them.

    Of a hotpatch it is the baseline that it was made for, of a baseline the one before.
    """
    found = set()
    for machine in machines:
        product = product_of(machine)
        if product is not None:
            kbs = frozenset(installed.get(machine.id, ()))
            found |= {kb for kb in _before(product, kbs, calendar) if kb}
    return tuple(sorted(found))


def _before(product: Product, kbs: frozenset[str], calendar: Calendar) -> Iterable[str]:
    for release in calendar.known(product):
        if release.kb in kbs or release.lcu in kbs:
            month: Month = release.month.plus(-1) if release.kind.is_baseline else release.month
            former = calendar.baseline(product, month)
            if former is not None and former.kb not in kbs:
                yield former.kb
