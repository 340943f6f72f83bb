"""`wavekeeper policy`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.inventory import native
from tests.fleet import inventory, vm, vm_id
from tests.unit.cli.conftest import SHOP, Typed

ROOT = Path(__file__).parents[3]
FLOOR = ROOT / "policies" / "availability-first.yaml"

WRONG = """\
version: 1
name: wrong
selct: {tags: {app: x}}
rules:
  - {max_unavailable: lots}
"""

CIRCLE = """\
version: 1
name: circle
rules:
  - {order: [{tags: {tier: db}}, {tags: {tier: web}}]}
  - {order: [{tags: {tier: web}}, {tags: {tier: db}}]}
"""

NONE = """\
version: 1
name: none
select: {tags: {app: sohp}}
rules:
  - {max_unavailable: 1}
"""

NOWHERE = """\
version: 1
name: nowhere
select: {tags: {app: shop}}
rules:
  - {max_unavailable: 1, of: {tags: {tier: cache}}}
  - {max_unavailable: 1, per: "tag:rack"}
  - {one_at_a_time: scale_set, within: region}
  - {order: [{tags: {tier: db}}, {tags: {tier: batch}}]}
  - {min_available: 12}
health:
  probes:
    - tcp: {port: 1433}
      of: {tags: {tier: sql}}
"""


def test_good_policies_are_counted(wavekeeper: Typed, policies: str) -> None:
    """Without an inventory: which files, what is in them, who changes something."""
    ran = wavekeeper("policy", "check", policies)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "2 policies are valid",
        "  file                policy   changes  rules  probes  steps",
        "  rules/monthly.yaml  monthly  patches      0       0      0",
        "  rules/shop.yaml     shop     -            2       0      0",
    ]


def test_with_an_inventory_it_says_whom_they_select(wavekeeper: Typed, policies: str, fleet: str) -> None:
    """Each policy's machines, of how many."""
    ran = wavekeeper("policy", "check", policies, "-i", fleet)
    assert "selects (of 12)" in ran.out
    told = wavekeeper("policy", "check", policies, "-i", fleet, "--json").json()
    assert [(p["name"], p["selects"]) for p in told["policies"]] == [("monthly", 12), ("shop", 12)]


def test_what_is_wrong_is_told_at_once_and_in_its_place(
    wavekeeper: Typed, policies: str, tmp_path: Path
) -> None:
    """Every mistake of every file, as file:line:column with what to write instead; exit code 2."""
    (tmp_path / policies / "wrong.yaml").write_text(WRONG)
    (tmp_path / "late.yaml").write_text(SHOP)
    ran = wavekeeper("policy", "check", policies, "late.yaml")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out.splitlines() == [
        "rules/shop.yaml:2:7: error WK106: the name `shop` is taken: late.yaml:2 has it too; give each policy a name of its own",
        "    2 | name: shop",
        "      |       ^",
        "",
        "rules/wrong.yaml:3:1: error WK101: unknown key `selct`; did you mean `select`?",
        "    3 | selct: {tags: {app: x}}",
        "      | ^",
        "rules/wrong.yaml:5:23: error WK103: `lots` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%",
        "    5 |   - {max_unavailable: lots}",
        "      |                       ^",
        "",
        "3 errors; what one means: wavekeeper policy check --explain WK106",
    ]


def test_the_folder_policies_is_where_it_looks(wavekeeper: Typed, tmp_path: Path) -> None:
    """Whoever names nothing means the folder that is there, or is told that it isn't."""
    assert wavekeeper("policy", "check").err == "wavekeeper: there is no policy file or folder policies\n"
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "wrong.yaml").write_text(WRONG)
    assert wavekeeper("policy", "check").code == 2


def test_folders_in_a_folder_are_read(wavekeeper: Typed, tmp_path: Path) -> None:
    """A rule that is passed over in silence keeps nothing: folders below count; hidden ones don't."""
    (tmp_path / "policies" / "shop").mkdir(parents=True)
    (tmp_path / "policies" / ".git").mkdir()
    (tmp_path / "policies" / "shop" / "shop.yaml").write_text(SHOP)
    (tmp_path / "policies" / ".git" / "other.yaml").write_text("no policy at all")
    ran = wavekeeper("policy", "check")
    assert ran.code == 0
    assert "policies/shop/shop.yaml" in ran.out


