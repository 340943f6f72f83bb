"""What `deploy/` and the hooks hand to others: it is well formed, calls commands that exist, and does what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from orchestrator.cli.main import COMMANDS, load
from orchestrator.cli.policy.command import load_verb
from orchestrator.errors import Problem
from orchestrator.inventory import native
from orchestrator.policy.model import Origin
from orchestrator.rehearsal.model import Failure
from tests.deploy.forge import GH, Forge, forging
from tests.rehearsing import CAMPAIGN, FLEET
from tests.unit.cli.conftest import company

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "deploy" / "github" / "action.yml"
TEMPLATE = ROOT / "deploy" / "azure-pipelines" / "policies.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
README = ROOT / "deploy" / "README.md"
CALL = re.compile(r"(?:^|[|(&;]\s*)wavekeeper ([^|>&\n]+)", re.MULTILINE)


def parsed(path: Path) -> Any:
    """A YAML file."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def steps(value: Any) -> Iterator[dict[str, Any]]:
    """Every step of a pipeline, also of those under a condition."""
    if isinstance(value, list):
        for one in value:
            yield from steps(one)
    elif isinstance(value, dict):
        if any(key in value for key in ("run", "bash", "task", "uses")):
            yield value
        for key, inner in value.items():
            if key.startswith("${{") or key in {"steps", "runs"}:
                yield from steps(inner)


def scripts() -> dict[str, str]:
    """Every shell script that is handed out, by file and step."""
    found = {}
    for path in (ACTION, TEMPLATE):
        for step in steps(parsed(path)):
            script = step.get("run") or step.get("bash") or step.get("inputs", {}).get("inlineScript")
            if script:
                found[f"{path.parent.name}: {step.get('name') or step.get('displayName')}"] = script
    return found


def calls() -> list[str]:
    """Every call of the command line that is handed out or shown."""
    texts = [*scripts().values(), README.read_text(encoding="utf-8").replace("$ wavekeeper", "wavekeeper")]
    shown = [
        call for text in texts for call in CALL.findall("\n".join(line.strip() for line in text.splitlines()))
    ]
    return [
        *shown,
        *(" ".join([hook["entry"].removeprefix("wavekeeper "), *hook["args"]]) for hook in parsed(HOOKS)),
    ]


@pytest.mark.parametrize("call", sorted(set(calls())))
def test_a_call_names_a_command_with_these_options(call: str) -> None:
    """As this version has them."""
    words = [word for word in shlex.split(call, comments=True) if not word.startswith("{")]
    command, rest = (load_verb(words[1]), words[2:]) if words[0] == "policy" else (load(words[0]), words[1:])
    known = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in rest if re.match(r"--?[a-z]", word) and word not in known] == []


def test_calls_are_found() -> None:
    """Else the test above would show nothing."""
    assert {call.split()[0] for call in calls()} == {"policy", "inventory", "plan", "diff", "rollout"}
    assert {call.split()[0] for call in calls()} <= set(COMMANDS)


@pytest.mark.parametrize("script", scripts())
def test_a_script_is_sound_and_takes_inputs_by_environment_alone(script: str) -> None:
    """An expression inside a script would run what a stranger wrote into a branch's name."""
    text = scripts()[script]
    ran = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "${{" not in text


def test_inputs_are_declared_and_used_and_documented() -> None:
    """In the action as in the template."""
    action, template = ACTION.read_text(encoding="utf-8"), TEMPLATE.read_text(encoding="utf-8")
    inputs, parameters = (
        set(parsed(ACTION)["inputs"]),
        {one["name"] for one in parsed(TEMPLATE)["parameters"]},
    )
    rows = re.findall(r"^\| `([\w-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(re.findall(r"inputs\.([\w-]+)", action)) == inputs
    assert set(re.findall(r"parameters\.(\w+)", template)) == parameters
    assert sorted(rows) == sorted([*inputs, *parameters])


def test_outputs_of_steps_are_of_steps_that_are_there() -> None:
    """A misspelt one would be empty, and a step silently passed over."""
    text = ACTION.read_text(encoding="utf-8")
    known = {
        f"{step['id']}.outputs.{name}"
        for step in steps(parsed(ACTION)["runs"]["steps"])
        if "id" in step
        for name in re.findall(r'echo "(\w+)=.*GITHUB_OUTPUT', step["run"])
    }
    assert set(re.findall(r"steps\.(\w+\.outputs\.\w+)", text)) == known


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (
            str(Problem("policies/shop.yaml", 3, "unknown key `selct`", "did you mean `select`?", 5)),
            ("policies/shop.yaml", "3", "5"),
        ),
        (
            f"      {Failure('x', 'y', (), Origin('a b.test.yaml', 12)).lines()[0]}",
            ("a b.test.yaml", "12", None),
        ),
    ],
)
def test_the_problem_matcher_finds_what_tests_say(said: str, where: tuple[str, str, str | None]) -> None:
    """Mistakes in files of tests, and expectations that don't hold."""
    ((matcher,),) = [
        one["pattern"]
        for one in orjson.loads((ACTION.parent / "problem-matcher.json").read_bytes())["problemMatcher"]
    ]
    found = re.match(matcher["regexp"], said)
    assert found is not None
    assert found.group(matcher["file"], matcher["line"], matcher["column"]) == where


