"""What holds where no policy says anything: every default of the policy language, with its reason.

This is the only place for them. The nouns in `model.py` and the schema take their defaults from here, and
`wavekeeper policy show` prints them with the origin `defaults`.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import Final

FLOOR: Final = "availability-first"
"""The name of the built-in rules, the one thing that `replaces` may name."""

# Health -------------------------------------------------------------------------------------------------------

MIN_HEALTHY_TIME: Final = timedelta(minutes=5)
"""How long a machine must stay well before its wave counts as done. Azure's automatic extension upgrade
gives a machine the same five minutes."""

HEALTHY_DEADLINE: Final = timedelta(minutes=30)
"""How long a machine may take to become well after its change. Azure grants an update domain 30 minutes to
recover before the next."""

PROBE_INTERVAL: Final = timedelta(seconds=15)
"""How often a machine is asked in its last `min_healthy_time`: twenty samples in five minutes."""

FAIL_AFTER: Final = 3
"""Consecutive misses before a machine that was well counts as unwell: Kubernetes' `failureThreshold`, so
that one lost packet stops nothing."""

PROBE_TIMEOUT: Final = timedelta(seconds=5)
"""How long a machine may take to answer a probe: a third of the interval, so that probes never overlap."""

HTTP_EXPECT_STATUS: Final = (200,)
"""The answers that mean well. Only 200: a redirect to an error page is a frequent way to look well."""

TCP_HOST: Final = "{private_ip}"
"""Where a tcp probe knocks: the machine itself."""

# Steps around a machine ---------------------------------------------------------------------------------------

STEP_TIMEOUT: Final = timedelta(minutes=10)
"""How long a step may take. Draining a load balancer waits for its connections: minutes, not seconds."""

# What is changed ----------------------------------------------------------------------------------------------

CLASSIFICATIONS: Final = ("critical", "security")
"""What Azure's own automatic guest patching installs; everything else it skips."""

MAXIMUM_DURATION: Final = timedelta(hours=2)
"""Of one installation. Azure's examples go from one to four hours; most runs take minutes."""

COMMAND_TIMEOUT: Final = timedelta(minutes=30)
"""Of one script. Azure's own default and most is 90 minutes, in which a script that hangs keeps a machine out."""

LONGEST_COMMAND: Final = timedelta(minutes=90)
"""The most that Azure gives a script on a machine."""

LONGEST_SCRIPT: Final = 64 * 1024
"""Characters: a plan carries the script, and a person reviews it there."""

# Stages -------------------------------------------------------------------------------------------------------

CANARY_PER_REGION: Final = 1
"""One canary a region: regions differ (images, proxies, update endpoints), machines of one region much
less."""

CANARY_COUNT: Final = 5
"""At most so many canaries in all: the first machines are lost if the change is bad."""

CANARY_BAKE: Final = timedelta(hours=4)
"""Long enough for a working morning to notice what no probe asks."""

PILOT_PERCENT: Final = 10.0
"""The share of the campaign that has the change when the pilot ends, canaries included."""

PILOT_BAKE: Final = timedelta(hours=24)
"""A day and a night: nightly jobs, backups and time-zone peaks have all run on the change."""

# When a campaign is due ---------------------------------------------------------------------------------------

SCHEDULE_AT: Final = time()
"""The beginning of the day: windows, if there are any, say when machines may be changed on it."""

SCHEDULE_ZONE: Final = "UTC"
"""The clocks that a schedule means where it doesn't say: the same for whoever reads the file."""

# When a rollout stops, waits and ends -------------------------------------------------------------------------

STOP_UNHEALTHY_PERCENT: Final = 1.0
"""Of the machines attempted: in the canary the first unhealthy one stops the rollout, afterwards 1 % and
at least 2."""

STOP_NOT_CHANGED_PERCENT: Final = 5.0
"""Machines that stayed well but didn't take the change. They cost nobody anything, so more of them are
borne."""

DEADLINE: Final = timedelta(days=30)
"""From start to end of a rollout. Azure's automatic patching promises an update within 30 days of its
release."""

MAX_WAIT: Final = timedelta(hours=24)
"""How long a machine waits for permission before it is left out by name and the others go on."""
