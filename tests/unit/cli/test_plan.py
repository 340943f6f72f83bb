"""`wavekeeper plan`, and what it shares with `rollout`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import planning
from orchestrator.cli.output import out
from orchestrator.cli.planning import choose_change, make_plan
from orchestrator.errors import UsageError
from orchestrator.planner.document import parse
from orchestrator.policy.model import Patches, Restart, Selector
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.verify.model import Verdict, Violation
from orchestrator.wiring import plans
from orchestrator.wiring.plans import OneOff
from tests.unit.cli.conftest import MONTHLY, SHOP, Typed, company

HEAD = """\
Plan monthly: install critical, security patches, reboot if_required, at most 2h
  changes 11 machines of 12; up to 11 restarts (unknown counts as one)

  stage   machines  lanes  waves  one after another  then
"""

LENGTH = """
  every lane is as short as its rules allow
  earliest end: """

LEFT_OUT = """
Left out: 1 machine
  machines  why                who
         1  it is deallocated  far-2

2 warnings
"""

KEPT = """
kept in plan.json. Next:
  wavekeeper check plan.json --inventory fleet.json
  wavekeeper explain MACHINE --plan plan.json
  wavekeeper rollout plan.json
"""


def test_a_plan_is_kept_and_summed_up(wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path) -> None:
    """Machines, restarts, waves, who is left out and why, what to beware of; and what to do next."""
    ran = wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "plan.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(HEAD)
    assert LENGTH in ran.out
    assert "; deadline 30d: met\n" in ran.out
    assert LEFT_OUT in ran.out
    assert "✓ judged independently: " in ran.out
    assert ran.out.endswith(KEPT)
    kept = parse((tmp_path / "plan.json").read_bytes(), "plan.json")
    assert sum(machine.change for machine in kept.machines) == 11


def test_without_a_file_nothing_is_kept(wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path) -> None:
    """A plan can be looked at without keeping it, and that is said."""
    before = sorted(tmp_path.rglob("*"))
    ran = wavekeeper("plan", "-i", fleet, "-p", policies)
    assert ran.code == 0
    assert ran.out.endswith("\nnot kept; with -o plan.json it can be reviewed and run\n")
    assert before == sorted(tmp_path.rglob("*"))


def test_programs_get_the_numbers_and_the_reasons(wavekeeper: Typed, fleet: str, policies: str) -> None:
    """One document on standard output; what is for people goes elsewhere."""
    ran = wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "plan.json", "--json", "--verbose")
    told = ran.json()
    assert (told["machines"], told["fleet"], told["restarts"], told["file"]) == (11, 12, 11, "plan.json")
    assert [left["reason"] for left in told["left_out"]] == ["it is deallocated"]
    assert told["lanes"] == len(told["lanes_in_detail"])
    assert "kept in plan.json" in ran.err


def test_verbose_tells_bounds_and_silent_rules(wavekeeper: Typed, fleet: str, policies: str) -> None:
    """Every lane with the reason why it can't be shorter, and the rules that say nothing here, with why."""
    ran = wavekeeper("plan", "-i", fleet, "-p", policies, "--verbose")
    assert "what, and why it can't be shorter" in ran.out
    assert "(at most 1 of 7 in shop (tier=web))" in ran.out
    assert (
        "  one fault domain at a time within scale set (availability-first.yaml:23)\n"
        "    - none of its machines is in any scale set\n"
    ) in ran.out
    assert "    - in 1 of 2 groups: no zone is known there (northeurope)\n" in ran.out
    told = wavekeeper("plan", "-i", fleet, "-p", policies, "--json").json()["says_nothing"]
    zones = next(one for one in told if one["rule"] == "one zone at a time within region")
    assert (zones["line"], zones["groups"], zones["of"], zones["such_as"]) == (15, 1, 2, ["northeurope"])


@pytest.mark.process
def test_what_the_first_stages_try_is_told(wavekeeper: Typed, fleet: str, policies: str) -> None:
    """With the machines that come untried; in the file and for programs as a warning too, but to people only once."""
    ran = wavekeeper("plan", "-i", fleet, "-p", policies)
    verdict = (
        "when canary has ended, 2 of 3 configurations (image, size, region, role) will have been tried; "
        "3 machines of the other come after it"
    )
    assert f"Tried before others come\n  - {verdict}\n" in ran.out
    assert "         3  windows (no marketplace image), unknown size, westeurope, role db\n" in ran.out
    assert ran.out.count(verdict) == 1
    told = wavekeeper("plan", "-i", fleet, "-p", policies, "--json").json()
    assert [stage["tried"] for stage in told["coverage"]] == [2]
    assert any(warned["what"].startswith(verdict) for warned in told["warnings"])


