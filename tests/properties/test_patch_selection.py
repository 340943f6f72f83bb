"""What the product believes that an installation brings, held against what the emulated cloud makes of the body it is sent."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cloud.bodies import install_body
from orchestrator.cloud.port import Rejected
from orchestrator.emulator.catalogue import ALWAYS, CAN, NEVER, UNKNOWN, Patch
from orchestrator.emulator.install_request import Fate, InstallRequest, read_install_request
from orchestrator.hotpatch.selection import selected
from orchestrator.inventory.assessments import update_from
from orchestrator.inventory.model import Machine, Os, PatchState, Update
from orchestrator.planner.pinning import pin
from orchestrator.planner.restarts import installation_of
from orchestrator.policy.change import Patches, PinnedBy, Reboot
from orchestrator.topology.graph import build
from tests.builders import NOON
from tests.fleet import inventory, vm

KBS = ("5000001", "5000002", "5000003")
NAMES = ("Hotpatch Update", "Cumulative Update", "NET Framework", "Tool")
PACKAGES = ("openssl", "openssl-libs", "linux-image", "vim")
VERSIONS = ("1.0", "1.1", "2:3.0~1")
NAME_MASKS = ("*Update*", "*update", "?ET*", "Tool", "*", "Hotpatch?Update")
PACKAGE_MASKS = ("openssl", "open*", "*libs", "vim=1.*", "vim=1.1", "linux?image", "openssl=2:3.0~1", "VIM")
OF_WINDOWS = {
    "critical": "Critical",
    "security": "Security",
    "update_rollup": "UpdateRollup",
    "definition": "Definition",
}
OF_LINUX = {"critical": "Critical", "security": "Security", "other": "Other"}


@st.composite
def patches_of(draw: st.DrawFn, os: Os) -> Patch:
    """A patch as the emulated cloud has it."""
    linux = os is Os.LINUX
    classes = OF_LINUX if linux else OF_WINDOWS
    return Patch(
        id="",
        name=draw(st.sampled_from(PACKAGES if linux else NAMES)),
        classification=draw(st.sampled_from(sorted(classes.values()))),
        behavior=UNKNOWN if linux else draw(st.sampled_from((NEVER, CAN, ALWAYS, UNKNOWN))),
        published=NOON + draw(st.sampled_from((-1, 0, 1))) * timedelta(days=1),
        kb="" if linux else draw(st.sampled_from(KBS)),
        version=draw(st.sampled_from(VERSIONS)) if linux else "",
    )


def few(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """None, one or two of them, sorted as policies keep them."""
    return st.sets(st.sampled_from(values), max_size=2).map(lambda some: tuple(sorted(some)))


@st.composite
def changes(draw: st.DrawFn) -> Patches:
    """Anything that a campaign may say of patches."""
    excluded = tuple(mask for mask in PACKAGE_MASKS if "=" not in mask)
    hot = draw(st.booleans())
    return Patches(
        classifications=draw(few(tuple({**OF_WINDOWS, **OF_LINUX}))),
        include_kbs=draw(few(KBS)),
        exclude_kbs=draw(few(KBS)),
        reboot=Reboot.NEVER if hot else draw(st.sampled_from(Reboot)),
        published_until=draw(st.sampled_from((None, NOON))),
        include_names=draw(few(NAME_MASKS)),
        exclude_names=draw(few(NAME_MASKS)),
        include_packages=draw(few(PACKAGE_MASKS)),
        exclude_packages=draw(few(excluded)),
        hotpatch_only=hot,
        pinned_by=draw(st.sampled_from(PinnedBy)),
    )


def told(patch: Patch) -> Update:
    """The patch as an assessment tells it."""
    return update_from(
        {
            "name": patch.name,
            "kbId": patch.kb,
            "version": patch.version,
            "classifications": [patch.classification],
            "rebootBehavior": patch.behavior,
            "publishedDate": patch.published.isoformat(),
        }
    )


def taken(change: Patches, patch: Patch, os: Os) -> bool:
    """Whether the emulated cloud installs it."""
    body = install_body(change, os)
    if isinstance(body, Rejected):
        return False
    request = read_install_request(body, os)
    assert isinstance(request, InstallRequest), f"the cloud refuses what we send: {body}"
    return request.fate(patch) is Fate.SELECTED


def believed(change: Patches, patch: Patch, os: Os) -> bool:
    """Whether the product believes so."""
    return any(selected(os, [told(patch)], installation_of(change)))


SYSTEMS = st.sampled_from((Os.WINDOWS, Os.LINUX))


@given(st.data(), SYSTEMS, changes())
def test_a_body_brings_what_was_predicted(data: st.DataObject, os: Os, change: Patches) -> None:
    """No more, of which nobody would know that it restarts the machine; and no less."""
    patch = data.draw(patches_of(os))

    assert taken(change, patch, os) is believed(change, patch, os)


@given(st.data(), SYSTEMS, changes())
def test_pinning_adds_nothing_and_loses_nothing_that_was_found(
    data: st.DataObject, os: Os, change: Patches
) -> None:
    """What was found and asked for is installed under the pinned set as well; what is published later is not, in any version."""
    unique = {"unique_by": lambda patch: patch.kb or patch.name}
    found = data.draw(st.lists(patches_of(os), max_size=4, **unique))
    machine = waiting("m", os, found)
    topology = build(inventory(machine, taken_at=NOON))
    made = pin(topology, topology.machines, change)
    assert isinstance(made.change, Patches)
    if machine.id in made.left_out:
        return
    for patch in found:
        by_name = os is Os.LINUX or bool(patch.kb)
        before = taken(change, patch, os) and (os is Os.LINUX or patch.published <= NOON)
        assert taken(made.change, patch, os) is (before and by_name)
        assert believed(made.change, patch, os) is (before and by_name)


@given(st.data(), changes())
def test_a_pinned_linux_set_holds_no_other_version(data: st.DataObject, change: Patches) -> None:
    """Whatever comes out later."""
    found = data.draw(st.lists(patches_of(Os.LINUX), min_size=1, max_size=4))
    later = data.draw(patches_of(Os.LINUX))
    topology = build(inventory(waiting("m", Os.LINUX, found), taken_at=NOON))
    made = pin(topology, topology.machines, change)
    assert isinstance(made.change, Patches)
    if made.change.only_packages is None:
        return
    known = {(patch.name, patch.version) for patch in found}

    assert (later.name, later.version) in known or not taken(made.change, later, Os.LINUX)


def waiting(name: str, os: Os, found: list[Patch]) -> Machine:
    """A machine that was assessed just now."""
    updates = tuple(dict.fromkeys(map(told, found)))
    return vm(name, os=os, patches=PatchState(NOON, reboot_pending=False, updates=updates))