def test_hooks_are_whole() -> None:
    """What pre-commit wants of each."""
    for hook in parsed(HOOKS):
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        assert hook["id"] in README.read_text(encoding="utf-8")


def test_the_examples_of_the_readme_are_yaml() -> None:
    """What stands there can be copied."""
    for block in re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        assert YAML(typ="safe", pure=True).load(block)


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A server to comment on."""
    with forging() as started:
        yield started


# What they do -----------------------------------------------------------------------------------------------------

TESTS = FLEET + "tests: [{name: a, expect: [{at_least_serving: majority, of: {tags: {tier: db}}}]}]\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose last commit tightens a rule, and a command line on the path."""
    held = tmp_path / "repository"
    (held / "policies").mkdir(parents=True)
    (held / "fleet.json").write_bytes(native.dump(company()))
    git(held, "init", "--quiet", "--initial-branch=main")
    (held / "policies" / "a.test.yaml").write_text(TESTS)
    (held / "policies" / "monthly.yaml").write_text(CAMPAIGN)
    commit(held, "before")
    (held / "policies" / "monthly.yaml").write_text(
        CAMPAIGN.replace("max_unavailable: 2", "max_unavailable: 1")
    )
    commit(held, "after")
    tool = tmp_path / "bin" / "wavekeeper"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m orchestrator "$@"\n')
    tool.chmod(0o755)
    return held


