"""A plan's restarts in words, and what hotpatching has to do with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.availability.model import Budget
from orchestrator.hotpatch.model import MonthKind, Restarts, Track
from orchestrator.planner.hotpatching import ProductMonth
from orchestrator.planner.model import Plan
from orchestrator.planner.saved import Saved
from orchestrator.planner.summary import Summary
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import Patches, Reboot, RunCommand
from orchestrator.policy.words import counted

_MONTHS: Final = {
    MonthKind.BASELINE: "a baseline, which restarts everybody",
    MonthKind.HOTPATCH: "a hotpatch, without a restart",
    MonthKind.UNPLANNED_BASELINE: "an unplanned baseline, which restarts everybody",
    MonthKind.UNKNOWN: "not known",
}


def restarts(plan: Plan, told: Summary) -> str:
    """`up to 15 restarts (4 certain, 7 likely, unknown counts as one); 12 need none and stay up`."""
    never = told.predicted.get(Restarts.NEVER.value, 0)
    match plan.change:
        case Patches(reboot=Reboot.IF_REQUIRED):
            sure = {kind: told.predicted.get(kind, 0) for kind in ("certain", "likely")}
            known = "".join(f"{number:,} {kind}, " for kind, number in sure.items() if number)
            up = f"; {never:,} need none and stay up" if never else ""
            return f"up to {counted(told.restarts, 'restart')} ({known}unknown counts as one){up}"
        case Patches(reboot=Reboot.NEVER):
            return "no restarts" + (f"; {never:,} of these need none and stay up" if never else "")
        case Enrolment():
            return "no restarts"
        case RunCommand():
            return "no restarts by the plan itself; each counts as out while its script runs"
        case _:
            return counted(told.restarts, "restart")


def product_month(product: ProductMonth) -> str:
    """`Windows Server 2025: a hotpatch, without a restart (KB5087423; machines off the track get KB5087539)`."""
    told = f"{product.product.named}: {_MONTHS[product.kind]}"
    if product.scheduled:
        return f"{told}, by the rule: the calendar doesn't hold the month"
    if product.kind is MonthKind.UNKNOWN and product.note:
        return f"{told}: {product.note}"
    if not product.kb:
        return told
    others = (
        f"; machines off the track get KB{product.lcu}" if product.lcu != product.kb and product.lcu else ""
    )
    return f"{told} (KB{product.kb}{others})"


def what_is_saved(plan: Plan, saved: Saved) -> Iterator[str]:
    """What hotpatching saves, who is restarted all the same, and what it costs that some left the track."""
    guessed = saved.month - saved.assured
    by = (
        f", {guessed:,} of them by the calendar alone, for which a restart is planned all the same"
        if guessed
        else ""
    )
    yield f"saves {counted(saved.month, 'restart')} this month{by}"
    if saved.year:
        on = saved.tracks.get(Track.ON.value, 0)
        who = (
            "the machine that is on the track stays"
            if on == 1
            else f"the {on:,} machines that are on the track stay"
        )
        yield f"saves {counted(saved.year, 'restart')} over {saved.hotpatching.month.year}, if {who} on it"
    if saved.despite:
        what = ", ".join(f"{why} {number:,}" for why, number in saved.despite.items())
        yield f"on the track and restarted all the same: {what}"
    up = sum(machine.stays_up for machine in plan.machines if machine.change)
    if up and any(isinstance(rule, Budget) and rule.spared for rule in plan.constraints):
        rides = "rides" if up == 1 else "ride"
        yield f"two speeds: {counted(up, 'machine')} that won't restart {rides} in wider waves, the others keep the bound on restarts"
    if saved.lost:
        times = counted(saved.lost, "time")
        yield f"those that left the track restart {times} until they are back, where hotpatches would not have"
