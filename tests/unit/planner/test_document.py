"""The plan file: what is in it, read back to the letter, and refused if it is none."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Os
from orchestrator.planner.document import LARGE, _quickly, _strictly, digest, dump, parse
from orchestrator.planner.durations import Duration, Durations
from orchestrator.planner.model import AroundSteps, Exposed, LeftOut, Plan, Warned
from orchestrator.planner.pieces import Split
from orchestrator.policy.change import Change, PinnedBy, RunCommand, Script, script
from orchestrator.policy.model import (
    Health,
    Origin,
    Patches,
    Probe,
    ProbeKind,
    Reboot,
    Restart,
    Share,
    Step,
    StopWhen,
)
from tests.builders import NOON, always, budget, exclusion, lane, order, plan_of, stage, step, taking_back
from tests.fleet import vm_id
from tests.unit.planner.company import planned
from tests.unit.planner.dividing import verdict

ROOT = Path(__file__).parents[3]


def full() -> Plan:
    """A plan with something of everything."""
    found = plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("broad-1", "b c", "d"),
        lane("broad-2", "e", after=["broad-1"]),
        rules=[
            budget(1, "a z"),
            budget(5, "a b c", cap=True),
            exclusion({"zone 1": "b c d", "zone 2": "e"}, level=2),
            order("b", "e"),
        ],
        stages=[stage("canary", bake=timedelta(hours=4), approve=True), stage("broad")],
        before=[step("drain")],
        after=[step("undrain"), always("tell")],
        stop_when=StopWhen(Share(count=3), Share(percent=2.5)),
        max_in_flight=50,
        max_wait=timedelta(hours=8, milliseconds=500),
        change=Patches(("security",), ("5000001",), ("5000002",), Reboot.NEVER, timedelta(hours=1), NOON),
    )
    probes = (
        Probe(
            ProbeKind.HTTP,
            url="http://{private_ip}/{tag:Path}",
            expect_status=(200, 204),
            origin=Origin("p.yaml", 3),
        ),
        Probe(ProbeKind.TCP, host="{name}", port=443, timeout=timedelta(seconds=2)),
    )
    first, second, third, *others = found.machines
    machines = (
        replace(first, probes=(0, 1), tags={"Path": "up"}, health=1),
        replace(second, sooner=1, outstanding=7),
        replace(third, outstanding=0),
        *others,
    )
    return replace(
        found,
        machines=machines,
        probes=probes,
        health=(Health(), Health(timedelta(minutes=1), timedelta(minutes=2), timedelta(seconds=7), 1)),
        left_out=(LeftOut(vm_id("off"), "it is deallocated"), LeftOut(vm_id("stuck"), "frozen", "budget:1")),
        warnings=(Warned("careful"), Warned("with a place", Origin("p.yaml", 9))),
        replaces=("availability-first",),
        read_tags=("app", "tier"),
        solver="ortools 9.15.6755",
        sooner=(Exposed("exposure=internet", Origin("p.yaml", 4)), Exposed("tier=web", Origin("p.yaml", 5))),
        durations=Durations(
            {
                "patches azure_vm linux": Duration(timedelta(seconds=400), timedelta(seconds=900), 312),
                "patches azure_vm windows": Duration(timedelta(seconds=90.5), timedelta(hours=1)),
            }
        ),
    )


def edited(**changes: Any) -> bytes:
    """The file of the full plan with some keys changed; None takes one away."""
    document = orjson.loads(dump(full())) | changes
    return orjson.dumps({key: value for key, value in document.items() if value is not None})


def encoded(change: Change) -> dict[str, Any]:
    """A change as a plan's file has it."""
    return dict(orjson.loads(dump(replace(full(), change=change)))["change"])


def problems(text: bytes) -> list[str]:
    """What is wrong with a file, a line each, without its name."""
    with pytest.raises(UsageError) as refused:
        parse(text, "plan.json")
    return [line.removeprefix("plan.json: ") for line in str(refused.value).splitlines()]


SELECTED = Patches(
    include_names=("*Hotpatch*",),
    exclude_names=("*NET*",),
    include_packages=("vim=2:8.2",),
    exclude_packages=("mysql*",),
    hotpatch_only=True,
    reboot=Reboot.NEVER,
    published_until=NOON,
    pinned_by=PinnedBy.ASSESSMENT,
    only_kbs=(),
    only_packages=("openssl=3.0.2-0ubuntu1.21",),
)
"""Everything that selects and pins patches."""

SCRIPT = RunCommand(
    script("s/cache.ps1", "Clear-Cache\r\n# \u00e9\n"),
    Os.WINDOWS,
    timedelta(minutes=20),
    (("a", "1"), ("b", "x y")),
)


