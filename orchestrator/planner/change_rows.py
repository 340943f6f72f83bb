"""What a plan's file says of its change: which patches, a restart, a script with its text and digest, or what is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from orchestrator.inventory.document import (
    Problems,
    a_boolean,
    a_moment,
    a_string,
    list_of,
    map_of,
    one_of,
    record,
    strings,
)
from orchestrator.inventory.model import MachineId, Os
from orchestrator.planner.rows import Row, duration, moment, seconds, without_s
from orchestrator.policy.change import (
    Change,
    Enrolment,
    Patches,
    PinnedBy,
    Reboot,
    Restart,
    Rollback,
    RunCommand,
    Script,
    Settings,
    Undo,
)
from orchestrator.policy.scripts import is_pinned

Json = dict[str, Any]

# To the file ----------------------------------------------------------------------------------------------------


def encode_change(change: Change) -> Json:
    """What is done to each machine."""
    match change:
        case Restart():
            return {"kind": "restart", **({"only_pending": True} if change.only_pending else {})}
        case RunCommand():
            return {"kind": "run_command", **encode_command(change)}
        case Rollback():
            return {
                "kind": "rollback",
                "rollout": change.rollout,
                "baseline": list(change.baseline),
                "undo": [
                    {
                        "kbs": list(undo.kbs),
                        "machines": list(undo.machines),
                        "uninstall": _script(undo.uninstall),
                        "check": _script(undo.check),
                    }
                    for undo in change.undo
                ],
            }
        case Enrolment():
            return {
                "kind": "enrolment",
                "undoes": change.undoes,
                "settings": [
                    {"machine": one.machine, "wanted": dict(one.wanted), "former": dict(one.former)}
                    for one in change.settings
                ],
            }
        case Patches():
            return {
                "kind": "patches",
                "classifications": list(change.classifications),
                "include_kbs": list(change.include_kbs),
                "exclude_kbs": list(change.exclude_kbs),
                "reboot": change.reboot.value,
                "maximum_duration_s": seconds(change.maximum_duration),
                "published_until": moment(change.published_until),
                **_selection(change),
            }
    assert_never(change)


def _selection(patches: Patches) -> Json:
    """The rest of what selects patches, where it says anything: a plan that knows none of it has the bytes that it always had."""
    masks = ("include_names", "exclude_names", "include_packages", "exclude_packages")
    told: Json = {name: list(getattr(patches, name)) for name in masks if getattr(patches, name)}
    if patches.hotpatch_only:
        told["hotpatch_only"] = True
    if patches.pinned_by is not PinnedBy.PUBLICATION:
        told["pinned_by"] = patches.pinned_by.value
    if patches.only_kbs is not None:
        told["only_kbs"] = list(patches.only_kbs)
    if patches.only_packages is not None:
        told["only_packages"] = list(patches.only_packages)
    return told


def encode_command(command: RunCommand) -> Json:
    """A script with its text: what a reviewer reads is what runs."""
    return {
        "script": _script(command.script),
        "os": command.os.value,
        "timeout_s": seconds(command.timeout),
        "parameters": dict(command.parameters),
    }


def _script(script: Script) -> Json:
    return {"file": script.file, "sha256": script.sha256, "text": script.text}


# From the file --------------------------------------------------------------------------------------------------


def _of_settings(value: Any, place: str, problems: Problems) -> dict[str, str | bool | None] | None:
    """Settings by key: a word, a yes or no, or null for what isn't there, which is worth as much as what is."""
    if not isinstance(value, Mapping):
        problems.append(f"{place} is {value!r}; write an object of settings by key")
        return None
    for key, inner in value.items():
        if inner is not None and not isinstance(inner, str | bool):
            problems.append(f"{place}.{key} is {inner!r}; write a word, true, false, or null")
    return dict(value)


_SCRIPT: Final = record({"file": a_string, "sha256": a_string, "text": a_string})

_COMMAND: Final[Mapping[str, Any]] = {
    "script": _SCRIPT,
    "os": one_of(Os),
    "timeout_s": duration,
    "parameters": map_of(a_string),
}

