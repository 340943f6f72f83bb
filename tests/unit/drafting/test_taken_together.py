"""A machine's policies taken together, as files."""

from __future__ import annotations

from orchestrator.drafting.taken_together import taken_together
from orchestrator.policy.effective import effective
from orchestrator.policy.load import load, load_one
from tests.fleet import vm

WEB = vm("web-1", tags={"app": "shop", "tier": "web"})

SHOP = """\
version: 1
name: shop
select: {tags: {app: shop}}
rules:
  - {max_unavailable: 25%, per: "tag:tier"}
  - {min_available: majority, of: {tags: {tier: db}}}
health: {min_healthy_time: 10m, probes: [app_health]}
windows:
  - {start: sat, at: "20:00", for: 12h, time_zone: Europe/Amsterdam}
"""

SITE = """\
version: 1
name: site
select: {regions: westeurope}
replaces: availability-first
rules: [{max_unavailable: 2, per: "tag:app"}]
windows:
  - {start: every_day, at: "22:00", for: 8h, time_zone: UTC}
"""

MONTHLY = """\
version: 1
name: web-1
select: {tags: {tier: web}}
change: {restart: {}}
max_wait: 3h
"""


def written(*texts: str) -> dict[str, str]:
    """What is written of the web server, by file."""
    held = effective(WEB, load([(f"{number}.yaml", text) for number, text in enumerate(texts)]))
    return {one.file: one.text for one in taken_together(WEB, held)}


def test_one_policy_is_written_with_the_place_of_each_value() -> None:
    """Rules that don't concern the machine aren't there, and what nobody wrote is a comment."""
    assert written(SHOP) == {
        "shop.yaml": """\
# What holds for web-1, all its policies taken together, and where each value was written.
# The built-in rules (availability-first) hold besides.
version: 1
name: shop
# selected in 0.yaml:3
select: {tags: {app: shop}}

rules:
  - {max_unavailable: 25%, per: "tag:tier"}  # 0.yaml:5

health:
  min_healthy_time: 10m  # 0.yaml:7
  # healthy_deadline: 30m  # the default
  # interval: 15s  # the default
  # fail_after: 3  # the default
  # when_already_out: leave  # the default
  probes:
    - app_health  # 0.yaml:7

windows:
  - {start: sat, at: "20:00", for: 12h, time_zone: Europe/Amsterdam}  # 0.yaml:9
"""
    }


def test_of_several_policies_each_keeps_what_only_it_can_say() -> None:
    """Whom a campaign changes, for whom the built-in rules don't hold, and windows that must all be open; rules count whom they counted."""
    made = written(SHOP, SITE, MONTHLY)

    assert list(made) == ["web-1-2.yaml", "shop.yaml", "site.yaml", "web-1.yaml"]
    common = made["web-1-2.yaml"]
    assert '  - {max_unavailable: 25%, of: {tags: {app: shop}}, per: "tag:tier"}  # 0.yaml:5\n' in common
    assert "replaces" not in common
    assert "change:" not in common
    assert "windows" not in common
    assert "select: {regions: westeurope}\nreplaces: availability-first  # 1.yaml:4\n" in made["site.yaml"]
    assert '  - {max_unavailable: 2, per: "tag:app"}  # 1.yaml:5\n' in made["site.yaml"]
    assert '  - {start: every_day, at: "22:00", for: 8h, time_zone: UTC}  # 1.yaml:7\n' in made["site.yaml"]
    assert "rules" not in made["shop.yaml"]
    assert "select: {tags: {tier: web}}\n\nchange: {restart: {}}  # 2.yaml:4\n" in made["web-1.yaml"]
    assert "\nmax_wait: 3h  # 2.yaml:5\n" in made["web-1.yaml"]
    assert "\n# deadline: 30d  # the default\n" in made["web-1.yaml"]


def test_what_both_a_rule_and_its_policy_ask_for_is_written_so_that_it_loads() -> None:
    """A key can't be written twice: the second stands under `any`."""
    narrow = SHOP.replace("{max_unavailable: 25%", "{max_unavailable: 25%, of: {tags: {app: s*}}")
    common = written(narrow, MONTHLY)["web-1-2.yaml"]

    assert 'of: {tags: {app: shop}, any: [{tags: {app: "s*"}}]}' in common
    assert load_one("again.yaml", common).name == "web-1-2"


def test_nothing_is_written_of_a_machine_of_which_no_policy_says_anything() -> None:
    """A file without content would be refused by the loader."""
    quorum = "version: 1\nname: q\nrules: [{min_available: majority, of: {tags: {tier: db}}}]\n"

    assert written() == {}
    assert written(quorum) == {}
