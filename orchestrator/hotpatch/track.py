"""Whether a machine is on the hotpatch track now, by what is installed on it, and what would bring it back.

A machine is on it that has the newest baseline, or a hotpatch made for that baseline, and nothing that replaces them: the cumulative
update of a hotpatch month, and some updates out of band, take it off until the next baseline. A build can't tell: in October 2025
KB5070893 and KB5070881 made the same build, of which the one kept machines on the track and the other took them off. So it is
the installed updates that decide, then what the machine's assessment offers, and its build only where the calendar knows it as one
thing alone. None of this ever makes a machine rebootless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.hotpatch.calendar import Calendar
from orchestrator.hotpatch.eligibility import READ, base_of, build_of, eligibility
from orchestrator.hotpatch.model import (
    Answer,
    Eligibility,
    Month,
    MonthKind,
    Product,
    Release,
    Standing,
    Told,
    Track,
    Way,
)
from orchestrator.hotpatch.others import is_cumulative_of, is_hotpatch
from orchestrator.hotpatch.status import Status, status_of
from orchestrator.inventory.model import Installed, Kind, Machine, Update


class Tracks:
    """Who is on the track in one month of releases. What a month means to a product is looked up once."""

    def __init__(self, calendar: Calendar, month: Month) -> None:
        self.calendar = calendar
        self.month = month
        self.release = {product: calendar.release(product, month) for product in Product}
        self._cycles = {product: _cycle(calendar, product, month) for product in Product}
        self._products = calendar.products()
        self._eligibilities: dict[tuple[Any, ...], Eligibility] = {}
        self._standings: dict[int, Standing] = {}  # by identity of an eligibility, all of which are kept

    def of(self, machine: Machine) -> Standing:
        """Where the machine stands."""
        eligible = self._eligible(machine)
        if eligible.answer is Answer.NO:
            return self._none(eligible)
        off = _OFF.get(status_of(machine, eligible), "")
        if off and eligible.way is not Way.AZURE_LOCAL and not _is_on_all_the_same(machine):
            return Standing(Track.OFF, Told.SETTINGS, off, eligible.product)
        product = eligible.product or self._by_installed(machine)
        if product is None:
            return Standing(Track.UNKNOWN, Told.NOTHING, eligible.why)
        cycle = self._cycles[product]
        if cycle is None:
            why = self.release[product].note or "the calendar doesn't reach back so far"
            return Standing(Track.UNKNOWN, Told.NOTHING, why, product)
        return _Case(machine, cycle).standing()

    def _eligible(self, machine: Machine) -> Eligibility:
        """Machines that say the same are alike in this, and a fleet has few images."""
        said = READ(machine)
        known = self._eligibilities.get(said)
        if known is None:
            known = self._eligibilities[said] = eligibility(machine)
        return known

    def _none(self, eligible: Eligibility) -> Standing:
        known = self._standings.get(id(eligible))
        if known is None:
            known = Standing(Track.NONE, Told.SETTINGS, eligible.why, eligible.product)
            self._standings[id(eligible)] = known
        return known

    def keeps(self, product: Product, kb: str) -> bool:
        """Whether an update is a hotpatch of the newest baseline's."""
        cycle = self._cycles[product]
        return cycle is not None and any(one.kb == kb for one in cycle.keeping[1:])

    def _by_installed(self, machine: Machine) -> Product | None:
        """The product of a machine whose image nobody tells, by an update of its own."""
        found = {self._products.get(one.kb) for one in machine.patches.installed or ()} - {None}
        return found.pop() if len(found) == 1 else None


def _is_on_all_the_same(machine: Machine) -> bool:
    """Whether something else says so where its settings or its license are left out: a hotpatch that it is offered, or its agent."""
    settings = machine.patch_settings
    offered = any(is_hotpatch(one.name) for one in machine.patches.updates or ())
    if machine.kind is Kind.AZURE_VM:
        return settings.hotpatching is None and offered
    return settings.hotpatch_license is None and (offered or settings.hotpatch_status == "Enabled")


_OFF: Mapping[Status, str] = {
    Status.NOT_ENROLLED: "it has no license for hotpatches: enable hotpatching for it in Azure Update Manager",
    Status.DISABLED: "hotpatching is turned off in its patch settings (`enableHotpatching`)",
    Status.CANCELED: "its enrolment in hotpatching was cancelled",
    Status.ACTION_REQUIRED: (
        "its agent asks for something before it can be hotpatched; often virtualization-based security doesn't run yet"
    ),
}


@dataclass(frozen=True, slots=True)
class _Known:
    """An update that the calendar knows: what it is, in words."""

    kb: str
    build: int | None
    what: str

    def __str__(self) -> str:
        return f"KB{self.kb}, {self.what}"


@dataclass(frozen=True, slots=True)
class _Cycle:
    """A month, the newest baseline in it, and the updates that keep a machine on the track since, or take it off."""

    product: Product
    month: Month
    baseline: Release
    newer_than: int  # a build of it or after it is no smaller
    keeping: tuple[_Known, ...]  # the baseline first
    leaving: tuple[_Known, ...]
    former_keeping: tuple[_Known, ...]  # of the baseline before
    former_leaving: tuple[_Known, ...]
    coming: Release | None  # the next baseline
    costs: int  # hotpatches until then, this month's included
    unnumbered: tuple[
        Release, ...
    ]  # hotpatch months since whose cumulative update the calendar has no number of


