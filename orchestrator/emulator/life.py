"""How machines go out and come back, whatever the cause; every change goes into the audit at its moment.

A machine's `life` number goes up whenever it restarts or goes off, and a turn that was planned in an earlier life does
nothing: so a restart cancels the recovery that an earlier failure had coming, and nothing comes back twice. Turns are methods
with their arguments, never closures: so a world can be copied in the middle of its course.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from orchestrator.emulator.chance import WARM_UP, stream
from orchestrator.emulator.installing import Ailment, Outage
from orchestrator.emulator.state import Happening, MachineState
from orchestrator.emulator.timeline import Timeline
from orchestrator.inventory.model import AppHealth, Power


class Life:
    """The machines' comings and goings in one world."""

    def __init__(self, timeline: Timeline, *, seed: int) -> None:
        self._timeline = timeline
        self._seed = seed

    def plan_outage(self, machine: MachineState, outage: Outage, operation: str) -> None:
        """Let the machine go out and come back as settled, unless another life begins before."""
        self._timeline.at(outage.out, partial(self._go_out, machine, machine.life, outage, operation))

    def plan_ailment(
        self, machine: MachineState, ailment: Ailment, operation: str, *, after_outage: bool = False
    ) -> None:
        """Let the application fail while the machine runs on: in this life, or in the one after the planned outage."""
        life = machine.life + after_outage
        self._timeline.at(ailment.begins, partial(self._fall_ill, machine, life, ailment, operation))

    def switch_off(self, machine: MachineState, for_: timedelta | None, now: datetime) -> None:
        """Stop the machine, whatever it was doing; start it again after a while if asked to."""
        if machine.power is not Power.RUNNING:
            return
        machine.life += 1
        self._stop_answering(machine, now, "")
        machine.power = Power.STOPPED
        if for_ is not None:
            self._timeline.at(now + for_, partial(self._switch_on, machine, machine.life))

    def _go_out(
        self, machine: MachineState, life: int, outage: Outage, operation: str, now: datetime
    ) -> None:
        if machine.life != life or machine.power is not Power.RUNNING:
            return
        machine.life += 1
        self._stop_answering(machine, now, operation)
        if outage.back is not None:
            come_back = partial(self._come_back, machine, machine.life, outage.healthy, operation)
            self._timeline.at(outage.back, come_back)

    def _fall_ill(
        self, machine: MachineState, life: int, ailment: Ailment, operation: str, now: datetime
    ) -> None:
        if machine.life != life or not machine.answers or machine.app is AppHealth.UNHEALTHY:
            return
        machine.app, machine.changed = AppHealth.UNHEALTHY, now
        self._witness(machine, "unhealthy", now, operation)
        if ailment.ends is not None:
            self._timeline.at(ailment.ends, partial(self._recover, machine, machine.life, operation))

    def _switch_on(self, machine: MachineState, life: int, now: datetime) -> None:
        if machine.life != life:
            return
        machine.power = Power.RUNNING
        warm_up = WARM_UP.draw(stream(self._seed, machine.id, "switched on", machine.life))
        self._come_back(machine, life, now + warm_up, "", now)

    def _stop_answering(self, machine: MachineState, now: datetime, operation: str) -> None:
        if machine.answers:
            self._witness(machine, "out", now, operation)
        machine.out, machine.app, machine.changed = True, AppHealth.UNHEALTHY, now

    def _come_back(
        self, machine: MachineState, life: int, healthy: datetime | None, operation: str, now: datetime
    ) -> None:
        if machine.life != life:
            return
        machine.out, machine.changed = False, now
        machine.reboot_pending = False  # whatever it was that waited for a restart has had one
        self._witness(machine, "back", now, operation)
        if healthy is not None:
            self._timeline.at(healthy, partial(self._recover, machine, life, operation))

    def _recover(self, machine: MachineState, life: int, operation: str, now: datetime) -> None:
        if machine.life != life or not machine.answers:
            return
        machine.app, machine.changed = machine.resting, now
        if machine.app is AppHealth.HEALTHY:
            self._witness(machine, "healthy", now, operation)

    def _witness(self, machine: MachineState, event: str, now: datetime, operation: str) -> None:
        self._timeline.record(Happening(now, machine.record.arm_id, event, operation))
