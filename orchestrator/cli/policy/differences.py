"""`wavekeeper policy diff`: what would other policies do to the same fleet?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli import options
from orchestrator.cli.output import bullets, count, heading, line, print_json
from orchestrator.cli.source import source
from orchestrator.errors import PolicyError, Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.planner.diff import diff
from orchestrator.planner.diff_model import PlanDiff
from orchestrator.planner.diff_words import headline, sections
from orchestrator.planner.model import Plan
from orchestrator.planner.summary import summarize
from orchestrator.policy.model import Policy
from orchestrator.policy.own import own
from orchestrator.reports.diff_markdown import MOST_CHARACTERS, code, markdown
from orchestrator.wiring.files import read_folder
from orchestrator.wiring.plans import plan_with

SHOWN = 8
"""Sentences of each section that are told; Markdown unfolds more."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one folder makes of a campaign: a plan, or why there is none. `there`: whether it has the campaign."""

    there: bool
    plan: Plan | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A campaign before and after. `told` compares the plans, where there are two."""

    campaign: str
    was: Side
    now: Side
    told: PlanDiff | None

    @property
    def differs(self) -> bool:
        """Whether anything about it is otherwise."""
        return self.told.differ if self.told is not None else self.was != self.now

    def sentence(self, quoted: Callable[[str], str] = str) -> str:
        """What became of it, in a sentence or two. What others named is `quoted`."""
        if self.told is not None:
            return headline(self.told)
        if not self.now.there:
            return "The campaign is gone."
        new = "" if self.was.there else "A new campaign. "
        if self.now.plan is None:
            before = (
                " Nothing could be planned before either." if self.was.there and self.was.plan is None else ""
            )
            return f"{new}Nothing can be planned: {quoted(self.now.refusal)}.{before}"
        if self.was.there:
            new = "Nothing could be planned before. "
        summary = summarize(self.now.plan)
        return f"{new}It changes {count(summary.machines, 'machine')} in {count(summary.longest, 'wave')} one after another, and leaves {summary.left_out:,} out."


def policy_diff(
    old: Annotated[
        Path, typer.Argument(help="The folder of policies as they are; an empty one if there were none.")
    ],
    new: Annotated[Path, typer.Argument(help="The folder of policies that are to take their place.")],
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print Markdown for a pull request, short enough for a comment."),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Plan every campaign under both folders of policies, on the same fleet, and say what differs.

    The exit code is 0 whether they differ or not, and 2 if a policy is invalid.
    """
    if as_markdown and as_json:
        raise UsageError("Markdown or JSON: leave one of --markdown and --json away")
    before, after = own(read_folder(old, may_be_empty=True)), own(read_folder(new, may_be_empty=False))
    fleet = source(inventory, subscription, endpoint).read()
    changes = compared(before, after, fleet)
    if as_json:
        print_json(
            {
                "differ": any(change.differs for change in changes),
                "campaigns": [_json(one) for one in changes],
            }
        )
    elif as_markdown:
        sys.stdout.write(_markdown(changes))
    else:
        _print(changes)


def compared(before: Sequence[Policy], after: Sequence[Policy], fleet: Inventory) -> list[Change]:
    """Every campaign of either, by name."""
    names = sorted({policy.name for policy in (*before, *after) if policy.campaign is not None})
    return [_change(name, _side(before, fleet, name), _side(after, fleet, name)) for name in names]


def _change(name: str, was: Side, now: Side) -> Change:
    told = diff(was.plan, now.plan) if was.plan is not None and now.plan is not None else None
    return Change(name, was, now, told)


def _side(policies: Sequence[Policy], fleet: Inventory, campaign: str) -> Side:
    if not any(policy.name == campaign and policy.campaign is not None for policy in policies):
        return Side(there=False)
    try:
        return Side(there=True, plan=plan_with(fleet, policies, campaign, None).plan)
    except (Refused, PolicyError) as refused:
        return Side(there=True, refusal=str(refused))


def _json(change: Change) -> dict[str, Any]:
    return {
        "campaign": change.campaign,
        "differ": change.differs,
        "what": change.sentence(),
        "refused": change.now.refusal,
        "plans": None if change.told is None else change.told.to_json(),
    }


def _print(changes: Sequence[Change]) -> None:
    if not changes:
        line("neither folder has a campaign")
    for change in changes:
        line(change.campaign, style="bold")
        line(change.sentence(), indent=2)
        if change.told is None or not change.told.differ:
            continue
        for section in sections(change.told):
            heading(f"  {section.title}")
            bullets(("".join(sentence) for sentence in section.sentences[:SHOWN]), indent=4)


def _markdown(changes: Sequence[Change]) -> str:
    """Each campaign's difference; what has no room any more in one sentence."""
    if not changes:
        return "No policy here is a campaign, so nothing is planned.\n"
    text = ""
    same = [code(change.campaign) for change in changes if not change.differs]
    for change in changes:
        if not change.differs:
            continue
        part = (
            f"### Plan {code(change.campaign)}\n\n**{change.sentence(code)}**\n"
            if change.told is None
            else markdown(change.told)
        )
        if len(text) + len(part) > MOST_CHARACTERS:
            part = f"### Plan {code(change.campaign)}\n\nIt differs; there is no room here to say how.\n"
        text += part + "\n"
    if same:
        text += f"No difference for {', '.join(same)}.\n"
    return text