def test_the_same_input_gives_the_same_bytes(
    wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path
) -> None:
    """Whatever the hash seed: a plan can be made again and compared."""
    wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "plan.json")
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "orchestrator", "plan", "-i", fleet, "-p", policies, "-o", f"{seed}.json"],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert (tmp_path / "plan.json").read_bytes() == (tmp_path / f"{seed}.json").read_bytes()


def test_frozen_groups_and_the_floor_s_replacement_stand_out(
    wavekeeper: Typed, fleet: str, tmp_path: Path
) -> None:
    """A group that admits nobody is named with its rule, and so is a policy that loosens the built-in rules."""
    (tmp_path / "monthly.yaml").write_text(MONTHLY)
    text = SHOP.replace("name: shop\n", "name: shop\nreplaces: availability-first\n")
    (tmp_path / "shop.yaml").write_text(f"{text}  - {{min_available: 3, of: {{tags: {{tier: db}}}}}}\n")
    ran = wavekeeper("plan", "-i", fleet, "-p", "monthly.yaml", "-p", "shop.yaml")
    assert ran.code == 0
    assert "a policy replaces availability-first" in ran.out
    assert "Frozen: 1 group, 3 machines left out" in ran.out
    assert "at least 3 of 3 must serve (shop.yaml:8): db-1, db-2, db-3\n" in ran.out


def test_a_one_off_keeps_the_same_rules(wavekeeper: Typed, fleet: str, policies: str) -> None:
    """A restart that a person names is planned under the policies, or under the built-in rules alone."""
    under = wavekeeper("plan", "-i", fleet, "--change", "restart", "--select", "tag:tier=web", "-p", policies)
    alone = wavekeeper("plan", "-i", fleet, "--change", "restart", "--select", "tag:tier=web")
    assert "Plan restart: restart\n  changes 7 machines of 12; 7 restarts\n" in under.out
    assert "Plan restart: restart\n  changes 7 machines of 12; 7 restarts\n" in alone.out
    assert under.out != alone.out


def test_patches_that_never_reboot_restart_nobody(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """Restarts are counted as what they cost."""
    (tmp_path / "never.yaml").write_text(MONTHLY.replace("{patches: {}}", "{patches: {reboot: never}}"))
    assert (
        "changes 11 machines of 12; no restarts\n" in wavekeeper("plan", "-i", fleet, "-p", "never.yaml").out
    )


NOBODY = MONTHLY.replace("monthly}", "weekly}")
ZERO = "version: 1\nname: zero\nrules:\n  - {max_unavailable: 0}\n"
LOOP = SHOP + "  - {order: [{tags: {tier: web}}, {tags: {tier: db}}]}\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (NOBODY, 3, "campaign monthly selects none of 12 machines (patching=weekly, p.yaml:4)"),
        (
            MONTHLY + "rules:\n  - {min_available: 12}\n",
            3,
            "campaign monthly changes nothing: all 12 machines",
        ),
        (ZERO, 2, "p.yaml:4:23: a budget of 0 admits nobody, ever"),
        (SHOP, 1, "no policy changes anything"),
        (MONTHLY + "freezes: []\n", 2, "p.yaml:5"),
        ("version: 1\nname: [\n", 2, "p.yaml:"),
    ],
)
def test_what_can_t_be_planned_is_one_message(
    wavekeeper: Typed, fleet: str, tmp_path: Path, text: str, code: int, message: str
) -> None:
    """Nobody selected, nobody left, a budget of nothing, a policy that is wrong: said, and no file is begun."""
    (tmp_path / "p.yaml").write_text(text)
    ran = wavekeeper("plan", "-i", fleet, "-p", "p.yaml", "-o", "plan.json")
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert not (tmp_path / "plan.json").exists()


