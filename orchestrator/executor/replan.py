"""Plans what was not begun anew, and has the judge read the result before anybody goes by it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import orjson

from orchestrator.executor.services import Services
from orchestrator.planner.document import dump
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.replan import Replanned, Replanner, Standing, replanned
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.replanning import begun_of
from orchestrator.rollout.state import Rollout
from orchestrator.verify.plan import judge_plan


async def replan(services: Services, rollout: Rollout, activity: a.Replan) -> m.ReplanFound:
    """The lanes that differ, or why the judge refuses them. What is begun meanwhile makes the answer late, and it is asked again."""
    return await services.aside(partial(answer, rollout.planned, standing(rollout, activity), activity))


def standing(rollout: Rollout, activity: a.Replan) -> Standing:
    """How far the lanes are, and what there is room for: of budgets that shrank before as well."""
    rules = rollout.planned.plan.constraints
    limits = {rules[place].id: room for place, room in {**rollout.shrunk, **dict(activity.shrunk)}.items()}
    lanes = rollout.planned.lanes
    return Standing({lane.id: begun_of(rollout, number) for number, lane in enumerate(lanes)}, limits)


def answer(planned: Planned, where: Standing, activity: a.Replan) -> m.ReplanFound:
    """The pure part, which may take seconds for a large fleet. The judge reads the whole plan, by the rules that were reviewed.

    The index of the plan is made for each answer and let go: an answer is wanted a few times in a rollout, if at all.
    """
    lanes = Replanner(planned.plan).delayed(where)
    refused = _refused(planned.plan, lanes) if lanes else ""
    found = () if refused else _by_number(planned, lanes, where.begun)
    return m.ReplanFound(activity.rollout, activity.shrunk, found, refused)


def _refused(plan: Plan, lanes: tuple[Lane, ...]) -> str:
    broken = judge_plan(orjson.loads(dump(replanned(plan, Replanned(lanes))))).violations
    return f"the judge refuses it: {broken[0]}" if broken else ""


def _by_number(
    planned: Planned, lanes: tuple[Lane, ...], begun: Mapping[str, int]
) -> tuple[m.LaneFound, ...]:
    number_of = {lane.id: number for number, lane in enumerate(planned.lanes)}
    return tuple(
        m.LaneFound(
            number_of[lane.id],
            begun[lane.id],
            tuple(
                tuple(map(planned.index.__getitem__, wave.machines)) for wave in lane.waves[begun[lane.id] :]
            ),
        )
        for lane in lanes
    )
