"""The judge of audits against one that looks at every moment of every interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from orchestrator.verify.audit import judge_audit

Json = dict[str, Any]

MACHINES = [f"/subscriptions/{n}/vm-{n}" for n in range(6)]  # a subscription each: the floor asks for nothing
INVENTORY = {"schema": "wavekeeper.inventory/1", "machines": [{"id": machine} for machine in MACHINES]}
_SOME = st.lists(st.sampled_from(MACHINES), unique=True, min_size=1)


def _at(minute: int) -> str:
    return (datetime(2026, 11, 22, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


@st.composite
def _runs(draw: st.DrawFn) -> dict[str, tuple[int, int]]:
    """When each machine was worked on; no two moments are the same."""
    moments = draw(st.permutations(range(2 * len(MACHINES))))
    spans = {m: tuple(sorted(moments[2 * n : 2 * n + 2])) for n, m in enumerate(MACHINES)}
    done = draw(_SOME)
    return {machine: (span[0], span[1]) for machine, span in spans.items() if machine in done}


def _audit(run: dict[str, tuple[int, int]], *, out: bool) -> list[Json]:
    lines = []
    for machine, (begin, over) in run.items():
        tell = [(begin, "install"), (over, "install_end")]
        if out:
            tell += [(begin, "out"), (over, "back")]
        lines += [
            (minute, {"at": _at(minute), "machine": machine.upper(), "event": word, "operation": machine})
            for minute, word in tell
        ]
    return [line for _, line in sorted(lines, key=lambda told: told[0])]


def _plan(*constraints: Json) -> Json:
    return {
        "schema": "wavekeeper.plan/1",
        "machines": {machine: {} for machine in MACHINES},
        "constraints": [rule | {"id": f"rule-{n}"} for n, rule in enumerate(constraints)],
        "stages": ["broad"],
        "lanes": [{"id": "one", "stage": "broad", "waves": [{"machines": [m]} for m in MACHINES]}],
        "left_out": [],
    }


def _broken(audit: list[Json], *constraints: Json) -> bool:
    return not judge_audit(audit, _plan(*constraints), INVENTORY).ok


@given(_runs(), _SOME, st.integers(0, 4), st.booleans(), st.booleans())
def test_budgets(
    run: dict[str, tuple[int, int]], members: list[str], limit: int, out: bool, cap: bool
) -> None:
    """A budget is broken exactly if at some moment more of its machines are being worked on than it allows."""
    most = max(
        sum(begin <= minute < over for m, (begin, over) in run.items() if m in members)
        for minute in range(12)
    )
    rule = {"kind": "budget", "machines": members, "limit": limit, "cap": cap}
    event(f"broken: {most > limit}")
    assert _broken(_audit(run, out=out), rule) == (most > limit)


@given(_runs(), st.lists(st.sampled_from("abc"), min_size=len(MACHINES), max_size=len(MACHINES)))
def test_exclusions(run: dict[str, tuple[int, int]], domain: list[str]) -> None:
    """An exclusion is broken exactly if the times from a domain's first beginning to its last end overlap."""
    domains = {name: [m for m, d in zip(MACHINES, domain, strict=True) if d == name] for name in set(domain)}
    hulls = [
        (min(run[m][0] for m in done), max(run[m][1] for m in done))
        for members in domains.values()
        if (done := [m for m in members if m in run])
    ]
    overlap = any(one[0] < other[1] and other[0] < one[1] for one, other in combinations(hulls, 2))
    event(f"broken: {overlap}")
    assert _broken(_audit(run, out=False), {"kind": "exclusion", "domains": domains}) == overlap


@given(_runs(), st.integers(1, len(MACHINES) - 1), st.permutations(MACHINES))
def test_orders(run: dict[str, tuple[int, int]], cut: int, members: list[str]) -> None:
    """An order is broken exactly if somebody who comes then began before somebody who comes first was done."""
    first, then = members[:cut], members[cut:]
    early = any(run[b][0] < run[a][1] for a in first for b in then if a in run and b in run)
    event(f"broken: {early}")
    assert _broken(_audit(run, out=True), {"kind": "order", "first": first, "then": then}) == early


@given(_runs())
def test_what_happens_twice_or_elsewhere_is_found(run: dict[str, tuple[int, int]]) -> None:
    """A run that keeps everything is acquitted; one more installation, or one elsewhere, is always found."""
    audit = _audit(run, out=True)
    assert not _broken(audit)
    again = audit[0] | {"at": _at(99), "event": "install", "operation": "again"}
    assert _broken([*audit, again])
    assert _broken([*audit, again | {"machine": "/elsewhere"}])
    assert not _broken([*audit, again | {"by": "foreign"}])
