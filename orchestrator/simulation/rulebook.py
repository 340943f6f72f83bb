"""Policies to simulate, drawn from a seed: a campaign that uses the language here and there, and rules of the house beside it.

A draw that the planner would refuse is no trial: what is drawn here fits the fleets of `fleets`, whose machines carry the tag `app` (a or b).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

SCRIPT: Final = "cache.ps1"
"""The script of campaigns that run one; whatever it says, emulated machines take it for nothing."""

EVERYBODY: Final = '"*"'

REFERENCE_CAMPAIGN: Final = """version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
health: {min_healthy_time: 1m, healthy_deadline: 20m, probes: [vm_agent, app_health]}
stages: [{name: canary, select: {tags: {ring: canary}}, bake: 10m}, {name: broad}]
"""


def campaign(rng: random.Random, names: str = EVERYBODY, called: str = "monthly") -> str:
    """A campaign over the machines of these names."""
    change = _change(rng.random())
    healthy, bake = rng.choice(["1m", "3m"]), rng.choice(["0s", "10m", "2h"])
    then = rng.choice([*([""] * 5), ", then: approve"])
    broad = rng.choice(
        ["{name: broad}"] * 3
        + ["{name: pilot, up_to: 50%, bake: 5m}, {name: broad}", "{name: broad, growing: true}"]
    )
    lines = [
        "version: 1",
        f"name: {called}",
        f"select: {{names: {names}}}",
        f"change: {{{change}}}",
        f"health: {{min_healthy_time: {healthy}, healthy_deadline: 20m, probes: [vm_agent, app_health]}}",
        f"stages: [{{name: canary, select: {{tags: {{ring: canary}}}}, bake: {bake}{then}}}, {broad}]",
    ]
    lines += rng.choice([[], [], [], ["max_in_flight: 1"], ["max_in_flight: 2"]])
    lines += _hours(rng)
    return "\n".join(lines) + "\n"


def _change(drawn: float) -> str:
    """Mostly patches; a restart and a script now and then."""
    if drawn < 0.85:
        return "patches: {}"
    return "restart: {}" if drawn < 0.95 else f"run_command: {{script: {SCRIPT}, timeout: 10m}}"


def _hours(rng: random.Random) -> list[str]:
    """When machines may be changed: mostly always."""
    if rng.random() < 0.75:
        return []
    zone = rng.choice(["UTC", "Europe/Amsterdam", "America/New_York"])
    at = rng.choice(["00:00", "02:30", "21:00"])
    lines = [f'windows: [{{start: every_day, at: "{at}", for: {rng.choice([8, 11])}h, time_zone: {zone}}}]']
    if rng.random() < 0.3:
        lines.append(f"freezes: [{{from: 2026-11-23, to: 2026-11-24, reason: fair, time_zone: {zone}}}]")
    return lines


def house(rng: random.Random) -> Sequence[str]:
    """More policies: steps around machines, waves and stages; rules; a group that is asked."""
    found = []
    for each in ("machine", "wave", "stage", "rollout"):
        if rng.random() < (0.5 if each == "machine" else 0.2):
            always = rng.choice(["", ", when: always"])
            found.append(
                f"version: 1\nname: around-{each}\nselect: {{names: {EVERYBODY}}}\n"
                f"around: [{{each: {each}, before: {{webhook: begin-{each}, timeout: 2m}}, "
                f"after: {{webhook: end-{each}, timeout: 2m{always}}}}}]\n"
            )
    rules = [rule for rule in _RULES if rng.random() < 0.2]
    if rules:
        found.append(
            f"version: 1\nname: house\nselect: {{names: {EVERYBODY}}}\nrules: [{', '.join(rules)}]\n"
        )
    if rng.random() < 0.25:
        per = rng.choice(["", ', per: "tag:app"'])
        found.append(
            f"version: 1\nname: asked\nselect: {{names: {EVERYBODY}}}\n"
            f'health: {{group_probes: [{{http: {{url: "http://status.example/quorum"}}{per}}}]}}\n'
        )
    return found


_RULES: Final = (
    '{max_unavailable: 1, per: "tag:app"}',
    '{min_available: majority, per: "tag:app"}',
    "{max_unavailable: 3, cap: true}",
    '{one_at_a_time: "tag:app"}',
    "{order: [{tags: {app: a}}, {tags: {app: b}}]}",
)
