"""One process that runs rollout after rollout, as a daemon does for years: handed over by letter, beside one that bakes for as long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from orchestrator.planner.document import dump, parse
from orchestrator.rollout.letters import ArchiveOrder, Handover
from orchestrator.rollout.messages import Abort
from orchestrator.rollout.retention import Retention
from orchestrator.service.asking import ask_writer
from orchestrator.wiring.rollout import Running
from tests.simulation.reference import CAMPAIGN, twins
from tests.simulation.test_several import LISTENING, part
from tests.virtual import Stage, script

LASTING = (
    CAMPAIGN.replace('"*"', "[a1, b4]")
    .replace("name: monthly", "name: lasting")
    .replace("bake: 10m", "bake: 300d")
)

Look = Callable[[Running, int], Awaitable[None]]


@dataclass
class Years:
    """Rollouts of two machines each. `keep_last`: the rest goes into archives.

    `look` is called after each one that has ended.
    """

    stage: Stage
    weekly: bytes
    keep_last: int | None = None
    archive_every: int = 10
    archives: list[str] = field(default_factory=list)

    @classmethod
    async def of(cls, **parts: object) -> Years:
        """On the reference fleet, with parts of `Stage`."""
        lasting = await script(twins(), LASTING)
        weekly = await part("a2", "b2", called="weekly")
        return cls(Stage.of(lasting, pace=LISTENING, **parts), weekly.plan)

    def plan(self, number: int) -> bytes:
        """The plan of that number, which is nobody else's."""
        return dump(replace(parse(self.weekly, "the plan"), name=f"weekly-{number}"))

    async def run(self, count: int, look: Look | None = None) -> Running:
        """So many of them, in one process; at the end the one that bakes is aborted."""
        ran: list[Running] = []

        async def others(running: Running) -> None:
            ran.append(running)
            for number in range(1, count + 1):
                await self._hand_over(number)
                while len(running.scope.active()) > 1:
                    await self.stage.clock.sleep(30)
                if look is not None:
                    await look(running, number)
                if number % self.archive_every == 0 and number > (self.keep_last or count):
                    await self._archive(number)
            await running.host.ask(Abort(running.rollout.id, "ada", "enough"))

        await self.stage.run(meanwhile=others)
        return ran[0]

    async def _hand_over(self, number: int) -> None:
        order = Handover(self.plan(number), "grace", "", (), "", 1.0)
        await self._ask(order)

    async def _archive(self, number: int) -> None:
        path = self.stage.path
        name = f"archive-{number}" if path is None else str(path.with_name(f"archive-{number}.db"))
        assert self.keep_last is not None
        await self._ask(ArchiveOrder("grace", Retention(keep_last=self.keep_last), name))
        self.archives.append(name)

    async def _ask(self, order: Handover | ArchiveOrder) -> None:
        journal = await self.stage.journal()
        assert await ask_writer(journal, order, self.stage.clock.now()) is not None
        await journal.close()