COMMAND: Final = record(_COMMAND)

CHANGE: Final = record(
    {
        "kind": a_string,
        "only_pending": a_boolean,
        **_COMMAND,
        "rollout": a_string,
        "baseline": strings,
        "undo": list_of(
            {"kbs": strings, "machines": strings, "uninstall": _SCRIPT, "check": _SCRIPT}, needs="kbs"
        ),
        "undoes": a_string,
        "settings": list_of(
            {"machine": a_string, "wanted": _of_settings, "former": _of_settings}, needs="machine"
        ),
        "classifications": strings,
        "include_kbs": strings,
        "exclude_kbs": strings,
        "include_names": strings,
        "exclude_names": strings,
        "include_packages": strings,
        "exclude_packages": strings,
        "hotpatch_only": a_boolean,
        "reboot": one_of(Reboot),
        "maximum_duration_s": duration,
        "pinned_by": one_of(PinnedBy),
        "published_until": a_moment,
        "only_kbs": strings,
        "only_packages": strings,
    }
)


def decode_change(row: Row, problems: Problems) -> Change | None:
    """The change of a row that was read; None if something is wrong, which is noted."""
    told = {key: value for key, value in row.items() if key != "kind"}
    match row.get("kind"):
        case "restart":
            return Restart(**told)
        case "run_command":
            return decode_command(told, "change", problems)
        case "rollback":
            return _rollback(told, problems)
        case "enrolment":
            return _enrolment(told, problems)
        case "patches":
            return Patches(**without_s(told))
        case other:
            problems.append(
                f"change.kind is {other!r}; write patches, restart, run_command, rollback or enrolment"
            )
            return None


def decode_command(row: Row, where: str, problems: Problems) -> RunCommand | None:
    """The command of a row that was read; None if something is wrong, which is noted."""
    missing = [key for key in ("script", "os", "timeout_s") if key not in row]
    if missing:
        problems.extend(f"{where} has no `{key}`" for key in missing)
        return None
    script = decode_script(row["script"], f"{where}.script", problems)
    if script is None:
        return None
    return RunCommand(script, row["os"], row["timeout_s"], tuple(sorted(row.get("parameters", {}).items())))


def decode_script(row: Row, where: str, problems: Problems) -> Script | None:
    """The script of a row, unless its text isn't the one that was reviewed: that is noted."""
    script = Script(row.get("file", ""), row.get("text", ""), row.get("sha256", ""))
    if is_pinned(script):
        return script
    problems.append(
        f"{where} ({script.file}) isn't the text that its digest was made of; nothing is run that wasn't reviewed: plan again"
    )
    return None


def _enrolment(row: Row, problems: Problems) -> Enrolment | None:
    settings = [
        Settings(
            MachineId(one["machine"]),
            tuple(sorted(one.get("wanted", {}).items())),
            tuple(sorted(one.get("former", {}).items())),
        )
        for one in row.get("settings", ())
    ]
    uneven = [one.machine for one in settings if dict(one.wanted).keys() != dict(one.former).keys()]
    if uneven or not settings:
        problems.append(
            f"change.settings of {uneven[0]} doesn't keep what stood there before under the same keys"
            if uneven
            else "change.settings is empty; an enrolment says what is set on which machines"
        )
        return None
    return Enrolment(tuple(sorted(settings, key=lambda one: one.machine)), row.get("undoes", ""))


def _rollback(row: Row, problems: Problems) -> Rollback | None:
    undo = []
    for number, entry in enumerate(row.get("undo", ())):
        where = f"change.undo[{number}]"
        uninstall = decode_script(entry.get("uninstall", {}), f"{where}.uninstall", problems)
        check = decode_script(entry.get("check", {}), f"{where}.check", problems)
        if uninstall is not None and check is not None:
            machines = tuple(MachineId(machine) for machine in entry.get("machines", ()))
            undo.append(Undo(entry["kbs"], machines, uninstall, check))
    if not undo:
        problems.append("change.undo is empty; a rollback says what it takes back, and from which machines")
        return None
    return Rollback(row.get("rollout", ""), tuple(undo), row.get("baseline", ()))