def test_rules_that_can_t_hold_together_are_refused(wavekeeper: Typed, fleet: str, tmp_path: Path) -> None:
    """Orders that loop name each other, and nothing is planned."""
    (tmp_path / "monthly.yaml").write_text(MONTHLY)
    (tmp_path / "loop.yaml").write_text(LOOP)
    ran = wavekeeper("plan", "-i", fleet, "-p", "monthly.yaml", "-p", "loop.yaml", "-o", "plan.json")
    assert (ran.code, ran.out) == (2, "")
    assert "loop.yaml:6:5: this order and others loop" in ran.err
    assert not (tmp_path / "plan.json").exists()


def test_several_campaigns_take_a_name(wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path) -> None:
    """Which of them isn't guessed."""
    (tmp_path / policies / "restart.yaml").write_text(
        "version: 1\nname: reboots\nselect: {names: 'web-*'}\nchange: {restart: {}}\n"
    )
    ran = wavekeeper("plan", "-i", fleet, "-p", policies)
    assert (ran.code, ran.err) == (
        1,
        "wavekeeper: there are several campaigns; name one with --campaign: monthly, reboots\n",
    )
    assert "Plan reboots: restart\n" in wavekeeper("plan", "-i", fleet, "-p", policies, "-c", "reboots").out


@pytest.mark.parametrize("name", ["nowhere/plan.json", "fleet.json/plan.json", "rules"])
def test_a_file_that_can_t_be_written_is_not_begun(
    wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path, name: str
) -> None:
    """Whole or not at all: nothing half written is left behind."""
    before = sorted(tmp_path.rglob("*"))
    ran = wavekeeper("plan", "-i", fleet, "-p", policies, "-o", name)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"wavekeeper: {name} can't be written: ")
    assert before == sorted(tmp_path.rglob("*"))


def test_an_older_plan_stays_if_the_new_one_fails(
    wavekeeper: Typed, fleet: str, plan: str, tmp_path: Path
) -> None:
    """A plan that was reviewed isn't lost to one that couldn't be made."""
    before = (tmp_path / plan).read_bytes()
    assert wavekeeper("plan", "-i", fleet, "-o", plan).code == 1
    assert (tmp_path / plan).read_bytes() == before


def test_policies_are_read_before_the_fleet(wavekeeper: Typed, tmp_path: Path) -> None:
    """Nobody waits for a live fleet to learn of a typing error."""
    (tmp_path / "zero.yaml").write_text(ZERO)
    assert wavekeeper("plan", "-i", "nowhere.json", "-p", "zero.yaml").code == 2


