"""An inventory out of the text of a file, whichever of the known formats it turns out to be in.

Known: this project's own (`native`), what `az vm list`, `az vm list --show-details`, `az vm get-instance-view`, `az vm
show`, `az connectedmachine list` and `az graph query` print, and bodies of ARM's lists. Nobody has to say which. Rows of network
interfaces may stand beside the machines (`jq -s add vms.json nics.json`): they tell the load balancers' pools. So may rows of
Resource Graph's `patchassessmentresources`, which tell what each machine would get, and `patchinstallationresources`, which tell
what it got, and of `maintenanceresources`, which tell what patches it besides. Since no format but this project's says when it was taken, rows may stand in an object that does:
`{"taken_at": "2026-11-20T01:00:00Z", "data": [...]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from orchestrator.errors import InventoryError
from orchestrator.inventory import arm, ids, native
from orchestrator.inventory.assemble import assemble
from orchestrator.inventory.assessments import ASSESSMENT_TYPES, UPDATE_TYPES, Assessments
from orchestrator.inventory.installations import INSTALLATION_TYPES, INSTALLED_TYPES, Installations
from orchestrator.inventory.interfaces import INTERFACE_TYPE, connect
from orchestrator.inventory.model import AvailabilitySet, Inventory, Machine, ScaleSet, Unreadable
from orchestrator.inventory.regions import with_regions
from orchestrator.inventory.schedules import ASSIGNMENT_TYPE, CONFIGURATION_TYPE, Schedules
from orchestrator.inventory.wire import Row, moment, part, text

_KNOWN = (
    "it reads wavekeeper.inventory/1 and the JSON of az vm list (with or without --show-details), "
    "az vm get-instance-view, az connectedmachine list, az graph query and ARM's lists"
)


def read(text_of_file: bytes, name: str) -> Inventory:
    """The inventory that a file holds. `name` is what messages call the file.

    UTF-8 and UTF-16 are read, with or without a byte order mark. Regions that the file doesn't describe get their pairs from
    the built-in table. A fleet without machines is an inventory like any other.

    Raises:
        InventoryError: With a line for each thing that is wrong; each begins with `name`.
    """
    try:
        document = _document(text_of_file)
        if isinstance(document, Mapping) and "schema" in document:
            return with_regions(native.parse(document))
        return _foreign(document)
    except InventoryError as error:
        raise InventoryError("\n".join(f"{name}: {line}" for line in str(error).splitlines())) from None


def read_rows(text_of_file: bytes, name: str) -> tuple[list[Row], datetime | None]:
    """The rows of a file that `az graph query` printed, and when it was asked if the file says so.

    Raises:
        InventoryError: As `read`.
    """
    try:
        document = _document(text_of_file)
        rows = [row for row in _rows(document) if isinstance(row, Mapping)]
    except InventoryError as error:
        raise InventoryError("\n".join(f"{name}: {line}" for line in str(error).splitlines())) from None
    return rows, moment(document, "taken_at") if isinstance(document, Mapping) else None


def _document(raw: bytes) -> object:
    try:
        decoded = raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError as error:
        raise InventoryError(f"byte {error.start} is not {error.encoding}; save the file as UTF-8") from None
    if not decoded or decoded.isspace():
        raise InventoryError("the file is empty; did the command that should have filled it fail?")
    try:
        document: object = orjson.loads(decoded)
    except orjson.JSONDecodeError as error:
        raise InventoryError(
            f"line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}); "
            "let az print it with --output json, and redirect only its standard output"
        ) from None
    return document


@dataclass(slots=True)
class _Parts:
    """What the rows read so far came to."""

    machines: list[Machine] = field(default_factory=list)
    availability_sets: list[AvailabilitySet] = field(default_factory=list)
    scale_sets: list[ScaleSet] = field(default_factory=list)
    interfaces: list[Row] = field(default_factory=list)
    assessments: Assessments = field(default_factory=Assessments)
    installations: Installations = field(default_factory=Installations)
    schedules: Schedules = field(default_factory=Schedules)
    problems: list[str] = field(default_factory=list)
    others: int = 0  # rows of types that an inventory doesn't hold
    untold_groups: int = 0  # machines of a projection that leaves out what they stand in
    untold_zones: int = 0


def _foreign(document: object) -> Inventory:
    rows = _rows(document)
    parts = _Parts()
    for place, row in enumerate(rows, start=1):
        _take(row, f"row {place}", parts)
    strange = parts.others + len(parts.interfaces) + len(parts.schedules)
    strange += len(parts.assessments) + len(parts.installations)
    if strange and not parts.machines and not parts.problems:
        raise InventoryError(f"none of its {len(rows):,} rows is a machine; {_KNOWN}")
    if parts.problems:
        raise InventoryError("\n".join(parts.problems))
    told = parts.schedules.of(parts.installations.of(parts.assessments.of(parts.machines)))
    connected = connect(told, parts.interfaces)
    return assemble(
        source=_source(document, rows),
        taken_at=moment(document, "taken_at") if isinstance(document, Mapping) else None,
        machines=connected.machines,
        availability_sets=parts.availability_sets,
        scale_sets=parts.scale_sets,
        backend_pools=connected.pools,
        unreadable=_untold(parts),
    )


def _rows(document: object) -> list[Any]:
    """The rows of a list, of a page (`data` of Resource Graph, `value` of ARM), of several pages, or a single one."""
    if isinstance(document, list):
        if document and all(isinstance(item, Mapping) and _page(item) is not None for item in document):
            return _complete(document)
        return document
    if isinstance(document, Mapping):
        if _page(document) is not None:
            return _complete([document])
        if text(document, "id"):
            return [document]
        if isinstance(document.get("error"), Mapping):
            error = part(document, "error")
            raise InventoryError(
                f"this is an error that Azure answered: {text(error, 'code')}: {text(error, 'message')}"
            )
    raise InventoryError(f"this is JSON, but no inventory; {_KNOWN}")


def _page(item: Row) -> list[Any] | None:
    for key in ("data", "value"):
        rows = item.get(key)
        if isinstance(rows, list) and not text(item, "id"):
            return rows
    return None


def _complete(pages: list[Any]) -> list[Any]:
    """The rows of all pages. Planning with a part of a fleet would count a part of each group, so it is refused."""
    rows = [row for page in pages for row in _page(page) or ()]
    last = pages[-1]
    total = last.get("total_records", last.get("totalRecords"))
    more = last.get("skip_token") or last.get("$skipToken") or last.get("nextLink")
    if more or (isinstance(total, int) and total > len(rows)):
        of_total = f" of {total:,}" if isinstance(total, int) else ""
        raise InventoryError(
            f"it holds only the first {len(rows):,}{of_total} rows; fetch the other pages too "
            "(az graph query --first 1000, then --skip-token) and join them with jq -s . PAGE..."
        )
    return rows


def _take(row: object, place: str, parts: _Parts) -> None:
    if not isinstance(row, Mapping):
        parts.problems.append(f"{place} is no object")
        return
    arm_id = text(row, "id")
    if not arm_id:
        called = text(row, "name") or text(row, "Name")
        parts.problems.append(f"{place}{f' ({called})' if called else ''} has no id; keep id in the query")
        return
    match ids.type_of(arm_id) or text(row, "type").lower():
        case arm.VM_TYPE | arm.SCALE_SET_VM_TYPE | arm.ARC_TYPE:
            _take_machine(row, place, parts)
        case arm.AVAILABILITY_SET_TYPE:
            parts.availability_sets.append(arm.availability_set_from_arm(row))
        case arm.SCALE_SET_TYPE:
            parts.scale_sets.append(arm.scale_set_from_arm(row))
        case interface if interface == INTERFACE_TYPE:
            parts.interfaces.append(row)
        case told if told in ASSESSMENT_TYPES or told in UPDATE_TYPES:
            parts.assessments.take(row)
        case told if told in INSTALLATION_TYPES or told in INSTALLED_TYPES:
            parts.installations.take(row)
        case told if told in (ASSIGNMENT_TYPE, CONFIGURATION_TYPE):
            parts.schedules.take(row)
        case "":
            parts.problems.append(f"{place}: {arm_id!r} is no id of Azure Resource Manager")
        case _:
            parts.others += 1


def _take_machine(row: Row, place: str, parts: _Parts) -> None:
    machine = arm.machine_from_arm(row)
    if not machine.location:
        parts.problems.append(f"{place} ({machine.name}) has no location; keep location in the query")
    if ids.type_of(machine.id) == arm.VM_TYPE and not _is_whole(row):
        parts.untold_groups += not {"availabilitySet", "virtualMachineScaleSet"} & set(row)
        parts.untold_zones += "zones" not in row
    parts.machines.append(machine)


def _is_whole(row: Row) -> bool:
    """Whether the row is a machine as Azure describes it, where a missing set means none, and no projection of it."""
    return any(
        isinstance(row.get(key), Mapping) for key in ("properties", "storageProfile", "hardwareProfile")
    )


def _untold(parts: _Parts) -> Iterator[Unreadable]:
    cure = "keep zones and properties in the query, or project no columns at all"
    if parts.untold_groups:
        what = f"the availability sets and scale sets of {parts.untold_groups:,} machines"
        yield Unreadable(what, f"the file's rows leave them out; {cure}")
    if parts.untold_zones:
        yield Unreadable(
            f"the zones of {parts.untold_zones:,} machines", f"the file's rows leave them out; {cure}"
        )


def _source(document: object, rows: list[Any]) -> str:
    """What printed the file, as far as it can be told; it is shown to people and decides nothing."""
    page = document[0] if isinstance(document, list) and document else document
    if isinstance(page, Mapping) and "value" in page:
        return "arm"
    first: Row = rows[0] if rows else {}
    if (isinstance(page, Mapping) and "data" in page) or "subscriptionId" in first or "tenantId" in first:
        return "az graph query"
    if ids.type_of(text(first, "id")) == arm.ARC_TYPE:
        return "az connectedmachine list"
    if isinstance(first.get("instanceView"), Mapping):
        return "az vm get-instance-view"
    return "az vm list --show-details" if "powerState" in first else "az vm list"
