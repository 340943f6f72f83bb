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
    settle_every: timedelta = timedelta(
        seconds=30
    )  # reads of an unsettled machine; 12 a minute are allowed for each VM
    settle_for: timedelta = timedelta(
        minutes=5
    )  # how long a run that was taken may stay invisible: the promise rests on it
    first_poll: timedelta = timedelta(
        minutes=3
    )  # of an operation, until the median of those that ended is known
    poll_least: timedelta = timedelta(seconds=15)  # a status bucket refills by 15 a minute for each VM
    poll_most: timedelta = timedelta(seconds=60)
    poll_share: float = 0.1  # of the operation's age: the end is seen at most this much late
    eager_below: int = (
        20  # operations in flight up to which polls are frequent, since requests are cheap then
    )
    operation_grace: timedelta = timedelta(
        hours=1
    )  # over `maximum_duration`, before an operation counts as never ending
    restart_timeout: timedelta = timedelta(hours=1)
    watch_least: timedelta = timedelta(seconds=60)  # between looks at the whole fleet
    watch_most: timedelta = timedelta(minutes=10)
    watch_per_machine: timedelta = timedelta(
        milliseconds=300
    )  # a look lists every machine: large fleets less often
    watch_probes: int = 200  # network probes of machines that are done, in each look
    prepare_at_once: int = 200  # network probes at a time before the first grant
    step_retry: timedelta = timedelta(seconds=10)  # between tries of a step, within its own timeout
    page: int = 200  # machines on one page of a status list: what a sweep costs, against single reads
    gather: timedelta = timedelta(seconds=2)  # how long a wish for a view waits for others to share a sweep
    writer_is_alone: bool = True  # a lock that dies with its process: no former writer can still send
