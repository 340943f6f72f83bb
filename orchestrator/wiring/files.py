"""Files that people keep: inventories, policies, plans, the names of webhooks. Read here, understood by the core."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import Refused, UsageError
from orchestrator.executor.collector import nothing_collected
from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.read import read
from orchestrator.inventory.regions import with_regions
from orchestrator.policy.defaults import FLOOR, LONGEST_SCRIPT
from orchestrator.policy.model import Policy

if TYPE_CHECKING:
    from orchestrator.planner.model import Plan
    from orchestrator.policy.load import Loaded

TESTS = (".test.yaml", ".test.yml")
"""How the names of files of tests end, which stand beside policies and are none."""

_LEVEL = 1
"""Of packing: a plan's file comes to a twentieth as it is, and packing harder takes up to six times as long for a quarter less."""

_LARGEST = 2 << 30  # bytes of any one file; more is a mistake


def read_bytes(path: Path, what: str) -> bytes:
    """A file's bytes, unpacked if its name ends in .gz. Raises `UsageError` that says what is wrong with it."""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} has over 2 GiB; that is no {what}")
        return _unpacked(path, what) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no {what} {path}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a file in it") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{what} {path} can't be read: {error}") from None


def _unpacked(path: Path, what: str) -> bytes:
    """No more than a file may have: a few bytes of gzip can stand for any number."""
    with gzip.open(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UsageError(f"{path} unpacks to over 2 GiB; that is no {what}")
    return data


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside it first, then in its place. Raises `UsageError`."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(gzip.compress(data, _LEVEL, mtime=0) if path.suffix == ".gz" else data)
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from None


def write_new(path: Path, data: bytes) -> None:
    """Write a file that isn't there yet: what somebody wrote by hand is never overwritten. Raises `UsageError`."""
    if path.exists():
        raise UsageError(f"{path} is there already and is left as it is; name another file, or move it away")
    write_bytes(path, data)


def make_folder(path: Path) -> None:
    """A folder to write into, with those above it, unless it is there. Raises `UsageError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {path} can't be made: {error.strerror or error}") from None


def read_inventory(path: Path) -> Inventory:
    """An inventory file of any known kind, with the built-in region pairs where it tells none."""
    with nothing_collected():
        inventory = with_regions(read(read_bytes(path, "inventory"), str(path)))
    if not inventory.machines:
        raise Refused(f"{path} holds no machine; an inventory is written by: wavekeeper inventory -o FILE")
    return inventory


def read_plan(path: Path) -> Plan:
    """A plan file. Raises `UsageError`, and `Refused` for what is no plan that this program reads."""
    from orchestrator.planner.document import parse  # numpy and networkx: not every command has a plan

    with nothing_collected():
        return parse(read_bytes(path, "plan"), str(path))


def read_policies(places: Sequence[Path]) -> tuple[Policy, ...]:
    """All policies in the given files and folders, with the folders in them: a rule that is skipped in silence keeps nothing.

    Raises `PolicyError` with every problem of every file.
    """
    from orchestrator.policy.load import load  # the schema: a command that runs a plan does without
    from orchestrator.policy.scripts import with_texts

    return with_texts(load(_contents(places)), script_text)


def read_whole(places: Sequence[Path]) -> Loaded:
    """As `read_policies`, with the problems beside what could be read, for whoever tells all of it."""
    from orchestrator.policy.load import read_all
    from orchestrator.policy.scripts import unread

    loaded = read_all(_contents(places))
    problems = tuple(unread(loaded.policies, script_text))
    return loaded if not problems else replace(loaded, problems=(*loaded.problems, *problems))


def _contents(places: Sequence[Path]) -> list[tuple[str, bytes]]:
    found = _found(places, "policy", "policies are files named *.yaml", _is_policy_file)
    for path in found:
        if path.name.endswith(TESTS):
            raise UsageError(
                f"{path} is a file of tests, not a policy; run it with: wavekeeper policy test {path}"
            )
    return [(str(path), _content(path)) for path in found]


def read_folder(folder: Path, *, may_be_empty: bool) -> tuple[Policy, ...]:
    """All policies of a folder, named from that folder on: so those of two checkouts can be compared.

    Raises `UsageError` for what is no folder, and `PolicyError` with every problem of every file.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of policies")
    if may_be_empty and not any(_is_policy_file(folder, path) for path in folder.rglob("*.y*ml")):
        return ()
    from orchestrator.policy.load import load
    from orchestrator.policy.scripts import with_texts

    policies = load(read_named(folder, ""))
    return with_texts(policies, lambda file: script_text(str(folder / file)))


def refuse_changed_scripts(plan: Plan) -> None:
    """Refuse to begin a plan whose scripts were edited since: what runs is what was reviewed. Raises `Refused`."""
    from orchestrator.planner.scripts import scripts_of
    from orchestrator.policy.scripts import changed_since

    if changed := changed_since(scripts_of(plan), script_text):
        raise Refused(
            f"{', '.join(changed)} {'has' if len(changed) == 1 else 'have'} changed since the plan was made, and what runs is what "
            "was reviewed; plan again, or put the file back"
        )


def read_named(folder: Path, prefix: str) -> list[tuple[str, bytes]]:
    """The contents of all policies of a folder, each named from that folder on, with `prefix` before it: `policies/` and `shop.yaml`."""
    found = _found([folder], "policy", "policies are files named *.yaml", _is_policy_file)
    return [(prefix + path.relative_to(folder).as_posix(), _content(path)) for path in found]


def script_text(file: str) -> str:
    """A script's text. Raises ValueError that says what is wrong with it."""
    try:
        with Path(file).open(encoding="utf-8", newline="") as opened:
            return opened.read(LONGEST_SCRIPT + 1)
    except UnicodeDecodeError:
        raise ValueError("is no text in UTF-8") from None
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror or error}") from None


