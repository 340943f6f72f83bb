"""The calendar of hotpatch months: what a month is to a product, by what is known of it, else by the rule.

The rule: January, April, July and October are baselines, the other months hotpatches. Once a year or so Microsoft breaks it with an
unplanned baseline, so that a month which only the rule tells of is *scheduled*, and nothing is made lighter by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from orchestrator.hotpatch.model import Between, Effect, Month, MonthKind, Product, Release
from orchestrator.hotpatch.releases import BETWEEN, FIRST, LAST, PLANNED_BASELINES, built_in


class Calendar:
    """Months and updates between them, each once. Equal contents are equal calendars."""

    def __init__(self, months: Iterable[Release], between: Iterable[Between]) -> None:
        self._months = {(release.product, release.month): release for release in months}
        self._between = {(update.product, update.kb): update for update in between}

    def __eq__(self, other: object) -> bool:
        """Whether they say the same."""
        if not isinstance(other, Calendar):
            return NotImplemented
        return (self._months, self._between) == (other._months, other._between)

    def __hash__(self) -> int:
        """As for any value."""
        return hash((frozenset(self._months.items()), frozenset(self._between.items())))

    def corrected(self, months: Iterable[Release], between: Iterable[Between]) -> Calendar:
        """The calendar with what somebody knows better: each of these takes the place of what was there."""
        return Calendar([*self._months.values(), *months], [*self._between.values(), *between])

    def release(self, product: Product, month: Month) -> Release:
        """What a month is to a product. There is an answer for every month."""
        known = self._months.get((product, month))
        if known is not None:
            return known
        if month < FIRST[product]:
            return Release(product, month, MonthKind.UNKNOWN, note="before the product had hotpatches")
        if month > LAST[product]:
            note = f"hotpatches of {product.named} end with {LAST[product].named}"
            return Release(product, month, MonthKind.UNKNOWN, note=note)
        if month < self.first_known(product):
            return Release(product, month, MonthKind.UNKNOWN, note="before what this calendar holds")
        kind = MonthKind.BASELINE if month.number in PLANNED_BASELINES else MonthKind.HOTPATCH
        return Release(product, month, kind, note="by the rule; no release is known", scheduled=True)

    def known(self, product: Product) -> tuple[Release, ...]:
        """The months that it knows, in order."""
        return tuple(self._months[key] for key in sorted(self._months) if key[0] is product)

    def first_known(self, product: Product) -> Month:
        """The first month that it knows; for months before it there isn't even a rule."""
        return min(month for one, month in self._months if one is product)

    def last_known(self, product: Product) -> Month:
        """The last month that it knows."""
        return max(month for one, month in self._months if one is product)

    def baseline(self, product: Product, month: Month) -> Release | None:
        """The newest baseline in a month, be it that month's own; None if it is before what the calendar holds."""
        while month >= self.first_known(product):
            release = self.release(product, month)
            if release.kind.is_baseline:
                return release
            month = month.plus(-1)
        return None

    def next_baseline(self, product: Product, month: Month) -> Release | None:
        """The first baseline after a month; None once hotpatching has ended."""
        while month < LAST[product]:
            month = month.plus(1)
            release = self.release(product, month)
            if release.kind.is_baseline:
                return release
        return None

    def since(self, product: Product, first: Month, last: Month) -> tuple[Release, ...]:
        """The releases of these months, both included."""
        months = []
        while first <= last:
            months.append(self.release(product, first))
            first = first.plus(1)
        return tuple(months)

    def hotpatches(self, product: Product, first: Month, last: Month) -> int:
        """How many of these months spare a restart, both included."""
        return sum(one.kind is MonthKind.HOTPATCH for one in self.since(product, first, last))

    def between(self, product: Product, first: Month, last: Month) -> tuple[Between, ...]:
        """Updates that came out of band in these months, both included; in order."""
        found = (
            one for one in self._between.values() if one.product is product and first <= one.month <= last
        )
        return tuple(sorted(found, key=lambda one: (one.released, one.kb)))

    def every_between(self) -> tuple[Between, ...]:
        """All updates out of band; in order."""
        return tuple(sorted(self._between.values(), key=lambda one: (one.product, one.released, one.kb)))

    def products(self) -> dict[str, Product]:
        """Whose update each KB is that the calendar names."""
        months = {kb: one.product for one in self._months.values() for kb in (one.kb, one.lcu) if kb}
        return {**months, **{one.kb: one.product for one in self._between.values()}}

    def keeping(
        self, product: Product, baseline: Release, month: Month
    ) -> Iterator[tuple[str, int | None, str]]:
        """Updates with which a machine is on the track in a month: KB, build, and what it is."""
        yield baseline.kb, baseline.build, f"the baseline of {baseline.month.named}"
        for one in self.since(product, baseline.month.plus(1), month):
            if one.kind is MonthKind.HOTPATCH:
                yield one.kb, one.build, f"the hotpatch of {one.month.named}"
        for update in self.between(product, baseline.month, month):
            if update.effect is Effect.KEEPS:
                yield update.kb, update.build, f"which came out of band on {update.released}"

    def leaving(
        self, product: Product, baseline: Release, month: Month
    ) -> Iterator[tuple[str, int | None, str]]:
        """Updates that take a machine off the track since the newest baseline: KB, build, and what it is."""
        for one in self.since(product, baseline.month.plus(1), month):
            if one.kind is MonthKind.HOTPATCH:
                yield one.lcu, one.lcu_build, f"the cumulative update of {one.month.named}, a hotpatch month"
        for update in self.between(product, baseline.month, month):
            if update.effect is Effect.LEAVES:
                yield update.kb, update.build, f"which came out of band on {update.released}"


@cache
def built_in_calendar() -> Calendar:
    """What this program knows by itself."""
    return Calendar(built_in(), BETWEEN)
