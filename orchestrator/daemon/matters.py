"""What is the matter with the daemon itself, of what it knows now: pure. Each matter has a key, by which it is told once while it stands.

What can't be said yet, such as right after a start, is left away: then nobody is told that it came up, nor that it is over.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchestrator.access.settings import TokenEntry
from orchestrator.daemon.calendar import Entry
from orchestrator.daemon.following import Followed
from orchestrator.daemon.opening import Waits
from orchestrator.rollout.holds import Hold
from orchestrator.rollout.matters import Matter, Topic
from orchestrator.web.tls import SOON

GIT_FOR: Final = timedelta(minutes=15)
"""How long git may be unreachable before somebody is told: shorter outages go by themselves."""

SHOWN: Final = 3
"""Problems of a bad commit that are told; the log has all of them."""

HOLD_ENDS: Final = timedelta(hours=24)
"""Before a hold ends, people are told; of one that lasts no longer than that they know."""

CHECK: Final = "wavekeeper daemon --check --config FILE"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the daemon knows. `fleet_age`: None before the fleet was read; `up_for`: since when the process runs; `holds` that haven't ended."""

    now: datetime
    followed: Followed
    entries: Sequence[Entry]
    waits: Mapping[str, Waits]
    fleet_age: timedelta | None
    fleet_limit: timedelta
    up_for: timedelta
    holds: Sequence[Hold] = ()
    certificate_ends: datetime | None = None
    tokens: Sequence[TokenEntry] = ()


def matters_of(seen: Seen) -> dict[Topic, list[Matter]]:
    """What is the matter, of each topic that something can be said of."""
    found: dict[Topic, list[Matter]] = {}
    followed = seen.followed
    if followed.looked_at is not None:
        if not followed.unreachable:
            found[Topic.BAD_COMMIT] = _bad_commit(followed)
            found[Topic.GIT] = []
        elif followed.unreachable_since is not None and seen.now - followed.unreachable_since >= GIT_FOR:
            found[Topic.GIT] = [_git(followed)]
    if followed.good is not None:
        found[Topic.MISSED] = [_missed(one, one.missed) for one in seen.entries if one.missed is not None]
        if all(one.due is None or _tried(one, seen.waits) for one in seen.entries):
            found[Topic.DUE] = [
                _waiting(seen.waits[one.campaign]) for one in seen.entries if one.due is not None
            ]
    age = seen.up_for if seen.fleet_age is None else seen.fleet_age
    if age > seen.fleet_limit:
        found[Topic.INVENTORY] = [_stale(age, known=seen.fleet_age is not None)]
    elif seen.fleet_age is not None:
        found[Topic.INVENTORY] = []
    found[Topic.HOLD] = [_ending(one) for one in seen.holds if _ends_soon(one, seen.now)]
    ends = seen.certificate_ends
    found[Topic.CERTIFICATE] = [_certificate(ends)] if ends is not None and ends - seen.now <= SOON else []
    found[Topic.TOKEN] = [_token(one) for one in seen.tokens if one.expires - seen.now <= SOON]
    return found


def _bad_commit(followed: Followed) -> list[Matter]:
    bad = followed.bad
    if bad is None:
        return []
    problems = list(bad.problems[:SHOWN])
    if len(bad.problems) > SHOWN:
        problems.append(f"and {len(bad.problems) - SHOWN} more")
    counts = f"{followed.good.commit.short} goes on counting" if followed.good else "no commit counts"
    return [
        Matter(
            Topic.BAD_COMMIT,
            bad.commit.id,
            f"commit {bad.commit} is bad and does not count: {'; '.join(problems)}",
            f"Nothing of it holds until it is mended: {counts}.",
            ("wavekeeper policy check", "wavekeeper policy test", CHECK),
        )
    ]


def _git(followed: Followed) -> Matter:
    counts = f"{followed.good.commit.short} goes on counting" if followed.good else "no commit counts yet"
    return Matter(
        Topic.GIT,
        "policies",
        f"git can't be asked since {followed.unreachable_since:%Y-%m-%d %H:%M} UTC: {followed.unreachable}",
        f"Changes of policies aren't seen: {counts}. Rollouts go on.",
        (CHECK,),
    )


def _missed(entry: Entry, missed: datetime) -> Matter:
    return Matter(
        Topic.MISSED,
        f"{entry.campaign} {missed:%Y-%m-%dT%H:%M}",
        f"{entry.campaign} of {missed:%Y-%m-%d %H:%M} UTC was missed, and is too long ago to be caught up",
        f"Its machines stay as they are until {entry.next:%Y-%m-%d %H:%M} UTC." if entry.next else "",
        ("wavekeeper plan --policies policies -o plan.json", "wavekeeper rollout plan.json"),
        entry.campaign,
    )


def _tried(entry: Entry, waits: Mapping[str, Waits]) -> bool:
    waiting = waits.get(entry.campaign)
    return waiting is not None and waiting.due == entry.due


def _waiting(waits: Waits) -> Matter:
    due = waits.due
    return Matter(
        Topic.DUE,
        f"{due.campaign} {due.at:%Y-%m-%dT%H:%M}",
        f"{due} is due and can't be opened: {waits.why}",
        "Its machines stay as they are; it is tried again every five minutes.",
        ("wavekeeper status", CHECK),
        due.campaign,
    )


def _stale(age: timedelta, *, known: bool) -> Matter:
    hours = f"{age.total_seconds() / 3600:.1f} h"
    what = (
        f"the inventory is {hours} old and can't be read anew"
        if known
        else f"the fleet couldn't be read for {hours}"
    )
    return Matter(
        Topic.INVENTORY,
        "fleet",
        what,
        "New commits can't be tried and nothing that is due can be opened; rollouts go on by what they see themselves.",
        ("wavekeeper doctor", CHECK),
    )


def _ends_soon(hold: Hold, now: datetime) -> bool:
    return hold.until - now <= HOLD_ENDS < hold.until - hold.since


def _ending(hold: Hold) -> Matter:
    return Matter(
        Topic.HOLD,
        hold.id,
        f"the hold {hold.id} on {hold.select} ends at {hold.until:%Y-%m-%d %H:%M} UTC; {hold.who} placed it: {hold.reason}",
        "Its machines are changed again from then on, as windows and rules allow.",
        (
            f"wavekeeper hold {shlex.quote(hold.select)} --until T --reason R",
            f"wavekeeper unhold {hold.id}",
        ),
    )


def _certificate(ends: datetime) -> Matter:
    return Matter(
        Topic.CERTIFICATE,
        f"{ends:%Y-%m-%dT%H:%M}",
        f"the server's certificate ends at {ends:%Y-%m-%d %H:%M} UTC",
        "From then on nobody reaches page or API; rollouts go on.",
        (),
    )


def _token(token: TokenEntry) -> Matter:
    return Matter(
        Topic.TOKEN,
        f"{token.name} {token.expires:%Y-%m-%d}",
        f"the token of {token.name} doesn't count any more from {token.expires:%Y-%m-%d} on",
        "Whatever uses it is refused then; rollouts go on.",
        ("wavekeeper token",),
    )