def read_tests(places: Sequence[Path]) -> list[tuple[str, bytes]]:
    """All files of tests in the given files and folders, by name, each with its content."""
    what = "test", "tests of policies are files named *.test.yaml"
    found = _found(places, *what, lambda place, path: _is_yaml(place, path) and path.name.endswith(TESTS))
    return [(str(path), _content(path)) for path in found]


def _found(places: Sequence[Path], what: str, hint: str, wanted: Callable[[Path, Path], bool]) -> list[Path]:
    """The files named, and all that are wanted in the folders named."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*.y*ml") if wanted(place, path))
            if not inside:
                raise UsageError(f"folder {place} holds no {what}; {hint}")
            found += inside
        elif place.exists():
            found.append(place)
        else:
            raise UsageError(f"there is no {what} file or folder {place}")
    return found


def _is_policy_file(place: Path, path: Path) -> bool:
    """A YAML file that isn't one of tests."""
    return _is_yaml(place, path) and not path.name.endswith(TESTS)


def _is_yaml(place: Path, path: Path) -> bool:
    """A *.yaml or *.yml file that isn't hidden and in no hidden folder, such as a checkout's own."""
    parts = path.relative_to(place).parts
    return (
        path.suffix in (".yaml", ".yml")
        and path.is_file()
        and not any(part.startswith(".") for part in parts)
    )


def _content(path: Path) -> bytes:
    """As much of a file as could be a policy, and a byte more."""
    from orchestrator.policy.document import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"policy {path} can't be read: {error.strerror or error}") from None


def read_hotpatch_calendar(path: Path | None) -> Calendar:
    """The calendar of hotpatch months, with what a file says better. Raises `PolicyError` with every problem of the file."""
    known = built_in_calendar()
    if path is None:
        return known
    from orchestrator.corrections.read import read_calendar

    return read_calendar(str(path), read_bytes(path, "hotpatch calendar"), known)


def floor() -> Policy:
    """The built-in rules, from the file that documents them."""
    from orchestrator.policy.load import load_one

    packaged = files("orchestrator.policy") / f"{FLOOR}.yaml"
    source = packaged if packaged.is_file() else Path(__file__).parents[2] / "policies" / f"{FLOOR}.yaml"
    return load_one(f"{FLOOR}.yaml", source.read_text(encoding="utf-8"))


def state_folder(environment: dict[str, str]) -> Path:
    """Where this user's state lives: `$XDG_STATE_HOME/wavekeeper`, else `~/.local/state/wavekeeper`."""
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "wavekeeper"