def _cycle(calendar: Calendar, product: Product, month: Month) -> _Cycle | None:
    """None where the calendar knows too little of the month."""
    release, baseline = calendar.release(product, month), calendar.baseline(product, month)
    if baseline is None or (release.kind is MonthKind.UNKNOWN and not release.lcu):
        return None
    last = baseline.month.plus(-1)
    former = calendar.baseline(product, last)
    former_keeping = () if former is None else _known(calendar.keeping(product, former, last))
    former_leaving = () if former is None else _known(calendar.leaving(product, former, last))
    coming = calendar.next_baseline(product, month)
    builds = (one.build + 1 for one in (*former_keeping, *former_leaving) if one.build is not None)
    return _Cycle(
        product=product,
        month=month,
        baseline=baseline,
        newer_than=max(builds, default=0) if baseline.build is None else baseline.build,
        keeping=_known(calendar.keeping(product, baseline, month)),
        leaving=_known(calendar.leaving(product, baseline, month)),
        former_keeping=former_keeping,
        former_leaving=former_leaving,
        coming=coming,
        unnumbered=tuple(
            one
            for one in calendar.since(product, baseline.month.plus(1), month)
            if one.kind is MonthKind.HOTPATCH and not one.lcu
        ),
        costs=0 if coming is None else calendar.hotpatches(product, month, coming.month.plus(-1)),
    )


def _known(updates: Iterable[tuple[str, int | None, str]]) -> tuple[_Known, ...]:
    return tuple(_Known(*one) for one in updates)


