"""What chance has to say about one run."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.assumptions.model import Assumed, Settled, Spread
from orchestrator.emulator.faults import (
    Fault,
    GoesOff,
    InstallFails,
    InstallNeverEnds,
    StaysOut,
    Unhealthy,
)
from orchestrator.inventory.model import Os
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.simulation.chances import Drawn, draw
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import inventory, vm

FLEET = inventory(
    *(vm(f"web-{n:03}", os=Os.LINUX, tags={"app": "shop"}) for n in range(400)),
    taken_at=datetime(2026, 1, 5, tzinfo=UTC),
)
POLICY = "version: 1\nname: a\nselect: {{tags: {{app: shop}}}}\nchange: {change}\nrules: [{{max_unavailable: {most}}}]\n"
MINUTE = timedelta(minutes=1)


def drawn(assumed: Assumed, seed: int = 1, change: str = "{patches: {}}", most: str = "20%") -> Drawn:
    """A run's chance, the same assumed of every machine."""
    policies = [load_one("a.yaml", POLICY.format(change=change, most=most))]
    settled = Settled({machine.id: assumed for machine in FLEET.machines})
    made = plan(build(FLEET), policies, floor())
    return draw(made, FLEET, settled, Spread(MINUTE, MINUTE), seed)


@pytest.mark.parametrize(
    ("assumed", "kind"),
    [
        (Assumed(install_fails=0.1), InstallFails),
        (Assumed(install_hangs=0.1), InstallNeverEnds),
        (Assumed(stays_down=0.1), StaysOut),
        (Assumed(comes_back_unhealthy=0.1), Unhealthy),
        (Assumed(fails_late=0.1), Unhealthy),
        (Assumed(goes_off=0.1), GoesOff),
    ],
)
def test_a_chance_strikes_its_share(assumed: Assumed, kind: type[Fault]) -> None:
    """Of 400 machines about 40 at 10 %, and each by itself."""
    struck = drawn(assumed).faults
    assert 20 <= len(struck) <= 60
    assert {type(fault) for fault in struck} == {kind}
    assert len({fault.machines for fault in struck}) == len(struck)


def test_nothing_assumed_nothing_fails() -> None:
    """But things take their time."""
    found = drawn(Assumed())
    assert found.faults == ()
    assert len(found.tempos) == 400


def test_a_fate_belongs_to_seed_and_machine() -> None:
    """Not to the policies, nor to what else is assumed: so policies can be compared run by run."""
    assumed = Assumed(install_fails=0.05, goes_off=0.05, unhealthy_for=Spread(MINUTE, 9 * MINUTE))
    assert drawn(assumed) == drawn(assumed)
    assert drawn(assumed).faults == drawn(assumed, most="7%").faults
    assert drawn(assumed).tempos == drawn(assumed, most="7%").tempos
    assert drawn(assumed).faults != drawn(assumed, seed=2).faults


def test_a_change_has_one_outcome() -> None:
    """Chances that come to 100 % leave nobody well, and strike nobody twice."""
    struck = drawn(Assumed(install_fails=0.5, stays_down=0.2, comes_back_unhealthy=0.3)).faults
    assert len({fault.machines for fault in struck}) == len(struck) == 400


def test_lengths_have_the_median_and_the_late_end_that_are_assumed() -> None:
    """Over 400 machines."""
    tempos = drawn(Assumed(reboot_takes=Spread(4 * MINUTE, 15 * MINUTE))).tempos.values()
    outages = sorted(tempo.restarts for tempo in tempos if tempo.restarts is not None)
    assert 3.5 * MINUTE < outages[200] < 4.5 * MINUTE
    assert 11 * MINUTE < outages[380] < 20 * MINUTE


def test_what_is_not_assumed_is_made_up_to_what_the_plan_expects() -> None:
    """A restart as a whole takes 2 minutes mostly; of patches, those that restart take about 20."""
    restarts = sorted(
        tempo.restarts or MINUTE for tempo in drawn(Assumed(), change="{restart: {}}").tempos.values()
    )
    assert MINUTE / 2 < restarts[200] < 2 * MINUTE  # and some more until the application is well
    patches = sorted(
        tempo.installs or MINUTE
        for tempo in drawn(Assumed(reboots=1.0)).tempos.values()
        if tempo.needs_restart
    )
    assert len(patches) == 400
    assert 14 * MINUTE < patches[200] < 21 * MINUTE


def test_whether_patches_restart_is_a_chance_too() -> None:
    """Six in ten, or as assumed."""
    assert 200 < sum(bool(t.needs_restart) for t in drawn(Assumed()).tempos.values()) < 280
    assert not any(t.needs_restart for t in drawn(Assumed(reboots=0.0)).tempos.values())


def test_somebody_elses_outages_happen_within_the_time_that_is_assumed() -> None:
    """And last as long."""
    assumed = Assumed(goes_off=1.0, goes_off_within=30 * MINUTE, off_for=Spread(5 * MINUTE, 5 * MINUTE))
    for fault in drawn(assumed).faults:
        assert isinstance(fault, GoesOff)
        assert isinstance(fault.at, timedelta)
        assert timedelta(0) <= fault.at <= 30 * MINUTE
        assert fault.for_ == 5 * MINUTE


def test_every_assumption_takes_effect() -> None:
    """Each key of the language changes what is drawn."""
    base = Assumed(fails_late=0.5, goes_off=0.5)
    values = {"reboots": 0.0, "goes_off_within": MINUTE}
    for field in fields(Assumed):
        kind = 0.9 if "float" in str(field.type) else Spread(MINUTE, 2 * MINUTE)
        other = base.under(Assumed(**{field.name: values.get(field.name, kind)}))  # type: ignore[arg-type]
        if field.name in ("install_fails", "install_hangs", "stays_down", "comes_back_unhealthy"):
            other = other.under(Assumed(fails_late=0.0))
        assert drawn(other) != drawn(base), field.name
