"""What windows, freezes and deadlines say of each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from orchestrator.errors import Problem
from orchestrator.inventory.model import Kind, Os
from orchestrator.planner.durations import Durations
from orchestrator.planner.model import AroundSteps
from orchestrator.policy import codes, words
from orchestrator.policy.model import Campaign, Health, Policy, Restart
from orchestrator.policy.windows import Calendar, calendar, ever_open, opens_next, spans
from orchestrator.review.subject import Subject

_DAY = timedelta(days=1)


def of_hours(subject: Subject, now: datetime) -> Iterator[Problem]:
    """Everything that the calendar of one policy shows at `now`."""
    yield from _freezes(subject, now)
    campaign = subject.policy.campaign
    if subject.policy.windows:
        takes = _takes(subject.policy)
        when = calendar((subject.policy.windows,), (), None)
        if not ever_open(when, takes):
            longest = max(window.length for window in subject.policy.windows)
            what = f"a change may take {words.duration(takes)}, and these windows are never open for longer than {words.duration(longest)}"
            instead = "write longer windows, or shorter steps and health times"
            yield subject.says(("windows",), codes.WINDOW_TOO_SHORT, what, instead, key=True)
        elif campaign is not None:
            yield from _openings(subject, campaign, when, takes, now)
    if campaign is not None:
        yield from _deadline(subject, campaign)


def _freezes(subject: Subject, now: datetime) -> Iterator[Problem]:
    for place, freeze in enumerate(subject.policy.freezes):
        if freeze.last + _DAY < now.date():  # a day's grace: it is still yesterday somewhere
            yield subject.says(
                ("freezes", place),
                codes.FREEZE_IS_OVER,
                f"the freeze ended on {freeze.last}",
                "take it out, or write the days of the next one",
            )


def _takes(policy: Policy) -> timedelta:
    """What 19 of 20 changes stay below, of the system whose changes are shortest; of rules alone, a restart's."""
    change = policy.campaign.change if policy.campaign is not None else Restart()
    around = [AroundSteps(entry.before, entry.after) for entry in policy.around]
    health = policy.health or Health()
    known = Durations()
    return min(known.of(change, Kind.AZURE_VM, os, health, around).late for os in (Os.LINUX, Os.WINDOWS))


def _openings(
    subject: Subject, campaign: Campaign, when: Calendar, takes: timedelta, now: datetime
) -> Iterator[Problem]:
    """A stage that bakes beyond the end of its window waits for another one to open."""
    longest = max(window.length for window in subject.policy.windows)
    needed = 1 + sum(stage.bake + takes > longest for stage in campaign.stages[:-1])
    begin = opens_next(when, now, takes)
    if begin is None or needed == 1:
        return
    openings = spans(when, begin, begin + campaign.deadline)
    found = sum(1 for _ in islice((one for one in openings if one.end - one.start >= takes), needed))
    if found < needed:
        what = f"the stages need {needed} openings of the windows, since they bake longer than a window is open, and in {words.duration(campaign.deadline)} there are {found}"
        at = "deadline" if subject.writes("deadline") else "windows"
        instead = "write a longer deadline, more windows or fewer stages"
        yield subject.says((at,), codes.TOO_FEW_OPENINGS, what, instead, key=True)


def _deadline(subject: Subject, campaign: Campaign) -> Iterator[Problem]:
    bakes = sum((stage.bake for stage in campaign.stages), timedelta())
    if bakes >= campaign.deadline:
        what = f"the stages bake for {words.duration(bakes)}, and the deadline is {words.duration(campaign.deadline)}"
        at = "deadline" if subject.writes("deadline") else "stages"
        instead = "write a longer deadline, or shorter bakes"
        yield subject.says((at,), codes.DEADLINE_TOO_SHORT, what, instead, key=True)
    if campaign.max_wait >= campaign.deadline:
        what = f"a machine would wait for {words.duration(campaign.max_wait)}, and the rollout is over after {words.duration(campaign.deadline)}"
        at = "max_wait" if subject.writes("max_wait") else "deadline"
        instead = "write a shorter max_wait, or a longer deadline"
        yield subject.says((at,), codes.WAIT_BEYOND_DEADLINE, what, instead, key=True)