class _Case:
    """One machine in one month: each question gives an answer, or None if what it goes by says nothing."""

    def __init__(self, machine: Machine, cycle: _Cycle) -> None:
        self._machine = machine
        self._cycle = cycle

    def standing(self) -> Standing:
        by_build = self._by_build()
        if by_build is not None and by_build.track in {Track.UNKNOWN, Track.DUE}:
            by_build = self._by_former() or by_build
        return (
            self._by_installed()
            or self._by_assessment()
            or by_build
            or self._by_former()
            or self._made(Track.UNKNOWN, Told.NOTHING, "nothing tells which updates are installed on it")
        )

    def _by_installed(self) -> Standing | None:
        installed = self._installed()
        left, kept = self._taking_off(self._machine.patches.installed), self._kept(installed)
        if left:
            offered = self._offered_hotpatch()
            if offered:
                why = f"{left}, is installed, which takes a machine off the track; still it is offered {offered}"
                return self._made(Track.UNKNOWN, Told.INSTALLED, why)
            return self._made(Track.LEFT, Told.INSTALLED, f"{left}, is installed")
        return self._leaving_with(Told.INSTALLED, f"{kept}, is installed") if kept else None

    def _kept(self, installed: frozenset[str]) -> str:
        """What is installed that keeps it on the track: by its KB, or a hotpatch by its name, if it came after the baseline."""
        kept = _last(self._cycle.keeping, installed)
        if kept is not None:
            return str(kept)
        baseline = self._cycle.baseline
        for one in self._machine.patches.installed or ():
            if not baseline.kb and is_cumulative_of(one.name, baseline.month):
                return f"KB{one.kb}, the baseline of {baseline.month.named}"
            if is_hotpatch(one.name) and one.at is not None and one.at.date() >= baseline.out_on:
                return f"KB{one.kb}, a hotpatch by its name"
        return ""

    def _by_former(self) -> Standing | None:
        """By what was installed for the baseline before: the one that followed isn't."""
        installed = self._installed()
        left = _first(self._cycle.former_leaving, installed)
        kept = _last(self._cycle.former_keeping, installed)
        if left is not None:
            return self._made(Track.DUE, Told.INSTALLED, f"{left}, is installed, and took it off the track")
        if kept is not None:
            return self._made(Track.DUE, Told.INSTALLED, f"{kept}, is the last that is known to be installed")
        return None

    def _by_assessment(self) -> Standing | None:
        offered, baseline = self._offered(), self._cycle.baseline
        updates = self._machine.patches.updates or ()
        due = [one.kb for one in updates if not baseline.kb and is_cumulative_of(one.name, baseline.month)]
        if baseline.kb in offered or due:
            why = f"KB{baseline.kb or due[0]}, the baseline of {baseline.month.named}, is outstanding"
            return self._made(Track.DUE, Told.ASSESSMENT, why)
        hotpatch = self._offered_hotpatch()
        if hotpatch:
            return self._leaving_with(Told.ASSESSMENT, f"it is offered {hotpatch}")
        away = self._taking_off(updates)
        if away:
            return self._made(Track.LEFT, Told.ASSESSMENT, f"it is offered {away}, and no hotpatch")
        return self._by_surprise(updates)

    def _by_surprise(self, updates: Iterable[Update]) -> Standing | None:
        """A cumulative update in a month that only the rule takes for a hotpatch: one of the two isn't as it should be."""
        for release in self._cycle.unnumbered:
            found = next((one.kb for one in updates if is_cumulative_of(one.name, release.month)), "")
            if found:
                why = (
                    f"it is offered KB{found}, the cumulative update of {release.month.named}, and no hotpatch: "
                    "either it is off the track, or the month is an unplanned baseline"
                )
                return self._made(Track.UNKNOWN, Told.ASSESSMENT, why)
        return None

    def _taking_off(self, updates: Iterable[Installed | Update] | None) -> str:
        """Which of these takes a machine off the track: by its KB, or by its name where the calendar has no number; empty if none does."""
        held = tuple(updates or ())
        known = _first(self._cycle.leaving, (one.kb for one in held))
        if known is not None:
            return str(known)
        sure = bool(self._offered_hotpatch())  # the month is what the rule says
        months = [one.month for one in self._cycle.unnumbered if sure or not one.scheduled]
        named = ((one, month) for one in held for month in months if is_cumulative_of(one.name, month))
        return next(
            (f"KB{one.kb}, the cumulative update of {month.named}, a hotpatch month" for one, month in named),
            "",
        )

    def _leaving_with(self, by: Told, why: str) -> Standing:
        """On the track, unless what the machine is offered takes it off."""
        if (self._machine.patch_settings.hotpatch_license or "").lower() == "disabling":
            return self._made(Track.LEAVING, Told.SETTINGS, "its license for hotpatches is being taken away")
        away = self._taking_off(self._machine.patches.updates)
        if not away:
            surprise = (
                None if self._offered_hotpatch() else self._by_surprise(self._machine.patches.updates or ())
            )
            return surprise or self._made(Track.ON, by, why)
        told = f"{away}, is outstanding, and would take it off; exclude it (`exclude_kbs: [{away.partition(',')[0]}]`)"
        return self._made(Track.LEAVING, by, told)

    def _by_build(self) -> Standing | None:
        base, revision = build_of(self._machine)
        if base != base_of(self._cycle.product) or revision is None:
            return None
        shown, baseline = f"{base}.{revision}", self._cycle.baseline
        kept, left = _built(self._cycle.keeping, revision), _built(self._cycle.leaving, revision)
        if kept is not None and left is not None:
            why = (
                f"its build, {shown}, is that of KB{kept.kb}, which keeps a machine on the track, and of KB{left.kb}, "
                "which takes it off; only the installed updates can tell"
            )
            return self._made(Track.UNKNOWN, Told.BUILD, why)
        if kept is not None:
            return self._leaving_with(Told.BUILD, f"its build, {shown}, is that of {kept}")
        if left is not None:
            return self._made(Track.LEFT, Told.BUILD, f"its build, {shown}, is that of {left}")
        if revision < self._cycle.newer_than:
            why = f"its build, {shown}, is older than the baseline of {baseline.month.named}"
            return self._made(Track.DUE, Told.BUILD, why)
        why = f"the calendar knows no build {shown}"
        if baseline.scheduled:
            why = (
                f"the calendar doesn't hold the baseline of {baseline.month.named} yet, nor the build {shown}"
            )
        return self._made(Track.UNKNOWN, Told.BUILD, why)

    def _offered_hotpatch(self) -> str:
        """A hotpatch that its assessment offers: by its KB, or by its name where the calendar doesn't know it yet."""
        known = _last(self._cycle.keeping[1:], self._offered())
        if known is not None:
            return str(known)
        named = (one.kb for one in self._machine.patches.updates or () if is_hotpatch(one.name))
        return next((f"KB{kb}, a hotpatch by its name" for kb in named), "")

    def _installed(self) -> frozenset[str]:
        return frozenset(one.kb for one in self._machine.patches.installed or ())

    def _offered(self) -> frozenset[str]:
        return frozenset(one.kb for one in self._machine.patches.updates or () if one.kb)

    def _made(self, track: Track, by: Told, why: str) -> Standing:
        back, when, costs, baseline = "", None, 0, self._cycle.baseline
        match track:
            case Track.DUE:
                kb = f" (KB{baseline.kb})" if baseline.kb else ""
                back, when = f"the baseline of {baseline.month.named}{kb}, now", self._cycle.month
            case Track.LEFT | Track.LEAVING:
                coming, costs = self._cycle.coming, self._cycle.costs
                if coming is not None:
                    when = coming.month
                    back = f"the baseline of {when.named}, out on {coming.out_on}"
                else:
                    back = "nothing: there is no baseline any more"
        return Standing(track, by, why, self._cycle.product, back, when, costs)


def _first(known: Iterable[_Known], kbs: Iterable[str]) -> _Known | None:
    held = frozenset(kbs)
    return next((one for one in known if one.kb and one.kb in held), None)


def _last(known: Iterable[_Known], kbs: Iterable[str]) -> _Known | None:
    held = frozenset(kbs)
    found = [one for one in known if one.kb and one.kb in held]
    return found[-1] if found else None


def _built(known: Iterable[_Known], revision: int) -> _Known | None:
    return next((one for one in known if one.build == revision), None)