def test_a_bad_plan_of_ours_is_never_written(
    wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the judge finds a rule broken, the fault is ours; it is said, and there is no file to run."""
    violation = Violation("budget", "budget:1", (), "wave 1 takes 2 out; only 1 may be")
    monkeypatch.setattr(plans, "judge", lambda *_: Verdict((violation,), {}))
    ran = wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert "This is a bug of Wavekeeper's" in ran.err
    assert ran.err.endswith("\n  budget: wave 1 takes 2 out; only 1 may be\n")
    assert not (tmp_path / "plan.json").exists()


# What it shares with `rollout` ----------------------------------------------------------------------------------


def test_a_one_off_names_change_and_machines() -> None:
    """Both, or neither."""
    assert choose_change(None, None) is None
    assert choose_change("restart", "name=web-1") == OneOff(Restart(), Selector(names=("web-1",)))
    assert choose_change("Patches", "name=web-1") == OneOff(Patches(), Selector(names=("web-1",)))


@pytest.mark.parametrize(
    ("change", "select", "message"),
    [
        ("restart", None, "--change restart needs --select"),
        (None, "name=web-1", "--change restart"),
        ("reimage", "name=web-1", "it is restart, restart-pending or patches"),
        ("restart", "nam=web-1", "did you mean `name`?"),
    ],
)
def test_half_a_one_off_is_wrong_use(change: str | None, select: str | None, message: str) -> None:
    """What is missing is said."""
    with pytest.raises(UsageError) as raised:
        choose_change(change, select)
    assert message in str(raised.value)


def test_a_one_off_belongs_to_no_campaign() -> None:
    """Two answers to what is changed are one too many; none is one too few."""
    with pytest.raises(UsageError, match="leave --campaign away"):
        make_plan(company(), (), "monthly", choose_change("restart", "name=web-1"))
    with pytest.raises(UsageError, match="what is to be changed"):
        make_plan(company(), (), None, None)


def test_what_is_made_is_what_is_written(tmp_path: Path) -> None:
    """The bytes that `rollout` runs are those that `plan` writes, with how many machines there are."""
    (tmp_path / "monthly.yaml").write_text(MONTHLY)
    made = make_plan(company(), (tmp_path,), None, None)
    assert (parse(made.text, "made"), made.fleet, made.verdict.ok) == (made.plan, 12, True)


def test_a_lane_above_its_bound_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A plan doesn't claim to be the shortest where that isn't proved."""
    (tmp_path / "monthly.yaml").write_text(MONTHLY)
    made = make_plan(company(), (tmp_path,), None, None)
    first, *others = made.plan.lanes
    longer = replace(first, bound=replace(first.bound, waves=first.bound.waves - 1))
    plan = replace(made.plan, lanes=(longer, *others))
    planning.print_summary(replace(made, plan=plan), out)
    said = capsys.readouterr().out
    assert "1 may be longer than need be, by 1 wave at most in all" in said


def test_a_deadline_that_can_t_be_met_is_told_with_what_is_to_blame(
    wavekeeper: Typed, fleet: str, policies: str, tmp_path: Path
) -> None:
    """A day isn't enough where the stages bake for longer; programs are told in seconds."""
    hasty = tmp_path / "hasty.yaml"
    hasty.write_text(
        'version: 1\nname: hasty\nselect: {names: "*"}\nchange: {patches: {}}\ndeadline: 1h\n'
        "stages: [{name: canary, count: 1, bake: 24h}, {name: broad}]\n"
    )
    told = wavekeeper("plan", "-i", fleet, "-p", hasty)
    read = wavekeeper("plan", "-i", fleet, "-p", hasty, "--json").json()["forecast"]

    assert "; deadline 1h: missed by " in told.out
    assert "most of the time goes to 24h: the bake of stage canary" in told.out
    assert (read["in_time"], read["spent"][0]["what"]) == (False, "the bake of stage canary")


def test_durations_that_are_given_are_in_the_file_and_told_with_their_source(
    wavekeeper: Typed, fleet: str, policies: str
) -> None:
    """`plan` and `explain` say of each class how long, and how that is known."""
    wide = wavekeeper(
        "plan", "-i", fleet, "-p", policies, "-o", "plan.json", "--takes", "patches azure_vm linux=8m/20m"
    )
    explained = wavekeeper("explain", "--plan", "plan.json")

    told = "expected of patches azure_vm linux: mostly 8m, 19 of 20 within 20m (given)"
    assert told in wide.out
    assert told in explained.out
    assert (
        "expected of patches azure_vm windows: mostly 20m40s, 19 of 20 within 1h2m49s (assumed)" in wide.out
    )
    assert list(parse(Path("plan.json").read_bytes(), "plan").durations.known) == ["patches azure_vm linux"]


def test_what_is_given_wrongly_is_told_at_once(wavekeeper: Typed, fleet: str, policies: str) -> None:
    """A class that doesn't exist, and times that can't be."""
    ran = wavekeeper(
        "plan", "-i", fleet, "-p", policies, "--takes", "patches=8m", "--takes", "restart arc linux=9m/8m",
        "--takes", "restart arc windows=soon",
    )  # fmt: skip

    assert ran.code == 1
    assert "'patches' is no class of changes" in ran.err
    assert "what 19 of 20 stay below isn't shorter than the median" in ran.err
    assert "`soon` isn't a duration" in ran.err


def test_a_journal_that_tells_nothing_leaves_what_is_assumed(
    wavekeeper: Typed, fleet: str, policies: str
) -> None:
    """The same plan as without it, and a line that says what was found; one that isn't there is an error."""
    asyncio.run(_empty_journal(Path("journal.db")))

    learned = wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "a.json", "--learn-from", "journal.db")
    wavekeeper("plan", "-i", fleet, "-p", policies, "-o", "b.json")

    assert "journal.db tells of 0 rollouts, of changes none that ended well" in learned.out
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    assert wavekeeper("plan", "-i", fleet, "-p", policies, "--learn-from", "none.db").code == 1


async def _empty_journal(path: Path) -> None:
    await (await SqliteJournal.open(path)).close()
