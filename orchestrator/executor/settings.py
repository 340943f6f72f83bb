"""How the executor goes about its work. Nothing here changes what is promised; it changes pace and patience."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Each value with its unit and why it is what it is. Where not said otherwise, time is the cloud's.

    Against an emulator that runs faster, real time-outs are multiplied by its scale where they enter the attempt protocol.
    """

    request_timeout_s: float = 30.0  # real seconds for one request; ARM answers within a few
    # Real seconds after which a request that nobody waits for any more can't be taken: on its way, or in a queue before ARM.
    in_transit_s: float = 30.0
    # Reads of an unsettled machine; Azure allows 12 a minute for each VM.
    settle_every: timedelta = timedelta(seconds=30)
    # How long a run that was taken may stay invisible: that no attempt is doubled rests on it.
    settle_for: timedelta = timedelta(minutes=5)
    # A read that fails begins that time anew; so long at most, then it is a person's.
    settle_at_most: timedelta = timedelta(minutes=30)
    # From an intent to its request at most, as the scope says it.
    send_within: timedelta = timedelta(seconds=60)
    # A run that began, by an Arc machine's own clock, so long before its intent is another one, told late.
    clock_tolerance: timedelta = timedelta(minutes=2)
    # How long Resource Graph is asked what an Arc machine's run did with each patch; it lags by up to a minute.
    patches_for: timedelta = timedelta(seconds=90)
    # How long a granted machine may go unread before an intent; then its grant is given back.
    baseline_within: timedelta = timedelta(minutes=30)
    # The first look at an operation while too few have ended to know when.
    first_poll: timedelta = timedelta(minutes=3)
    # The same while few are in flight and requests are cheap; few installations are done sooner.
    eager_poll: timedelta = timedelta(minutes=2)
    eager_below: int = 20  # operations in flight
    # A look each time this share of those still running at its age had ended: four or five looks an operation ...
    poll_share: float = 0.25
    eager_share: float = 0.1  # ... and eight while few are in flight
    poll_void: timedelta = timedelta(minutes=1)  # one look more before so long a time in which none had ended
    poll_gap: timedelta = timedelta(minutes=5)  # between two looks at the most
    # Where that isn't known, each tenth of the operation's age, and each minute at the most.
    poll_by_age: float = 0.1
    poll_most: timedelta = timedelta(seconds=60)
    # In a crowd none is looked at as often but its oldest, until some have ended.
    crowd_above: int = 200  # operations in flight
    # Between two looks at one of them at the most, unless its oldest are older: what ended long ago took another time, perhaps.
    crowd_gap: timedelta = timedelta(minutes=20)
    poll_least: timedelta = timedelta(seconds=15)  # Azure's bucket refills by 15 a minute for each VM
    operation_grace: timedelta = timedelta(
        hours=1
    )  # over `maximum_duration`, before it counts as never ending
    command_grace: timedelta = timedelta(
        minutes=15
    )  # over a script's timeout: Azure fetches it and reports late
    restart_timeout: timedelta = timedelta(hours=1)
    # Between looks at the whole fleet. A look lists every machine, so large fleets are looked at less often.
    watch_least: timedelta = timedelta(seconds=60)
    watch_most: timedelta = timedelta(minutes=10)
    watch_per_machine: timedelta = timedelta(milliseconds=600)
    watch_probes: int = 200  # network probes of machines that are done, in each look
    held_every: timedelta = timedelta(minutes=15)  # between looks for machines that a hold means by now
    prepare_at_once: int = 200  # network probes at a time before the first grant
    step_retry: timedelta = timedelta(seconds=10)  # between tries of a step, within its own timeout
    tell_for: timedelta = timedelta(
        minutes=2
    )  # tries of a notice before `status` says that somebody isn't told
    tell_every: timedelta = timedelta(minutes=5)  # and between tries from then on
    link_base: str = ""  # where people see rollouts, for the links in what they are told
    page: int = 100  # machines on one page of a status list: what a sweep costs, against single reads
    gather: timedelta = timedelta(seconds=2)  # how long a wish for a view waits for others to share a sweep
    writer_is_alone: bool = True  # a lock that dies with its process: no former writer can still send
