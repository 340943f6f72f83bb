"""Reading machines of Azure Arc and Azure Local: their state, their last patch run, and results in Compute's words.

Their provider tells whether the agent is connected, and no more. Which patch runs there were, and what they did with each
patch, Resource Graph tells alone (`graph`). Whatever is read here comes out as if Compute had told it, so that nobody
above needs to know: `error` for `errorDetails`, two counters for counts by classification, `patches` for rows of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.graph import Query, Row, quoted, rows
from orchestrator.cloud.port import Ended, Operation, OperationState, StillRunning, Target, View
from orchestrator.inventory.arm import machine_from_arm
from orchestrator.inventory.ids import subscription_of
from orchestrator.inventory.model import AppHealth
from orchestrator.inventory.wire import flattened, moment, number, part, text

RUNS: Final = "/patchInstallationResults/"
"""What stands in a run's id between the machine's and its own."""

UNDER_WAY: Final = frozenset({"InProgress", "NotStarted"})

_TYPE: Final = "microsoft.hybridcompute/machines"
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


def view_of_machine(model: Mapping[str, Any]) -> View:
    """What a machine's model tells of it at this moment. Of application health it tells nothing."""
    machine = machine_from_arm(model)
    return View(
        power=machine.power, agent=machine.agent, app_health=AppHealth.NONE, connection=machine.connection
    )


async def last_run(query: Query, target: Target) -> Row:
    """The last patch run of a machine that Resource Graph knows; empty if it knows none. Raises as `graph.page`."""
    asked = Asked(f"reading the patch runs of {target.name}", Permission.READ_ARC_RUNS, target.arm_id)
    wanted = (
        f"patchinstallationresources | where type =~ '{_TYPE}/patchinstallationresults' "
        f"and id startswith {quoted(target.arm_id + RUNS)} | project id, name, properties"
    )
    found = [flattened(row) async for row in rows(query, wanted, asked, subscriptions=[target.subscription])]
    return max(found, key=_began, default={})


def with_run(view: View, run: Row) -> View:
    """The view with what is known of the last patch run."""
    return View(
        power=view.power,
        agent=view.agent,
        app_health=view.app_health,
        connection=view.connection,
        installation_id=_activity(run) or None,
        installation_status=_status(run) or None,
        installation_began=moment(run, "startDateTime"),
    )


def run_of(target: Target, activity: str) -> Operation:
    """How a run is followed whose id is all that is known: by its row in Resource Graph, named by its own id."""
    return Operation(f"{target.arm_id}{RUNS}{activity}")


def is_run(operation: Operation) -> bool:
    """Whether an operation is known as a run alone, not by a URL."""
    return operation.status_url.startswith("/") and RUNS.lower() in operation.status_url.lower()


async def poll_run(query: Query, operation: Operation) -> OperationState:
    """How a run stands. A row that isn't there, or not yet, leaves that open. Raises as `graph.page`."""
    run = operation.status_url
    asked = Asked("reading a patch run", Permission.READ_ARC_RUNS, run.partition(RUNS)[0])
    wanted = (
        f"patchinstallationresources | where type =~ '{_TYPE}/patchinstallationresults' "
        f"and id =~ {quoted(run)} | project id, name, properties"
    )
    async for row in rows(query, wanted, asked, subscriptions=[subscription_of(run)]):
        flat = flattened(row)
        if _status(flat) in UNDER_WAY:
            return StillRunning()
        began, ended = moment(flat, "startDateTime"), moment(flat, "lastModifiedDateTime")
        took = None if began is None or ended is None else max(0.0, (ended - began).total_seconds())
        return Ended(True, as_compute({**flat, "installationActivityId": _activity(flat)}), took_s=took)
    return StillRunning()


async def patches_of_run(query: Query, target: Target, activity: str) -> Sequence[Mapping[str, Any]]:
    """What a run did with each patch, in the form of a result's `patches`. Raises as `graph.page`."""
    asked = Asked(f"reading what was installed on {target.name}", Permission.READ_ARC_PATCHES, target.arm_id)
    below = f"{target.arm_id}{RUNS}{activity}/softwarePatches/"
    wanted = (
        f"patchinstallationresources | where type =~ '{_TYPE}/patchinstallationresults/softwarepatches' "
        f"and id startswith {quoted(below)} | project id, name, properties"
    )
    found = [flattened(row) async for row in rows(query, wanted, asked, subscriptions=[target.subscription])]
    return [_patch(row) for row in sorted(found, key=lambda row: text(row, "id").lower())]


async def patches_found(query: Query, target: Target, activity: str) -> Sequence[Mapping[str, Any]] | None:
    """What an assessment found outstanding, in the form of a result's `availablePatches`; None while another one is the last.

    Raises as `graph.page`.
    """
    asked = Asked(f"reading what {target.name} lacks", Permission.READ_ARC_ASSESSMENTS, target.arm_id)
    latest = f"{target.arm_id}/patchAssessmentResults/latest"
    whole = f"patchassessmentresources | where type =~ '{_TYPE}/patchassessmentresults' and id =~ {quoted(latest)}"
    scope = [target.subscription]
    names = [
        text(row, "name")
        async for row in rows(query, f"{whole} | project id, name", asked, subscriptions=scope)
    ]
    if activity.lower() not in {
        name.lower() for name in names
    }:  # its name is the id of the assessment that it is of
        return None
    wanted = (
        f"patchassessmentresources | where type =~ '{_TYPE}/patchassessmentresults/softwarepatches' "
        f"and id startswith {quoted(latest + '/softwarePatches/')} | project id, name, properties"
    )
    found = [flattened(row) async for row in rows(query, wanted, asked, subscriptions=scope)]
    return [_patch(row) for row in sorted(found, key=lambda row: text(row, "id").lower())]


def as_compute(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result of this provider in the words of Compute's.

    An assessment without counts tells nothing of what is outstanding, and gets no counter that says nothing is.
    """
    told = dict(result)
    error = told.pop("errorDetails", None)
    if isinstance(error, Mapping):
        told["error"] = dict(error)
    elif error:
        told["error"] = {"message": str(error)}
    counts = part(told, "availablePatchCountByClassification")
    if counts:
        important = (number(counts, "critical") or 0) + (number(counts, "security") or 0)
        told["criticalAndSecurityPatchCount"] = important
        told["otherPatchCount"] = sum(number(counts, name) or 0 for name in counts) - important
    return told


def _patch(row: Row) -> Mapping[str, Any]:
    named = row.get("classifications")
    told: dict[str, Any] = {
        "name": text(row, "patchName") or text(row, "name"),
        "kbId": (text(row, "kbId") or text(row, "Kbid")).upper().removeprefix("KB"),
        "version": text(row, "version"),
        "classifications": list(named) if isinstance(named, list | tuple) else [named] if named else [],
    }
    for key, source in (
        ("installationState", "installationState"),
        ("rebootBehavior", "rebootBehavior"),
        ("publishedDate", "publishedDateTime"),
    ):
        if text(row, source):
            told[key] = text(row, source)
    return told


def _activity(run: Row) -> str:
    """A run's own id; where its properties don't say it, the last part of the row's."""
    return (text(run, "installationActivityId") or text(run, "id").rpartition("/")[2]).lower()


def _status(run: Row) -> str:
    return text(run, "status")


def _began(run: Row) -> datetime:
    return moment(run, "startDateTime") or moment(run, "lastModifiedDateTime") or _LONG_AGO