@pytest.mark.parametrize(
    "plan",
    [
        full(),
        replace(full(), change=SELECTED),
        replace(full(), change=Restart(), taken_at=None),
        replace(full(), change=Restart(only_pending=True)),
        replace(full(), change=SCRIPT),
        replace(full(), change=replace(taking_back("a b"), baseline=("5082063",))),
        replace(full(), around=(AroundSteps((Step("", SCRIPT.timeout, command=SCRIPT),), (step("told"),)),)),
    ],
    ids=["patches", "selected", "restart", "pending", "script", "rollback", "script around"],
)
def test_a_plan_is_read_back_to_the_letter(plan: Plan) -> None:
    """Every field of it; and writing it again gives the same bytes."""
    assert parse(dump(plan), "plan.json") == plan
    assert dump(parse(dump(plan), "plan.json")) == dump(plan)


def test_the_file_has_the_form_that_was_promised() -> None:
    """The keys that reviewers, the judge and other programs read."""
    document = orjson.loads(dump(full()))

    assert document["schema"] == "wavekeeper.plan/1"
    assert document["fingerprint"] == {"inventory": "inventory", "policies": "policies"}
    assert document["machines"][vm_id("a")]["name"] == "a"
    assert [rule["kind"] for rule in document["constraints"]] == ["budget", "budget", "exclusion", "order"]
    assert document["constraints"][2]["domains"] == {
        "zone 1": [vm_id("b"), vm_id("c"), vm_id("d")],
        "zone 2": [vm_id("e")],
    }
    assert document["constraints"][2]["from"] == {"file": "policies/test.yaml", "line": 1}
    assert document["stages"] == ["canary", "broad"]
    assert document["stage_gates"][0] == {"name": "canary", "bake_s": 14400, "approve": True}
    assert document["lanes"][1] == {
        "id": "broad-1",
        "stage": "broad",
        "after": [],
        "waves": [{"machines": [vm_id("b"), vm_id("c")]}, {"machines": [vm_id("d")]}],
        "bound": {"waves": 2, "because": "as told"},
        "optimal": True,
        "what": "broad-1",
    }
    assert document["left_out"][0] == {
        "machine": vm_id("off"),
        "reason": "it is deallocated",
        "constraint": "",
    }
    assert document["stop_when"] == {"unhealthy": 3, "not_changed": "2.5%"}
    assert document["max_wait_s"] == 28800.5


def test_the_judge_reads_the_file() -> None:
    """Of a plan that keeps its constraints it has nothing to say; of one that doesn't, it does."""
    assert verdict(full()) == []
    assert verdict(replace(full(), constraints=(budget(1, "b c"),))) != []