def test_contradictions_on_this_fleet_are_errors(wavekeeper: Typed, tmp_path: Path, fleet: str) -> None:
    """Orders that loop and campaigns that change a machine twice: rules that can't hold together, both told."""
    campaign = "version: 1\nname: {}\nselect: {{names: '*'}}\nchange: {{patches: {{}}}}\n"
    (tmp_path / "circle.yaml").write_text(CIRCLE)
    (tmp_path / "one.yaml").write_text(campaign.format("one"))
    (tmp_path / "two.yaml").write_text(campaign.format("two"))
    ran = wavekeeper("policy", "check", "circle.yaml", "one.yaml", "two.yaml", "-i", fleet)
    assert (ran.code, ran.err) == (2, "")
    assert "circle.yaml:4:5: error WK112: this order and others loop" in ran.out
    assert "two.yaml:4:1: error WK111: campaign two changes what one (one.yaml:4) changes too" in ran.out


def test_rules_that_match_nothing_are_told(wavekeeper: Typed, tmp_path: Path, fleet: str) -> None:
    """A rule that protects nobody is more often a misspelt tag than meant; so is a group that admits nobody."""
    (tmp_path / "nowhere.yaml").write_text(NOWHERE)
    (tmp_path / "none.yaml").write_text(NONE)
    told = wavekeeper("policy", "check", "nowhere.yaml", "none.yaml", "-i", fleet, "--json").json()
    assert [(found["file"], found["line"], found["code"]) for found in told["findings"]] == [
        ("none.yaml", 3, "WK301"),
        ("nowhere.yaml", 5, "WK302"),
        ("nowhere.yaml", 6, "WK303"),
        ("nowhere.yaml", 7, "WK303"),
        ("nowhere.yaml", 8, "WK302"),
        ("nowhere.yaml", 9, "WK307"),
        ("nowhere.yaml", 13, "WK302"),
    ]
    assert told["warnings"] == 7
    ran = wavekeeper("policy", "check", "nowhere.yaml", "-i", fleet)
    assert ran.code == 0
    assert "nowhere.yaml:6:5: warning WK303: none of the 12 machines of" in ran.out
    assert "6 warnings; what one means" in ran.out


def test_strict_fails_on_warnings_and_silences_count(wavekeeper: Typed, tmp_path: Path, fleet: str) -> None:
    """Warnings are advice: they fail a check only where somebody wants that, and not once they are silenced with a reason."""
    (tmp_path / "none.yaml").write_text(NONE)
    assert wavekeeper("policy", "check", "none.yaml", "-i", fleet).code == 0
    assert wavekeeper("policy", "check", "none.yaml", "-i", fleet, "--strict").code == 2
    silenced = NONE.replace("select:", "# wavekeeper: ignore[WK301] they come in spring\nselect:")
    (tmp_path / "none.yaml").write_text(silenced)
    ran = wavekeeper("policy", "check", "none.yaml", "-i", fleet, "--strict")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "1 silenced")
    told = wavekeeper("policy", "check", "none.yaml", "-i", fleet, "--json").json()
    assert [(one["code"], one["reason"]) for one in told["silenced"]] == [("WK301", "they come in spring")]


def test_github_is_told_in_its_own_words(wavekeeper: Typed, tmp_path: Path) -> None:
    """Annotations: what parts their properties is escaped, and so is whatever would end a line."""
    (tmp_path / "a,b:c%.yaml").write_text(WRONG)
    ran = wavekeeper("policy", "check", "a,b:c%.yaml", "--github")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out.splitlines() == [
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=1,title=WK101 A key that isn't known here::unknown key `selct`; did you mean `select`?",
        "::error file=a%2Cb%3Ac%25.yaml,line=5,col=23,title=WK103 A value that isn't understood::`lots` is neither a number of machines nor a percentage; write a count such as 3, or a percentage such as 25%25",
    ]


