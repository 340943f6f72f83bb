"""What `policy show` says of a machine."""

from __future__ import annotations

from pathlib import Path

from orchestrator.policy.describe import Setting, describe
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Origin
from tests.fleet import vm

POLICIES = Path(__file__).parents[3] / "policies"
WEB = vm("web-1", tags={"app": "shop", "tier": "web"})

RULES = """\
version: 1
name: shop
select: {tags: {app: shop}}
rules:
  - {max_unavailable: 25%, per: "tag:tier"}
  - {min_available: majority, of: {tags: {tier: db}}}
  - {order: [{tags: {tier: db}}, {tags: {tier: [web, api]}}], per: region}
health:
  min_healthy_time: 10m
  probes:
    - http: {url: "http://{private_ip}/"}
around:
  - before: {webhook: lb-drain}
    after: {webhook: lb-undrain, when: always}
"""

CAMPAIGN = """\
version: 1
name: monthly
select: {tags: {app: shop}}
change: {patches: {exclude_kbs: [5087539]}}
stages:
  - {name: canary, select: {tags: {tier: web}}, count: 2, bake: 4h, then: approve}
  - {name: broad}
stop_when: {unhealthy: 2}
"""


def test_every_value_has_its_file_and_line() -> None:
    """Rules that don't concern the machine aren't there; defaults say that they are."""
    settings = describe(WEB, load([("monthly.yaml", CAMPAIGN), ("shop.yaml", RULES)]))

    assert [f"{s.key}: {s.value} [{s.origin}]" for s in settings] == [
        "policy: monthly [monthly.yaml:2]",
        "policy: shop [shop.yaml:2]",
        "change: install critical, security patches, without KB 5087539, reboot if_required, at most 2h [monthly.yaml:4]",
        "stage: canary: tier=web, at most 2; bake 4h; then a person's approval [monthly.yaml:6]",
        "stage: broad: all that are left [monthly.yaml:7]",
        "stop_when.unhealthy: 2 [monthly.yaml:8]",
        "stop_when.not_changed: 5% [defaults]",
        "deadline: 30d [defaults]",
        "max_in_flight: no limit [defaults]",
        "max_wait: 24h [defaults]",
        "health.min_healthy_time: 10m [shop.yaml:9]",
        "health.healthy_deadline: 30m [defaults]",
        "health.interval: 15s [defaults]",
        "health.fail_after: 3 [defaults]",
        "health.when_already_out: leave [defaults]",
        "probe: http http://{private_ip}/, expecting 200 within 5s [shop.yaml:11]",
        "around: before: lb-drain (10m); after: lb-undrain (10m, when always) [shop.yaml:13]",
        "rule: at most 25% unavailable per tag tier [shop.yaml:5]",
        "rule: tier=db, then tier=api,web per region [shop.yaml:7]",
    ]


def test_the_floor_comes_last_unless_it_is_replaced() -> None:
    """A machine whose policy replaces it isn't under it."""
    floor = load_one("floor.yaml", (POLICIES / "availability-first.yaml").read_text(encoding="utf-8"))
    replacing = load_one(
        "r.yaml", "version: 1\nname: r\nreplaces: availability-first\nselect: {names: web-1}\n"
    )
    origins = [rule.origin for rule in floor.rules]

    kept = [setting.origin for setting in describe(WEB, [], floor) if setting.key == "rule"]
    assert kept == origins
    assert [s for s in describe(WEB, [replacing], floor) if s.key in {"rule", "replaces"}] == [
        Setting("replaces", "availability-first", Origin("r.yaml", 3))
    ]