def test_the_digest_names_the_bytes() -> None:
    """Another wave, another name."""
    assert digest(dump(full())) == digest(dump(full()))
    assert digest(dump(full())) != digest(edited(name="other"))
    assert len(digest(b"")) == 64


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "plan.json is not JSON: "),
        (b"[]", "plan.json is no plan: its schema is not wavekeeper.plan/1; a plan is written by"),
        (b"{}", "plan.json is no plan: its schema is not wavekeeper.plan/1"),
        (b'{"schema": "wavekeeper.inventory/1"}', "plan.json is no plan but a wavekeeper.inventory/1"),
        (
            b'{"schema": "wavekeeper.plan/2"}',
            "plan.json is of a newer form, wavekeeper.plan/2; this program reads",
        ),
    ],
)
def test_what_is_no_plan_is_refused(text: bytes, told: str) -> None:
    """With what it is, and what to do."""
    with pytest.raises(UsageError) as refused:
        parse(text, "plan.json")
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lanes": None}, "there is no `lanes`"),
        ({"lane": []}, "lane is no key of this format; did you mean lanes?"),
        ({"max_wait_s": "8h"}, "max_wait_s is no number of seconds"),
        ({"max_wait_s": 1e300}, "max_wait_s is no number of seconds"),
        ({"stop_when": {"unhealthy": "many"}}, 'stop_when.unhealthy is neither a number of machines nor a percentage such as "1%"'),
        ({"change": {"kind": "wish"}}, "change.kind is 'wish'; write patches, restart, run_command, rollback or enrolment"),
        ({"change": {"kind": "run_command", "os": "linux"}}, "change has no `script`"),
        ({"change": encoded(RunCommand(Script("x.sh", "reboot", SCRIPT.script.sha256), Os.LINUX))}, "change.script (x.sh) isn't the text that its digest was made of; nothing is run that wasn't reviewed: plan again"),
        ({"change": {"kind": "rollback", "undo": []}}, "change.undo is empty; a rollback says what it takes back, and from which machines"),
        ({"around": [{"before": [{"timeout_s": 1}]}]}, "around.before: a step is a webhook or a command, one of the two"),
        ({"stages": ["canary"]}, "stages and stage_gates name different stages"),
        ({"constraints": [{"id": "x", "kind": "hope"}]}, "constraint x is of no kind that is known; write one of budget, exclusion, order"),
        ({"constraints": [{"id": "x", "kind": "budget", "machines": []}]}, "constraint x has no `limit`"),
        (
            {"constraints": [{"id": "x", "kind": "exclusion", "domains": {}, "limit": 2}]},
            "constraint x takes 2 domains at a time; this program knows one at a time alone",
        ),
        (
            {"constraints": [{"id": "x", "kind": "budget", "machines": ["/gone", "/too"], "limit": 1}]},
            "constraint x names /gone and 1 more, which `machines` doesn't hold",
        ),
        ({"durations": {"patches": {}}}, "durations.patches is no class of changes; it is one such as `patches azure_vm windows`"),
        ({"durations": {"restart arc linux": {"median_s": 1}}}, "durations.restart arc linux has no `late_s`"),
        (
            {"durations": {"restart arc linux": {"median_s": 9, "late_s": 8, "source": "given"}}},
            "durations.restart arc linux: what 19 of 20 stay below can't be shorter than the median, nor that be nought",
        ),
        (
            {"durations": {"restart arc linux": {"median_s": 8, "late_s": 9, "source": "learned"}}},
            "durations.restart arc linux is learned of 0 samples; learned ones have some, given ones none",
        ),
        (
            {"durations": {"restart arc linux": {"median_s": 8, "late_s": 9, "source": "guessed"}}},
            "durations.restart arc linux.source is 'guessed'; write learned or given, or leave the class out: then it is assumed",
        ),
        ({"probes": []}, "machine a names probe 1, and there are 0"),
        ({"health": []}, "machine a names health 1, and there are 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(changes: dict[str, Any], told: str) -> None:
    """In its place, with what to write instead."""
    assert told in problems(edited(**changes))


def test_every_problem_is_told_at_once() -> None:
    """Up to a number that a person still reads."""
    document = orjson.loads(dump(full()))
    document["lanes"][0] = {
        "id": "canary-1",
        "stage": "nightly",
        "after": ["broad-1"],
        "waves": [{"machines": ["/gone"]}],
    }
    document["lanes"][1]["id"] = "broad-2"
    document["lanes"][2]["waves"].append({"machines": [vm_id("b")]})
    told = problems(orjson.dumps(document))

    assert "there are two lanes broad-2" in told
    assert "lane canary-1 is in stage nightly, which the plan doesn't have" in told
    assert "lane canary-1 waits for broad-1, which is no lane of its stage" in told
    assert "lane canary-1 changes /gone, which `machines` doesn't hold" in told
    assert f"{vm_id('b')} is in two waves; a plan changes a machine once" in told

    many = {f"key{n}": n for n in range(30)}
    assert problems(edited(**many))[-1] == "and 10 problems more"


def test_the_same_bytes_under_any_hash_seed() -> None:
    """Sets have another order in each process; a plan doesn't."""
    script = (
        "from tests.unit.planner.company import planned\n"
        "from orchestrator.planner.document import digest, dump\n"
        "print(digest(dump(planned(150, pairs=2)[0])))\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }

    assert digests == {digest(dump(planned(150, pairs=2)[0]))}


def test_a_plan_as_it_is_written_is_read_quickly() -> None:
    """A key that the quick reader doesn't know would make every plan take the strict reader's time."""
    quick = _quickly(Split(dump(full()), LARGE))

    assert quick == full()
    assert quick == _strictly(dump(full()), "plan.json")


def test_ids_in_upper_case_are_told() -> None:
    """Everything else compares them in lower case."""
    document = orjson.loads(dump(full()))
    document["machines"]["/A"] = document["machines"][vm_id("a")]

    assert problems(orjson.dumps(document)) == ["machines./A: ids are in lower case in a plan"]


def test_exposure_is_left_out_where_it_says_nothing() -> None:
    """So that the plan of a restart without `sooner` is the same file as ever; nought outstanding is something to say."""
    document = orjson.loads(dump(full()))
    rows = [document["machines"][vm_id(name)] for name in "abcd"]

    assert [(row.get("sooner"), row.get("outstanding")) for row in rows] == [
        (None, None),
        (1, 7),
        (None, 0),
        (None, None),
    ]
    assert not {"sooner", "outstanding"} & rows[0].keys()
    assert "sooner" not in orjson.loads(dump(replace(full(), machines=(), lanes=(), sooner=())))


def test_an_entry_of_sooner_that_is_not_there_is_refused() -> None:
    """A rollout would look it up."""
    assert problems(edited(sooner=[])) == ["machine b names entry of `sooner` 1, and there are 0"]
