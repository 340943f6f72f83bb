"""`max_unavailable` and `min_available` to budgets. All the arithmetic of the two is here.

    limit = min(max_unavailable, size - min_available), less the members that can't be read

What counts, for a group with members that run, members that were off when planned, and members that can't be read:

    max_unavailable    size is running + unread; off machines are no members at all, neither in the size nor as out
    min_available      size is running + off + unread; off machines never serve
    min_available: P%  is max_unavailable: (100 - P)%, in this respect too

    rebootless         is max_unavailable for all that are changed or out, beside the rule's own limit for those that restart or
                       are out; where it isn't the larger of the two, it says nothing

A percentage rounds down, and is at least 1. A count, and a majority (floor(n / 2) + 1), are exact and never softened. Members that can't be
read count as out all the time, so they are taken off the limit once and for all. A machine whose power state nobody told counts as a
member that runs: it isn't changed unless it is found running, and a rollout that finds it out counts it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import MachineId
from orchestrator.planner.drafts import DraftBudget, Drafted, Nothing, content_id, listed, machines
from orchestrator.planner.groups import Counted, Groups, Scope
from orchestrator.policy import words
from orchestrator.policy.model import MaxUnavailable, MinAvailable, Origin, Share, Singletons
from orchestrator.topology.model import GroupKind


@dataclass(frozen=True, slots=True)
class Size:
    """A group in numbers."""

    running: int
    off: int
    unread: int

    @property
    def whole(self) -> int:
        """All members."""
        return self.running + self.off + self.unread


@dataclass(frozen=True, slots=True)
class Limit:
    """How many of the running members may be out, and the sentence that says where the number comes from."""

    out: int
    because: str


def draft_budgets(rule: MaxUnavailable | MinAvailable, scope: Scope, groups: Groups) -> Drafted:
    """One budget for each group of the rule."""
    drafted = Drafted(words.rule(rule), rule.origin)
    drafted.warn_of_outsiders(scope, groups, rule.per)
    for group in groups.divided(scope, rule.per):
        draft = _draft(rule, group, groups.off)
        if isinstance(draft, Nothing):
            drafted.nothing.append(draft)
        else:
            drafted.budgets.extend(draft)
    careful_about_pools(drafted, scope, groups, rule.per)
    return drafted


def careful_about_pools(drafted: Drafted, scope: Scope, groups: Groups, kinds: Sequence[str]) -> None:
    """A machine whose back-end pools nobody read may be in any: of it and all that the rule counts, one goes at a time."""
    unknown = groups.unpooled(scope, kinds)
    if not unknown:
        return
    members = groups.with_others(scope, (GroupKind.LOAD_BALANCER,))
    group = Counted(f"{scope.name}, whose back-end pools aren't all known", tuple(members), (), ())
    drafted.budgets.append(one_machine_at_a_time(group, groups.off, drafted.origin, "back-end pools"))
    drafted.warn(
        f"{drafted.rule}: one machine of {scope.name} at a time, since the back-end pools of {machines(len(unknown))} "
        f"aren't known ({listed(unknown)}); plan from Azure itself, or add the output of `az network nic list` to the file"
    )


def one_machine_at_a_time(
    group: Counted, off: frozenset[MachineId], origin: Origin, unknown: str = "update domains"
) -> DraftBudget:
    """The careful case, where it isn't known which members stand together; `unknown` says what isn't."""
    running, size = _counted(group, off)
    limit = Limit(1 - size.unread, f"one machine at a time, since {unknown} are unknown")
    return _budget(group, running, size, limit, origin, cap=False)


def wider_limit(rule: MaxUnavailable | MinAvailable, size: Size) -> Limit | None:
    """How many may be changed or out at once where nothing restarts; None where that is no more than may be out."""
    if rule.rebootless is None:
        return None
    wider = _at_most(rule.rebootless, size)
    return wider if wider.out > max(limit_of(rule, size).out, 0) else None


def limit_of(rule: MaxUnavailable | MinAvailable, size: Size) -> Limit:
    """How many of a group's running members may be out at once; nobody if it isn't positive."""
    if isinstance(rule, MaxUnavailable):
        return _at_most(rule.limit, size)
    if rule.floor is not None and rule.floor.percent is not None:
        return _at_most(Share(percent=100 - rule.floor.percent), size)
    need = size.whole // 2 + 1 if rule.floor is None else rule.floor.of(size.whole)
    return Limit(size.running - need, f"at least {need} of {size.whole} must serve")


def _at_most(share: Share, size: Size) -> Limit:
    allowed = share.of(size.running + size.unread)
    return Limit(allowed - size.unread, f"at most {allowed} of {size.running + size.unread} may be out")


def _draft(
    rule: MaxUnavailable | MinAvailable, group: Counted, off: frozenset[MachineId]
) -> tuple[DraftBudget, ...] | Nothing:
    running, size = _counted(group, off)
    limit = limit_of(rule, size)
    alone = isinstance(rule, MinAvailable) and size.whole == 1 and limit.out < 1
    if alone and isinstance(rule, MinAvailable) and rule.singletons is Singletons.ALLOW:
        return Nothing("the machine is alone in its group, and singletons are allowed", group.name)
    if alone and isinstance(rule, MinAvailable) and rule.singletons is Singletons.APPROVE and running:
        why = "the machine is alone in its group, and goes with a person's yes"
        return Nothing(why, group.name, running[0])
    if alone:
        limit = Limit(limit.out, f"{limit.because}, and it is alone in its group (singletons: leave_out)")
    wider = wider_limit(rule, size)
    if wider is None:
        return (_budget(group, running, size, limit, rule.origin, cap=rule.cap),)
    return (
        _budget(group, running, size, limit, rule.origin, cap=rule.cap, restarts=True),
        _budget(group, running, size, wider, rule.origin, cap=rule.cap),
    )


def _budget(
    group: Counted,
    running: tuple[MachineId, ...],
    size: Size,
    limit: Limit,
    origin: Origin,
    *,
    cap: bool,
    restarts: bool = False,
) -> DraftBudget:
    out = max(limit.out, 0)
    short = _short(size)
    counted = f"{len(running)} restarting" if restarts else f"{len(running)}"
    budget = Budget(
        id=content_id("budget", running, [str(out), str(cap), *(["restarts"] if restarts else [])]),
        machines=running,
        limit=out,
        what=f"at most {out} of {counted} in {group.name}" + (f" ({short})" if short else ""),
        origin=origin,
        cap=cap,
        restarts=restarts,
    )
    return DraftBudget(budget, group.name, f"{limit.because}" + (f"; {short}" if short else ""))


def _short(size: Size) -> str:
    """Members that aren't there to be taken down, in words."""
    parts = []
    if size.off:
        parts.append(f"{size.off} off")
    if size.unread:
        parts.append(f"{size.unread} can't be read and count{'s' if size.unread == 1 else ''} as out")
    return ", ".join(parts)


def _counted(group: Counted, off: frozenset[MachineId]) -> tuple[tuple[MachineId, ...], Size]:
    running = group.members
    if not off.isdisjoint(running):
        running = tuple([machine for machine in running if machine not in off])
    return running, Size(len(running), len(group.members) - len(running), len(group.unknown))
