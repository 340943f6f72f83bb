"""Every code is found where it should be, and not where it shouldn't; the documentation names them all."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.inventory.model import AppHealth, Inventory, Os, Power
from orchestrator.policy import codes
from orchestrator.review.catalogue import CATALOGUE, is_error, needs_fleet
from tests.fleet import availability_set, inventory, set_id, vm
from tests.unit.review.reviewing import found, said

ROOT = Path(__file__).parents[3]


def company() -> Inventory:
    """Seven web servers, three databases of which one is off, two subscriptions, a name that is there twice."""
    other = "22222222-aaaa-4aaa-8aaa-000000000002"
    web = {"app": "shop", "tier": "web", "rack": "1"}
    return inventory(
        *(
            vm(f"web-{n}", os=Os.LINUX, tags=web, zone="1", private_ips=(f"10.0.0.{n}",), computer_name="c")
            for n in range(1, 8)
        ),
        *(vm(f"db-{n}", tags={"app": "shop", "tier": "db"}, os=Os.WINDOWS) for n in range(1, 3)),
        vm("db-3", tags={"app": "shop", "tier": "db"}, os=Os.WINDOWS, power=Power.DEALLOCATED),
        vm("lone", tags={"app": "lone"}, availability_set=set_id("as-1"), time_zone="UTC"),
        vm("twin", tags={"app": "twin"}, group="rg-a", zone="1", app_health=AppHealth.HEALTHY),
        vm("twin", tags={"app": "twin"}, group="rg-b", subscription=other, zone="1"),
        availability_sets=(availability_set("as-1", "lone"),),
    )


SHOP = "select: {tags: {app: shop}}\n"
WEB = "select: {tags: {tier: web}}\n"
PATCH = f"{SHOP}change: {{patches: {{}}}}\n"

CASES: dict[str, list[tuple[str, ...]]] = {
    codes.NOT_YAML: [("a: [",)],
    codes.NO_POLICY: [("rules: []\nrules: []",)],
    codes.UNKNOWN_KEY: [("rulez: []",)],
    codes.MISSING: [("rules:",)],
    codes.WRONG_VALUE: [("rules: [{max_unavailable: 010}]",)],
    codes.DOES_NOT_FIT: [("stages: [{name: x}]",)],
    codes.NAME_TAKEN: [("version: 1\nname: x\nrules: [{max_unavailable: 1}]",) * 2, ("version: 1\nname: availability-first\nrules: [{max_unavailable: 1}]",)],
    codes.CONTRADICTION: [(f"{SHOP}stop_when: {{unhealthy: 3}}", f"{SHOP}stop_when: {{unhealthy: 3%}}")],
    codes.CHANGED_TWICE: [(PATCH, PATCH)],
    codes.LOOP: [("rules: [{order: [{tags: {tier: db}}, {tags: {tier: web}}]}]", "rules: [{order: [{names: web-1}, {names: db-1}]}]")],
    codes.NEVER_MEET: [
        (
            f'{SHOP}windows: [{{start: mon, at: "01:00", for: 3h, time_zone: UTC}}]',
            f'{SHOP}windows: [{{start: tue, at: "01:00", for: 3h, time_zone: UTC}}]',
        )
    ],
    codes.WINDOW_TOO_SHORT: [(f'{PATCH}windows: [{{start: mon, at: "01:00", for: 30m, time_zone: UTC}}]',), ('windows: [{start: mon, at: "01:00", for: 10m, time_zone: UTC}]',)],
    codes.FREEZE_IS_OVER: [("freezes: [{from: 2026-05-01, to: 2026-05-30, reason: x}]",)],
    codes.DEADLINE_TOO_SHORT: [(f"{PATCH}deadline: 26h\nmax_wait: 1h",), (f"{PATCH}stages: [{{name: a, count: 1, bake: 40d}}, {{name: b}}]",)],
    codes.TOO_FEW_OPENINGS: [(f'{PATCH}windows: [{{start: first sat, at: "01:00", for: 6h, time_zone: UTC}}]\ndeadline: 14d',)],
    codes.WAIT_BEYOND_DEADLINE: [(f"{PATCH}deadline: 3d\nmax_wait: 3d",)],
    codes.SAID_ALREADY: [
        (f"{SHOP}rules: [{{max_unavailable: 1}}, {{max_unavailable: 1}}]",),
        (f"{SHOP}rules: [{{max_unavailable: 50%}}, {{max_unavailable: 25%}}]",),
        (f"{SHOP}rules: [{{min_available: 2}}, {{min_available: 3}}]",),
        ('windows: [{start: mon, at: "01:00", for: 3h, time_zone: UTC}, {start: mon, at: "01:00", for: 3h, time_zone: UTC}]',),
    ],
    codes.FLOOR_REPEATED: [("rules: [{one_at_a_time: zone, within: region}]",), ("rules: [{max_unavailable: 50%, per: availability_set}]",)],
    codes.FLOOR_GONE: [(f"{SHOP}replaces: availability-first\nhealth: {{fail_after: 2}}",)],
    codes.FLOOR_KEPT: [(f"{SHOP}replaces: availability-first\nrules:\n" + "".join(re.findall(r"^  - .*\n(?:    .*\n)*", (ROOT / "policies/availability-first.yaml").read_text(encoding="utf-8"), re.MULTILINE)),)],
    codes.ORDER_WITHOUT_END: [(f"rules: [{{order: [{{tags: {{tier: {wide}}}}}, {{tags: {{tier: web, app: shop}}}}]}}]",) for wide in ("[db, web]", '"*"')],
    codes.CONTRADICTS_SELECT: [
        (f"{SHOP}rules: [{{max_unavailable: 1, of: {{tags: {{app: crm}}}}}}]",),
        ("select: {os: linux}\nhealth: {probes: [{vm_agent: {}, of: {os: windows}}]}",),
        (f"{SHOP}rules: [{{max_unavailable: 1, of: {{without_tags: [app]}}}}]",),
        ("select: {not: {tags: {tier: db}}}\nrules: [{max_unavailable: 1, of: {tags: {tier: db}}}]",),
    ],
    codes.SAME_ADDRESS: [('health: {probes: [{http: {url: "http://shop.example/"}}]}',), ("health: {probes: [{tcp: {port: 80, host: shop.example}}]}",)],
    codes.PROBE_OUTLASTS_INTERVAL: [("health: {interval: 10s, probes: [{tcp: {port: 443, timeout: 30s}}]}",)],
    codes.CANARY_UNWATCHED: [(f"{PATCH}stages: [{{name: a, count: 1}}, {{name: b}}]",)],
    codes.STOPS_LATE: [(f"{PATCH}stop_when: {{unhealthy: 30%}}",)],
    codes.NEVER_UNDONE: [("around: [{before: {webhook: lb-drain}}]",)],
    codes.SELECTS_NOBODY: [("select: {tags: {app: sohp}}\nrules: [{max_unavailable: 1}]",)],
    codes.MATCHES_NOBODY: [
        (f"{SHOP}rules: [{{max_unavailable: 1, of: {{tags: {{tier: cache}}}}}}]",),
        (f"{SHOP}rules: [{{order: [{{tags: {{tier: db}}}}, {{tags: {{tier: cache}}}}]}}]",),
        (f"{SHOP}health: {{probes: [{{vm_agent: {{}}, of: {{names: x-*}}}}]}}",),
        (f"{PATCH}stages: [{{name: a, select: {{tags: {{ring: x}}}}, bake: 1h}}, {{name: b}}]",),
    ],
    codes.NO_SUCH_GROUP: [(f"{SHOP}rules: [{{max_unavailable: 1, per: scale_set}}]",), (f"{SHOP}rules: [{{one_at_a_time: fault_domain}}]",)],
    codes.OUTSIDE_THE_RULE: [(f'{SHOP}rules: [{{max_unavailable: 1, per: "tag:rack"}}]',)],
    codes.ROUNDED_UP: [(f'{SHOP}rules: [{{max_unavailable: 20%, per: "tag:tier"}}]',), (f'{SHOP}rules: [{{min_available: 80%, per: "tag:tier"}}]',)],
    codes.QUORUM: [("select: {tags: {tier: db}}\nrules: [{max_unavailable: 1}]",), ("select: {names: db-*}\nrules: [{max_unavailable: 1}]",)],
    codes.ADMITS_NOBODY: [("select: {tags: {tier: db}}\nrules: [{min_available: 2}]",), ("select: {tags: {app: lone}}\nrules: [{min_available: majority}]",)],
    codes.HOLDS_NOBODY_BACK: [(f"{WEB}rules: [{{max_unavailable: 7}}]",)],
    codes.STAGE_OF_NOBODY: [(f"{PATCH}stages: [{{name: a, count: 5, bake: 1h}}, {{name: b, up_to: 10%}}, {{name: c}}]",)],
    codes.CANARY_OF_MOST: [(f"{PATCH}stages: [{{name: a, up_to: 90%, bake: 1h}}, {{name: b}}]",)],
    codes.NAME_OF_SEVERAL: [("select: {names: twin}\nrules: [{max_unavailable: 1}]",)],
    codes.NOTHING_TO_ASK: [
        (f'{SHOP}health: {{probes: [{{http: {{url: "http://{{tag:host}}/"}}}}]}}',),
        (f'{SHOP}health: {{probes: [{{http: {{url: "http://{{private_ip}}/"}}}}]}}',),
    ],
    codes.NEVER_REBOOTLESS: [(f"{WEB}change: {{patches: {{reboot: always}}}}\nrules: [{{max_unavailable: 1, rebootless: {{max_unavailable: 2}}}}]",)],
    codes.NO_EXTENSION: [(f"{SHOP}health: {{probes: [app_health]}}",)],
    codes.LOGICAL_ZONES: [("select: {zones: [1]}\nrules: [{max_unavailable: 1}]",)],
    codes.LOOSER_ELSEWHERE: [(f"{WEB}rules: [{{max_unavailable: 1}}]", "select: {names: web-*}\nrules: [{max_unavailable: 3}]")],
    codes.CLASS_OF_OTHERS: [
        (f"{WEB}change: {{patches: {{classifications: [security, update_rollup]}}}}",),
        (f"{WEB}change: {{patches: {{classifications: [security, update_rollup], include_kbs: [5087423]}}}}",),
    ],
    codes.NO_TIME_ZONE: [(f'{SHOP}windows: [{{start: mon, at: "01:00", for: 3h, time_zone: {{machine: true, else: UTC}}}}]',)],
    codes.NO_REASON: [("freezes:\n  # wavekeeper: ignore[WK202]\n  - {from: 2026-05-01, to: 2026-05-30, reason: x}",)],
    codes.NO_SUCH_CODE: [("rules: [{max_unavailable: 1}]  # wavekeeper: ignore[WK999] why",)],
    codes.SILENCES_NOTHING: [("rules: [{max_unavailable: 1}]  # wavekeeper: ignore[WK202] why",)],
    codes.NOT_SILENCED: [("rules: [{max_unavailable: lots}]  # wavekeeper: ignore[WK103] why",)],
    codes.NOT_A_SILENCE: [("rules: [{max_unavailable: 1}]  # wavekeeper: ignroe WK202",)],
}  # fmt: skip
"""Policies that have what the code says; those of WK3.. on `company()`."""

ELSEWHERE = {codes.UNREADABLE}
"""Bytes are `test_document`'s to try."""


