"""Plans by columns, as journals keep them beside their files."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import orjson
import pytest

from orchestrator.hotpatch.model import Restarts, Told
from orchestrator.planner.document import digest, dump, parse
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.planner.packed import FORM, pack, unpack
from orchestrator.policy.model import Reboot
from tests.builders import lane, plan_of
from tests.unit.planner.test_document import full


def varied() -> Plan:
    """A plan in which machines differ in all that a machine has."""
    found = full()
    first, second, *others = found.machines
    other = replace(
        second,
        subscription="another",
        location="northeurope",
        policies=("a", "b"),
        private_ip="10.0.0.2",
        computer_name="SECOND",
        tags={"Path": "down", "x": ""},
        facts="0123",
        restart=Restarts.NEVER,
        restart_by=Told.ASSESSMENT,
        restart_because=(".NET", "driver or firmware"),
        hotpatched=True,
        reboot=Reboot.NEVER,
        health=1,
        change=False,
    )
    return replace(found, machines=(first, other, *others))


def again(plan: Plan) -> Plan | None:
    """What is packed and read again."""
    return unpack(pack(plan, "digest"), "digest")


@pytest.mark.parametrize("plan", [full(), varied(), plan_of(lane("one", "a")), replace(full(), machines=())])
def test_what_was_packed_is_what_its_file_says(plan: Plan) -> None:
    """Whatever is in it; and it makes the same file again, to the byte."""
    if not plan.machines:
        plan = replace(plan, constraints=(), lanes=())
    name = digest(dump(plan))
    read = parse(dump(plan), "plan")
    found = unpack(pack(read, name), name)
    assert found == read
    assert found is not None
    assert digest(dump(found)) == name


def test_values_have_their_kinds_again() -> None:
    """A duration, an enumeration, a tuple: equal isn't enough, since True is 1."""
    plan, found = varied(), again(varied())
    assert found is not None
    for before, after in zip(plan.machines, found.machines, strict=True):
        for field in fields(PlannedMachine):
            one, other = getattr(before, field.name), getattr(after, field.name)
            assert (type(one), one) == (type(other), other)


def test_a_duration_to_the_millisecond() -> None:
    """As the file has it."""
    plan = full()
    slow = replace(plan, machines=tuple(replace(m, takes=timedelta(seconds=90.125)) for m in plan.machines))
    assert again(slow) == slow


@pytest.mark.parametrize(
    "change",
    [
        {"form": FORM + 1},
        {"digest": "another"},
        {"head": {}},
        {"ids": []},
        {"lanes": [["broad-1", "broad", [], [[99]], 1, "", ""]]},
        {"constraints": [["quota", "id", "what", ["", 0]]]},
        {"columns": {"strange": [["x"], []]}},
    ],
)
def test_what_does_not_fit_is_passed_over(change: dict[str, object]) -> None:
    """Another version's, another plan's, or not whole: then the file is read."""
    told = orjson.loads(pack(full(), "digest"))
    assert unpack(orjson.dumps(told), "digest") == full()
    assert unpack(orjson.dumps(told | change), "digest") is None


@pytest.mark.parametrize("key", [field.name for field in fields(PlannedMachine)[1:] if field.name != "takes"])
def test_a_column_that_is_too_short_is_passed_over(key: str) -> None:
    """Nobody gets the values of somebody else."""
    told = orjson.loads(pack(varied(), "digest"))
    values, numbers = told["columns"][key]
    told["columns"][key] = [values, numbers[:-1]] if numbers else [[*values, *values], []]
    assert unpack(orjson.dumps(told), "digest") is None


def test_what_is_no_json_is_passed_over() -> None:
    """Half a document."""
    assert unpack(pack(full(), "digest")[:-9], "digest") is None
