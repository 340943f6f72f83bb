"""What never happens in the world, whatever is asked of it and whatever goes wrong."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.state import Happening
from tests.unit.emulator.worlds import DB, START, WEB, at, install, last_installation, windows, world

FAULTS = (
    "install_fails: {share: 0.5, times: 1}",
    "install_fails: {operation: true, nth: 2}",
    "install_never_ends: {nth: 3}",
    "stays_out: {nth: 2}",
    "stays_out: {nth: 4, recovers_after: 20m}",
    "unhealthy: {after: 1, times: 2}",
    "unhealthy: {delay: 5m, recovers_after: 10m}",
    "window_exceeded: {nth: 2}",
    "reboot_required: {}",
    "visibility_delay: {seconds: 900}",
    "goes_off: {at: 20m, for: 30m}",
    "goes_off: {machines: [web], at: 1h}",
    "foreign_run: {machines: [db], at: 15m}",
    "lost_answer: {times: 2}",
    "drop: {times: 1}",
)
ASKED = st.lists(
    st.tuples(
        st.integers(0, 20_000), st.sampled_from([WEB, DB]), st.sampled_from(["install", "assess", "restart"])
    ),
    max_size=12,
)


def audit(asked: list[tuple[int, str, str]], struck: list[str], share: float) -> list[Happening]:
    """What the audit says of these requests under these faults."""
    text = "version: 1\nfaults: [" + ", ".join(f"{{{fault}}}" for fault in struck) + "]"
    faults = parse_faults(text, "test").faults
    it = world(*faults, machines=(windows("web"), windows("db")), share=share)
    for second, machine, what in sorted(asked):
        match what:
            case "install":
                install(it, machine, at(second))
            case "assess":
                it.assess(machine, at(second))
            case _:
                it.restart(machine, at(second))
    return it.advance(at(200_000))


@given(ASKED, st.lists(st.sampled_from(FAULTS), unique=True, max_size=5), st.sampled_from([0.0, 1.0]))
def test_the_audit_is_never_contradictory(
    asked: list[tuple[int, str, str]], struck: list[str], share: float
) -> None:
    """Time goes on; a machine goes out only if it isn't, is back only if it was, and has one patch operation at a time."""
    happened = audit(asked, struck, share)
    out: dict[str, bool] = defaultdict(bool)
    running: dict[str, str] = {}
    seen: set[str] = set()

    assert sorted(h.at for h in happened) == [h.at for h in happened]
    assert not happened or happened[0].at >= START
    for each in happened:
        machine = each.machine
        match each.event:
            case "out":
                assert not out[machine]
                out[machine] = True
            case "back":
                assert out[machine]
                out[machine] = False
            case "healthy" | "unhealthy":
                assert not out[machine]
            case "install" | "assess" | "restart":
                assert each.operation not in seen
                assert machine not in running
                seen.add(each.operation)
                running[machine] = each.operation
            case "install_end" | "assess_end" | "restart_end":
                assert running.pop(machine) == each.operation


@given(st.integers(0, 10_000), st.integers(0, 2000))
def test_what_is_shown_was_taken(seed: int, after: int) -> None:
    """An instance view never shows an installation before it began, nor another than the one that did."""
    it = world(seed=seed)
    operation = install(it, now=at(100)).operation

    shown = last_installation(it, WEB, at(100 + after))

    assert shown == {} or shown["installationActivityId"] == operation
    assert shown or after < 20