def ids() -> list[tuple[str, tuple[str, ...]]]:
    """Each case by itself."""
    return [(code, texts) for code, cases in CASES.items() for texts in cases]


@pytest.mark.parametrize(("code", "texts"), ids())
def test_a_policy_that_has_it_is_told(code: str, texts: tuple[str, ...]) -> None:
    """Each code, once for each way to it; those that take an inventory aren't told without one."""
    told = {one.rpartition(" ")[2] for one in found(*texts, fleet=company())}

    assert code in told
    if needs_fleet(code):
        assert code not in {one.rpartition(" ")[2] for one in found(*texts)}


def test_pools_that_nobody_read_are_said_to_be_unknown() -> None:
    """Which isn't that there are none: one machine goes at a time."""
    rule = f"{SHOP}rules: [{{max_unavailable: 25%, per: load_balancer}}]"
    fleet = company()
    told = [replace(machine, backend_pools=()) for machine in fleet.machines]
    (unknown,) = [one for one in said(rule, fleet=fleet) if one.startswith(codes.NO_SUCH_GROUP)]
    (nowhere,) = [one for one in said(rule, fleet=replace(fleet, machines=tuple(told))) if "WK303" in one]

    assert "isn't known: one goes at a time; take the inventory from Azure itself" in unknown
    assert "has a back-end pool; write a kind of group that they have" in nowhere


