"""Scripts that policies name: found beside them, read with them, pinned by their text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Os
from orchestrator.policy.change import Restart, RunCommand, script
from orchestrator.policy.load import load_one
from orchestrator.policy.scripts import changed_since, is_pinned, script_file, with_texts
from tests.unit.policy.test_load_errors import HEAD

CAMPAIGN = (
    HEAD + 'select: {names: "*"}\nchange: {run_command: {script: s/x.sh, parameters: {b: "2", a: "1"}}}\n'
)
AROUND = HEAD + "around: [{before: {run_command: {script: drain.ps1, timeout: 5m}}}]\n"


def read(files: dict[str, str]) -> Callable[[str], str]:
    """A reader of these files."""

    def one(file: str) -> str:
        if file not in files:
            raise ValueError("can't be read: there is none")
        return files[file]

    return one


def test_a_script_is_named_from_its_policys_folder_on() -> None:
    """Wherever the command is given."""
    assert script_file("policies/shop/a.yaml", "s/x.sh") == "policies/shop/s/x.sh"
    assert script_file("a.yaml", "x.sh") == "x.sh"


def test_a_campaign_and_a_step_have_their_scripts_with_text_and_digest() -> None:
    """The family is that of the file's name; parameters are sorted."""
    campaign, around = load_one("p/a.yaml", CAMPAIGN), load_one("p/b.yaml", AROUND)
    files = {"p/s/x.sh": "uptime\n", "p/drain.ps1": "Stop-Service w3svc\n"}
    one, other = with_texts([campaign, around], read(files))
    assert one.campaign is not None
    change = one.campaign.change
    assert change == RunCommand(script("p/s/x.sh", "uptime\n"), Os.LINUX, parameters=(("a", "1"), ("b", "2")))
    command = other.around[0].before[0].command
    assert command is not None
    assert (command.script.text, command.os, other.around[0].before[0].name) == (
        "Stop-Service w3svc\n",
        Os.WINDOWS,
        "p/drain.ps1",
    )
    assert is_pinned(command.script)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "a.yaml:4:1: the script p/s/x.sh can't be read: there is none; name a text file"),
        ({"p/s/x.sh": " \n"}, "the script p/s/x.sh is empty"),
        ({"p/s/x.sh": "x" * 70_000}, "the script p/s/x.sh has over 64 KiB"),
        ({"p/s/x.sh": "a\0b"}, "the script p/s/x.sh is no text"),
    ],
)
def test_a_script_that_cannot_be_run_is_an_error_of_its_policy(files: dict[str, str], told: str) -> None:
    """With the line that names it."""
    with pytest.raises(PolicyError) as wrong:
        with_texts([load_one("p/a.yaml", CAMPAIGN)], read(files))
    assert told in str(wrong.value)


def test_policies_without_scripts_are_left_as_they_are() -> None:
    """And nothing is read for them."""
    policy = load_one("p/a.yaml", HEAD + 'select: {names: "*"}\nchange: {restart: {only: pending}}\n')
    assert policy.campaign is not None
    assert policy.campaign.change == Restart(only_pending=True)
    assert with_texts([policy], read({})) == (policy,)


def test_a_file_that_was_edited_since_is_told() -> None:
    """One that isn't there says nothing: the reviewed text is the plan's own."""
    reviewed = script("p/x.sh", "uptime\n"), script("p/y.sh", "date\n")
    assert changed_since(reviewed, read({"p/x.sh": "uptime\n"})) == ()
    assert changed_since(reviewed, read({"p/x.sh": "reboot\n"})) == ("p/x.sh",)


def test_a_digest_pins_the_text() -> None:
    """Another text under the same digest isn't what was reviewed."""
    one = script("x.sh", "uptime\n")
    assert is_pinned(one)
    assert not is_pinned(type(one)(one.file, "reboot\n", one.sha256))
