"""What came out in which month: Microsoft's hotpatch calendars of Windows Server 2022 and 2025, 2024 to August 2026.

Sources, by the word that each row ends with:

- `info`: "Windows Server release information" of Microsoft Learn, its hotpatch calendars and its table of builds, as of 2026-05-13;
- `support`: what public data sets and users noted from the updates' own pages at support.microsoft.com, as of June to September 2026;
- `arc`: "Enable Hotpatch for Arc-enabled servers" of Microsoft Learn, as of 2025-10-30.

`docs/hotpatch.md` says more of them, and how to add or correct a month without a release of this program.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from orchestrator.hotpatch.model import Between, Effect, Month, MonthKind, Product, Release

_KINDS: Final = {
    "B": MonthKind.BASELINE,
    "H": MonthKind.HOTPATCH,
    "U": MonthKind.UNPLANNED_BASELINE,
    "?": MonthKind.UNKNOWN,
}

# Month, kind, build, KB; the cumulative update of everybody else and its build, where it is another one; source.
_WS2022: Final = """
2024-01 B  2227 5034129 -        -    info
2024-02 H  2277 5034860 5034770  2322 info
2024-03 H  2333 5035959 5035857  2340 info
2024-04 B  2402 5036909 -        -    info
2024-05 H  2458 5037848 5037782  2461 info
2024-06 H  2522 5039330 5039227  2527 info
2024-07 B  2582 5040437 -        -    info
2024-08 U  2655 5041160 -        -    info
2024-09 H  2695 5042880 5042881  2700 info
2024-10 B  2762 5044281 -        -    info
2024-11 H  2819 5046698 5046616  2849 info
2024-12 H  2908 5048800 5048654  2966 info
2025-01 B  3091 5049983 -        -    info
2025-02 H  3148 5052106 5051979  3207 info
2025-03 H  3270 5053638 5053603  3328 info
2025-04 B  3453 5055526 -        -    info
2025-05 H  3630 5058500 5058385  3692 info
2025-06 H  3745 5060525 5060526  3807 info
2025-07 B  3932 5062572 -        -    info
2025-08 H  3989 5063812 5063880  4052 info
2025-09 H  4106 5065306 5065432  4171 info
2025-10 B  4294 5066782 -        -    info
2025-11 H  4346 5068840 5068787  4405 info
2025-12 H  4467 5071413 5071547  4529 info
2026-01 B  4648 5073457 -        -    info
2026-02 H  4711 5075943 5075906  4773 info
2026-03 H  4830 5078737 5078766  4893 info
2026-04 B  5020 5082142 -        -    info
2026-05 H  5074 5087424 5087545  5139 info
2026-06 ?  -    -       5094128  5256 support
2026-07 B  -    5099540 -        -    support
2026-08 H  -    5120229 5120242  5499 support
"""

_WS2025: Final = """
2024-10 B  1742  -       -       -     info
2024-11 H  2240  5046696 5046617 2314  info
2024-12 H  2528  5048794 5048667 2605  info
2025-01 B  2894  5050009 -       -     info
2025-02 H  3107  5052105 5051987 3194  info
2025-03 H  3403  5053636 5053598 3476  info
2025-04 B  3775  5055523 -       -     info
2025-05 H  3981  5058497 5058411 4061  info
2025-06 H  4270  5060841 5060842 4349  info
2025-07 B  4652  5062553 -       -     info
2025-08 H  4851  5064010 5063878 4946  info
2025-09 H  6508  5065474 5065426 6584  info
2025-10 B  6899  5066835 -       -     info
2025-11 H  7092  5068966 5068861 7171  info
2025-12 H  7392  5072014 5072033 7462  info
2026-01 B  32230 5073379 -       -     info
2026-02 H  32313 5075942 5075899 32370 info
2026-03 H  32463 5078736 5078740 32522 info
2026-04 B  32690 5082063 -       -     info
2026-05 H  32772 5087423 5087539 32860 info
2026-06 U  32995 5094125 -       -     support
2026-07 B  33158 5099536 -       -     support
2026-08 H  33222 5120228 5120233 33296 support
"""

_NOTES: Final = {
    (Product.WS2022, Month(2024, 8)): "planned as a hotpatch",
    (Product.WS2022, Month(2026, 6)): (
        "only a cumulative update was found: probably an unplanned baseline, as it was for Windows Server 2025"
    ),
    (Product.WS2025, Month(2024, 10)): "the level that the product came out with",
    (Product.WS2025, Month(2026, 6)): "planned as a hotpatch",
}

BETWEEN: Final = (
    Between(
        Product.WS2025,
        "5070881",
        date(2025, 10, 23),
        Effect.LEAVES,
        6905,
        "arc",
        "offered by mistake to machines on the track; the same build as KB5070893",
    ),
    Between(
        Product.WS2025,
        "5070893",
        date(2025, 10, 24),
        Effect.KEEPS,
        6905,
        "arc",
        "for machines on the track; the same build as KB5070881",
    ),
    Between(Product.WS2022, "5078238", date(2026, 1, 24), Effect.KEEPS, 4655, "support", "a hotpatch"),
    Between(
        Product.WS2025, "5091157", date(2026, 4, 19), Effect.LEAVES, 32698, "info", "a cumulative update"
    ),
    Between(Product.WS2022, "5091575", date(2026, 4, 19), Effect.LEAVES, 5024, "info", "a cumulative update"),
)
"""Updates that came out of band, which hotpatching minds."""

FIRST: Final = {Product.WS2022: Month(2022, 1), Product.WS2025: Month(2024, 10)}
"""The first month of each product's hotpatching; nothing was patched so before."""

LAST: Final = {Product.WS2022: Month(2027, 10), Product.WS2025: Month(2029, 11)}
"""The last month. Windows Server 2022 was to end in October 2026 and was extended by a year for Datacenter: Azure Edition
(announced at the end of June 2026); 2025 has mainstream support until 2029-11-13."""

PLANNED_BASELINES: Final = frozenset({1, 4, 7, 10})
"""Months of a year that are baselines by the rule; the others are hotpatches."""


def built_in() -> tuple[Release, ...]:
    """Every month that this program knows, by product and month."""
    return (*_rows(Product.WS2022, _WS2022), *_rows(Product.WS2025, _WS2025))


def _rows(product: Product, table: str) -> tuple[Release, ...]:
    return tuple(_row(product, *line.split()) for line in table.strip().splitlines())


def _row(
    product: Product, month: str, kind: str, build: str, kb: str, lcu: str, lcu_build: str, source: str
) -> Release:
    year, _, number = month.partition("-")
    when = Month(int(year), int(number))
    only = _KINDS[kind].is_baseline  # one update for everybody
    return Release(
        product=product,
        month=when,
        kind=_KINDS[kind],
        kb="" if kb == "-" else kb,
        build=_number(build),
        lcu=("" if kb == "-" else kb) if only else lcu,
        lcu_build=_number(build if only else lcu_build),
        source=source,
        note=_NOTES.get((product, when), ""),
    )


def _number(told: str) -> int | None:
    return None if told == "-" else int(told)