GOOD = (
    f"""{SHOP}
rules:
  - {{max_unavailable: 2, of: {{tags: {{tier: web}}}}}}
  - {{min_available: majority, of: {{tags: {{tier: db}}}}, singletons: allow}}
  - {{order: [{{tags: {{tier: db}}}}, {{tags: {{tier: web}}}}]}}
health:
  probes:
    - vm_agent
    - {{http: {{url: "http://{{private_ip}}/"}}, of: {{tags: {{tier: web}}}}}}
around:
  - {{of: {{tags: {{tier: web}}}}, before: {{webhook: lb-drain}}, after: {{webhook: lb-undrain}}}}
freezes: [{{from: 2026-12-18, to: 2027-01-04, reason: year end}}]
""",
    f"""{PATCH}
stages: [{{name: canary, count: 1, bake: 4h}}, {{name: pilot, up_to: 50%, then: approve}}, {{name: broad}}]
windows: [{{start: [fri, sat], at: "22:00", for: 8h, time_zone: UTC}}]
stop_when: {{unhealthy: 1%}}
""",
)


def test_good_policies_are_let_be() -> None:
    """Nothing is found in what an experienced author would write; of three databases one is off, so a majority admits nobody."""
    assert found(*GOOD) == []
    assert found(*GOOD, fleet=company()) == ["0.yaml:7:5: WK307"]
    fleet = company()
    running = [replace(machine, power=Power.RUNNING) for machine in fleet.machines]
    assert found(*GOOD, fleet=replace(fleet, machines=tuple(running))) == []