def git(where: Path, *words: str) -> str:
    """A git command."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *who, *words], cwd=where, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(where: Path, message: str) -> None:
    """Everything, as it is."""
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "--message", message)


def ran(script: str, where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A step's script, as a runner would start it."""
    path = f"{where.parent / 'bin'}:{os.environ['PATH']}"
    files = {name: str(where.parent / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    folders = {name: str(where.parent) for name in ("RUNNER_TEMP", "AGENT_TEMPDIRECTORY")}
    env = {
        **os.environ,
        "PATH": path,
        **files,
        **folders,
        "GITHUB_ACTION_PATH": str(ACTION.parent),
        "POLICIES": "policies",
        **environment,
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=where,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
def test_the_actions_steps_check_test_and_compare(repository: Path) -> None:
    """One after another, as in a pull request."""
    base = git(repository, "rev-parse", "HEAD~1")
    found = scripts()

    checked = ran(found["github: Check the policies"], repository)
    tested = ran(found["github: Test the policies"], repository)
    compared = ran(found["github: Compare the plans"], repository, BASE=base, INVENTORY="fleet.json")

    comment = (repository.parent / "wavekeeper-comment.md").read_text()
    assert (checked.returncode, tested.returncode, compared.returncode, compared.stderr) == (0, 0, 0, "")
    assert "1 test passed" in tested.stdout
    assert (repository.parent / "wavekeeper-tests.xml").exists()
    assert comment.startswith("<!-- wavekeeper-policies -->\n### Plan `monthly`\n")
    assert "tightened" in comment
    assert (repository.parent / "GITHUB_STEP_SUMMARY").read_text() == comment


@pytest.mark.process
def test_the_templates_step_compares_with_the_target_branch(repository: Path) -> None:
    """Fetched from the origin, as pipelines check out."""
    git(repository, "branch", "--quiet", "target", "HEAD~1")
    git(repository, "remote", "add", "origin", str(repository))

    compared = ran(
        scripts()["azure-pipelines: Compare the plans"],
        repository,
        SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/target",
        INVENTORY="fleet.json",
    )

    assert (compared.returncode, compared.stderr) == (0, "")
    assert "tightened" in (repository.parent / "wavekeeper-comment.md").read_text()


@pytest.mark.process
def test_policies_that_were_invalid_or_not_there_are_compared_with_nothing(repository: Path) -> None:
    """A pull request that mends them, or brings the first, passes."""
    (repository / "policies" / "monthly.yaml").write_text("version: 2\n")
    commit(repository, "broken")
    broken = git(repository, "rev-parse", "HEAD")
    (repository / "policies" / "monthly.yaml").write_text(CAMPAIGN)
    script = scripts()["github: Compare the plans"]

    compared = ran(script, repository, BASE=broken, INVENTORY="fleet.json")

    assert compared.returncode == 0
    assert "A new campaign." in (repository.parent / "wavekeeper-comment.md").read_text()


@pytest.mark.process
def test_what_the_action_checks_is_marked_at_its_line(repository: Path) -> None:
    """By annotations of its own: no matcher marks it a second time."""
    (repository / "policies" / "monthly.yaml").write_text(CAMPAIGN.replace("rules:", "ruls:"))

    checked = ran(scripts()["github: Check the policies"], repository)
    tested = ran(scripts()["github: Test the policies"], repository)

    first = checked.stdout.splitlines()[0]
    assert checked.returncode == 2
    assert first.startswith("::error file=policies/monthly.yaml,line=")
    assert "matcher" not in checked.stdout
    assert "::add-matcher::" in tested.stdout
    assert tested.stdout.rstrip().endswith("::remove-matcher owner=wavekeeper::")


@pytest.mark.process
def test_the_action_writes_one_comment_and_keeps_it_current(repository: Path, forge: Forge) -> None:
    """The first time a new one; then over it, whoever else commented in between."""
    gh = repository.parent / "bin" / "gh"
    gh.write_text(f"#!{sys.executable}\n{GH}")
    gh.chmod(0o755)
    comment = repository.parent / "wavekeeper-comment.md"
    environment = {
        "COMMENT": str(comment), "NUMBER": "7", "GITHUB_REPOSITORY": "a/b", "GH_TOKEN": "secret", "FORGE": forge.url,
    }  # fmt: skip
    script = scripts()["github: Comment on the pull request"]

    for text in ("first", "second"):
        forge.comments.append({"id": 100 + len(forge.comments), "body": "somebody's own"})
        comment.write_text(f"<!-- wavekeeper-policies -->\n{text}\n")
        done = ran(script, repository, **environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    bodies = [one["body"] for one in forge.comments]
    assert bodies == ["somebody's own", "<!-- wavekeeper-policies -->\nsecond\n", "somebody's own"]
    assert [asked for asked in forge.asked if asked[0] != "GET"] == [
        ("POST", "/repos/a/b/issues/7/comments"),
        ("PATCH", "/repos/a/b/issues/comments/101"),
    ]

    forge.refuses = True
    refused = ran(script, repository, **environment)
    assert (refused.returncode, "::notice::no comment was written" in refused.stdout) == (0, True)


@pytest.mark.process
def test_the_template_writes_one_comment_and_keeps_it_current(repository: Path, forge: Forge) -> None:
    """The same, by Azure DevOps' threads."""
    (step,) = [one for one in steps(parsed(TEMPLATE)) if one.get("task") == "PythonScript@0"]
    script = repository.parent / "comment.py"
    script.write_text(step["inputs"]["script"])
    environment = {
        "SYSTEM_COLLECTIONURI": f"{forge.url}/", "SYSTEM_TEAMPROJECTID": "p", "BUILD_REPOSITORY_ID": "r",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "SYSTEM_ACCESSTOKEN": "secret",
    }  # fmt: skip
    call = f"{sys.executable} {script}"

    for text in ("first", "second"):
        (repository.parent / "wavekeeper-comment.md").write_text(f"<!-- wavekeeper-policies -->\n{text}\n")
        done = ran(call, repository, **environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    (thread,) = forge.threads
    assert [one["content"] for one in thread["comments"]] == ["<!-- wavekeeper-policies -->\nsecond\n"]
    assert thread["status"] == "closed"

    forge.refuses = True
    refused = ran(call, repository, **environment)
    assert refused.returncode == 0
    assert "##vso[task.logissue type=warning]no comment was written" in refused.stdout