def test_a_code_is_explained(wavekeeper: Typed) -> None:
    """What it is, why it matters, what to do; and how a warning is silenced."""
    told = wavekeeper("policy", "check", "--explain", "wk305").out
    assert told.startswith(
        "WK305  A percentage of a small group that is more than it says\na warning, found with"
    )
    assert "# wavekeeper: ignore[WK305] why" in told
    assert "can't be silenced" in wavekeeper("policy", "check", "--explain", "WK101").out
    ran = wavekeeper("policy", "check", "--explain", "WK350")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: there is no code WK350; did you mean WK3")


def test_bytes_that_are_no_text_are_told_with_all_the_rest(wavekeeper: Typed, tmp_path: Path) -> None:
    """One file that can't be read hides nothing of the others."""
    (tmp_path / "bad.yaml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "wrong.yaml").write_text(WRONG)
    ran = wavekeeper("policy", "check", "bad.yaml", "wrong.yaml", "--json")
    assert [found["code"] for found in ran.json()["findings"]] == ["WK001", "WK101", "WK103"]


def test_a_copy_of_the_floor_is_the_floor(wavekeeper: Typed, tmp_path: Path, fleet: str) -> None:
    """The built-in rules hold anyway: a copy of their file adds nothing and is told once."""
    shutil.copy(FLOOR, tmp_path)
    assert "built-in rules" in wavekeeper("policy", "check", FLOOR.name).out
    alone = wavekeeper("policy", "show", "web-1", "-i", fleet).out
    assert alone == wavekeeper("policy", "show", "web-1", "-i", fleet, "-p", FLOOR.name).out


def test_something_else_under_the_floor_s_name_is_an_error(wavekeeper: Typed, tmp_path: Path) -> None:
    """Whoever edits the built-in rules must not believe that it took effect; no inventory is needed to say so."""
    text = FLOOR.read_text(encoding="utf-8").replace("20%", "50%")
    (tmp_path / FLOOR.name).write_text(text)
    ran = wavekeeper("policy", "check", FLOOR.name)
    assert ran.code == 2
    assert "is the name of the built-in rules, and this file says something else" in ran.out


def test_show_says_what_holds_and_where_it_is_written(wavekeeper: Typed, policies: str, fleet: str) -> None:
    """Each value with its file and line; what no file says comes from the defaults, the floor from its own file."""
    ran = wavekeeper("policy", "show", "DB-1", "-i", fleet, "-p", policies)
    rows = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert rows[0] == "db-1 westeurope rg-shop windows"
    assert "policy monthly rules/monthly.yaml:2" in rows
    assert "shop rules/shop.yaml:2" in rows
    assert "health.min_healthy_time 5m defaults" in rows
    assert any(row.endswith("tier=db, then tier=web rules/shop.yaml:6") for row in rows)
    assert any(
        "at most 20% unavailable per availability set availability-first.yaml:20" in row for row in rows
    )
    assert "at most 1 unavailable" not in ran.out


def test_show_tells_programs_the_same(wavekeeper: Typed, policies: str, fleet: str) -> None:
    """Key, value, file and line of each."""
    told = wavekeeper("policy", "show", vm_id("web-1").upper(), "-i", fleet, "-p", policies, "--json").json()
    assert (told["machine"], told["name"]) == (vm_id("web-1"), "web-1")
    rules = [s for s in told["settings"] if s["file"] == "rules/shop.yaml" and s["key"] == "rule"]
    assert [rule["line"] for rule in rules] == [5, 6]


def test_show_without_a_campaign_says_that_nothing_changes(wavekeeper: Typed, fleet: str) -> None:
    """A machine that no campaign selects is never touched, and that is said."""
    assert wavekeeper("policy", "show", "web-1", "-i", fleet).out.endswith("\nno campaign changes it\n")


def test_a_hold_is_shown_before_what_holds(wavekeeper: Typed, tmp_path: Path) -> None:
    """Whoever asks why a machine isn't changed is told first that its own tag says so."""
    held = inventory(vm("web-1", tags={"wavekeeper-hold": "2098-12-01 audit"}), vm("web-2"))
    (tmp_path / "held.json").write_bytes(native.dump(held))
    fleet = str(tmp_path / "held.json")
    told = wavekeeper("policy", "show", "web-1", "-i", fleet).out
    assert "nothing changes it now: it is on hold until 2098-12-01: audit (tag wavekeeper-hold)" in told
    assert (
        wavekeeper("policy", "show", "web-1", "-i", fleet, "--json")
        .json()["held"]
        .startswith("it is on hold")
    )
    assert "on hold" not in wavekeeper("policy", "show", "web-2", "-i", fleet).out


def test_show_writes_it_as_files_that_load_again(
    wavekeeper: Typed, policies: str, fleet: str, tmp_path: Path
) -> None:
    """What is shown of the machine is the same afterwards, only in other places."""
    printed = wavekeeper("policy", "show", "db-1", "-i", fleet, "-p", policies, "--yaml")
    ran = wavekeeper("policy", "show", "db-1", "-i", fleet, "-p", policies, "--yaml", "-o", "kept/db-1")
    assert (printed.code, ran.code, ran.out) == (0, 0, "")
    assert printed.err == "these are 2 policies, and a file holds one; -o FOLDER keeps each in its own\n"
    assert ran.err == "kept in kept/db-1: db-1.yaml, monthly.yaml. Next: wavekeeper policy check kept/db-1\n"
    texts = [(tmp_path / "kept/db-1" / f"{name}.yaml").read_text() for name in ("db-1", "monthly")]
    assert printed.out == "---\n".join(texts)

    def shown(folder: str) -> list[tuple[str, str]]:
        told = wavekeeper("policy", "show", "db-1", "-i", fleet, "-p", folder, "--json").json()
        return sorted((s["key"], s["value"]) for s in told["settings"] if s["key"] not in {"policy", "rule"})

    assert shown("kept/db-1") == shown(policies)
    again = wavekeeper("policy", "show", "db-1", "-i", fleet, "-p", policies, "--yaml", "-o", "kept/db-1")
    assert again.code == 1
    assert "kept/db-1/db-1.yaml is there already and is left as it is" in again.err


def test_show_of_a_machine_under_no_policy_writes_nothing(wavekeeper: Typed, fleet: str) -> None:
    """And says so; wrong use is told, too."""
    ran = wavekeeper("policy", "show", "web-1", "-i", fleet, "--yaml")
    assert (ran.code, ran.out) == (0, "")
    assert (
        ran.err == "no policy says anything of it: the built-in rules hold, and there is nothing to write\n"
    )
    assert "say both" in wavekeeper("policy", "show", "web-1", "-i", fleet, "-o", "x").err
    assert "say one" in wavekeeper("policy", "show", "web-1", "-i", fleet, "--yaml", "--json").err


def test_an_unknown_machine_is_asked_back(wavekeeper: Typed, fleet: str) -> None:
    """The nearest names, so that a slip of the finger is mended at once."""
    ran = wavekeeper("policy", "show", "web1", "-i", fleet)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("wavekeeper: the inventory holds no machine web1; did you mean web-")


def test_a_name_of_two_machines_takes_an_id(wavekeeper: Typed, tmp_path: Path) -> None:
    """Two machines of a name are told by their ids, and an id names one."""
    other = "22222222-aaaa-4aaa-8aaa-000000000002"
    (tmp_path / "twins.json").write_bytes(native.dump(inventory(vm("dc"), vm("dc", subscription=other))))
    ran = wavekeeper("policy", "show", "dc", "-i", "twins.json")
    assert ran.code == 1
    assert ran.err.startswith("wavekeeper: 2 machines are called dc; name one by its id:\n  /subscriptions/1")
    assert wavekeeper("policy", "show", vm_id("dc", subscription=other), "-i", "twins.json").code == 0


@pytest.mark.parametrize("folder", ["shop", "domain-controllers"])
def test_the_worked_examples_are_valid(wavekeeper: Typed, folder: str) -> None:
    """What people copy must be right."""
    assert wavekeeper("policy", "check", ROOT / "policies" / "examples" / folder).code == 0


def test_policy_alone_shows_its_commands(wavekeeper: Typed) -> None:
    """The group by itself is no command."""
    ran = wavekeeper("policy")
    assert ran.code == 1
    assert "check" in ran.out
    assert "show" in ran.out