def test_every_code_has_a_case_and_an_entry() -> None:
    """Nothing is named that is never found, and nothing is found that can't be looked up."""
    named = {value for name, value in vars(codes).items() if name.isupper()}

    assert named == set(CATALOGUE)
    assert named == set(CASES) | ELSEWHERE
    assert list(CATALOGUE) == sorted(CATALOGUE)


def test_every_entry_says_all() -> None:
    """What it is, why it matters, what to do: sentences, as they are printed."""
    for code, entry in CATALOGUE.items():
        assert entry.title
        assert entry.title[-1] != ".", code
        assert entry.why.endswith("."), code
        assert entry.instead.endswith("."), code


def documented() -> str:
    """The table as it must stand in the documentation."""
    rows = ["| code | | what | why it matters | what to do |", "|---|---|---|---|---|"]
    for code, entry in CATALOGUE.items():
        kind = "error" if is_error(code) else "warning"
        cells = (
            code,
            kind + (", with an inventory" if needs_fleet(code) else ""),
            entry.title,
            entry.why,
            entry.instead,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)  # fmt: skip


def test_the_documentation_has_them_all() -> None:
    """docs/policy-codes.md holds the catalogue as a table, word for word."""
    assert documented() in (ROOT / "docs" / "policy-codes.md").read_text(encoding="utf-8")
