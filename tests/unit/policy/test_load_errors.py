"""Policy files that are wrong: one sentence a fault, with line and column, what is wrong, and what to write instead."""

from __future__ import annotations

import pytest

from orchestrator.errors import PolicyError
from orchestrator.policy import codes
from orchestrator.policy.load import load_one

HEAD = "version: 1\nname: shop\n"
CAMPAIGN = HEAD + "select: {os: linux}\nchange: {patches: {}}\n"


def said(text: str) -> list[str]:
    """The problems of a file, as sentences without the file's name."""
    with pytest.raises(PolicyError) as caught:
        load_one("shop.yaml", text)
    return [str(problem).removeprefix("shop.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: a\nrules: [{max_unavailable: 1}]", "1:1: `version` is missing; write it, such as version: 1"),
        ("version: 2\nname: a\nrules: [{max_unavailable: 1}]", "1:10: `2` isn't known here; write 1"),
        ("version: 1\nrules: [{max_unavailable: 1}]", "1:1: `name` is missing; write it, such as name: shop"),
        (HEAD, "1:1: the policy says nothing; add `rules`, or `change` if it is a campaign"),
        (HEAD + "ruls: []", "3:1: unknown key `ruls`; did you mean `rules`?"),
        (HEAD + "wndows: []", "3:1: unknown key `wndows`; did you mean `windows`?"),
        (HEAD + "slots: []", "3:1: unknown key `slots`; the keys here are version, name, select, replaces, rules, health, around, windows, freezes, notify, change, stages, sooner, stop_when, schedule, deadline, max_in_flight, max_wait"),
        (HEAD + "probes: []", "3:1: `probes` doesn't belong here; write it in `health`"),
        (HEAD + "tags: {a: b}", "3:1: `tags` doesn't belong here; write it in a selector, such as `select` or `of`"),
        (HEAD + "rules: {max_unavailable: 1}", "3:8: expected a list, found a mapping; write `- ` before each entry, such as [{max_unavailable: 25%}]"),
        (HEAD + "max_unavailable: 1", "3:1: `max_unavailable` doesn't belong here; write it in an entry of `rules`"),
        (HEAD + "select: web\nrules: [{max_unavailable: 1}]", "3:9: expected keys and values, found `web`; write a mapping, such as {tags: {app: shop}}"),
        (HEAD + "select: {tags: app}\nrules: [{max_unavailable: 1}]", "3:16: expected keys and values, found `app`; write a mapping, such as {app: shop, tier: [web, api]}"),
        (HEAD + "select:\nrules: [{max_unavailable: 1}]", "3:1: `select` has no value; write one, or take the key out"),
        (HEAD + "rules:\n  -\n  - {max_unavailable: 1}", "4:4: an entry without a value; take it out, or write its value"),
        (HEAD + "select: {tags: {ring: }}\nrules: [{max_unavailable: 1}]", '3:17: the tag `ring` has no value; write ring: "*" for machines that have it, or without_tags: [ring] besides `tags` for those without'),
        (HEAD + "select: {tags: {patches: }}\nrules: [{max_unavailable: 1}]", '3:17: the tag `patches` has no value; write patches: "*" for machines that have it, or without_tags: [patches] besides `tags` for those without'),
        (HEAD + "select: {tags: {Ring: canary}, without_tags: [app, ring]}\nrules: [{max_unavailable: 1}]", "3:52: no machine has a value of the tag `ring` and lacks it; take it out of `tags` or of `without_tags`"),
        (HEAD + "select: {names: []}\nrules: [{max_unavailable: 1}]", "3:17: no value; write at least one, or take the key out"),
        (HEAD + "select: {os: Windows}\nrules: [{max_unavailable: 1}]", "3:14: `Windows` isn't known here; did you mean `windows`?"),
        (HEAD + "select: {not: {}}\nrules: [{max_unavailable: 1}]", "3:15: `not: {}` excludes every machine; say which machines not"),
        (HEAD + "select: {any: [{}, {os: linux}]}\nrules: [{max_unavailable: 1}]", "3:16: `{}` in `any` selects every machine; say which machines, or take it out"),
        (HEAD + "replaces: shop\nrules: [{max_unavailable: 1}]", "3:11: `shop` can't be replaced: the rules of other policies always hold; write availability-first, the built-in rules, or take the key out"),
    ],
)  # fmt: skip
def test_the_file_as_a_whole(text: str, sentence: str) -> None:
    """Missing, unknown, misplaced and empty keys."""
    assert said(text) == [sentence]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\nrules: [{max_unavailable: 1}]", codes.MISSING),
        (HEAD + "select:\nrules: [{max_unavailable: 1}]", codes.MISSING),
        (HEAD + "ruls: []", codes.UNKNOWN_KEY),
        (HEAD + "rules: [{max_unavailable: some}]", codes.WRONG_VALUE),
    ],
)
def test_each_kind_of_error_has_its_code(text: str, code: str) -> None:
    """As docs/policy-codes.md says."""
    with pytest.raises(PolicyError) as caught:
        load_one("shop.yaml", text)

    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{max_unavailble: 1}", "3:10: unknown key `max_unavailble`; did you mean `max_unavailable`?"),
        ("{}", "3:9: a rule that is none of max_unavailable, min_available, one_at_a_time, order; write one of them, such as max_unavailable: 25%"),
        ("max_unavailable", "3:9: a rule that is none of max_unavailable, min_available, one_at_a_time, order; write one of them, such as max_unavailable: 25%"),
        ("{max_unavailable: 1, min_available: 2}", "3:30: two rules in one: `min_available`; write two entries of `rules`"),
        ("{max_unavailable: 0}", "3:27: a budget of 0 admits nobody, ever; leave these machines out of every campaign's `select`, or write a freeze"),
        ("{max_unavailable: 1, probes: []}", "3:30: `probes` doesn't belong here; write it in `health`"),
        ("{max_unavailable: 1, cap: yes}", "3:35: `yes` is text in YAML 1.2, not a truth value; write true"),
        ("{max_unavailable: 1, per: zones}", "3:35: `zones` isn't a kind of group; did you mean `zone`?"),
        ("{max_unavailable: 1, per: [zone, zone]}", "3:42: `zone` stands twice in `per`; write it once"),
        ("{max_unavailable: 1, per: [zone, selection]}", "3:35: `selection` is everything, so it divides nothing; take it out of `per`"),
        ("{max_unavailable: 1, of: {tag: {a: b}}}", "3:35: unknown key `tag`; did you mean `tags`?"),
        ("{max_unavailable: 1, of: {not: {}}}", "3:40: `not: {}` excludes every machine; say which machines not"),
        ("{min_available: 20%, singletons: allow}", "3:30: a percentage always lets one machine of a group go, so `singletons` changes nothing; take it out, or write a count or `majority`"),
        ("{max_unavailable: 2, rebootless: {max_unavailable: 2}}", "3:60: 2 where nothing restarts is no more than the 2 that may be out anyway; write more than 2, or take `rebootless` out"),
        ("{min_available: 60%, rebootless: {max_unavailable: 30%}}", "3:60: 30% where nothing restarts is no more than the 40% that may be out anyway; write more than 40%, or take `rebootless` out"),
        ("{max_unavailable: 2, rebootless: {}}", "3:42: `max_unavailable` is missing; write it, such as max_unavailable: 50%"),
        ("{max_unavailable: 2, rebootless: 3}", "3:42: expected keys and values, found `3`; write a mapping, such as {max_unavailable: 50%}"),
        ("{one_at_a_time: zone, rebootless: {max_unavailable: 3}}", "3:31: `rebootless` doesn't belong here; write it in an entry of `rules`"),
        ("{one_at_a_time: zone, within: zone}", "3:39: a zone within a zone is always just one; write the larger group, such as region, or leave it out"),
        ("{one_at_a_time: selection}", "3:25: `selection` is one domain, so it excludes nothing; write a kind of group such as zone"),
        ("{one_at_a_time: region_pair}", "3:25: a region may stand in two pairs, so pairs don't divide the machines; write one_at_a_time: region, within: region_pair"),
        ("{order: [{os: linux}]}", "3:17: an order of fewer than two; write what comes first, then what follows"),
        ("{order: [{os: linux}, {os: windows}, {os: Linux}]}", "3:51: `Linux` isn't known here; did you mean `linux`?"),
        ("{order: [{os: linux}, {os: windows}, {os: linux}]}", "3:46: the order loops: entry 3 is the same as entry 1, and can't come after itself; take one of the two out"),
        ("{order: [{os: linux}, {os: windows}], of: {os: linux}}", "3:47: unknown key `of`; the keys here are order, per"),
    ],
)  # fmt: skip
def test_rules(rule: str, sentence: str) -> None:
    """Each kind of rule, and what can't be one."""
    assert said(f"{HEAD}rules: [{rule}]") == [sentence]


def test_an_order_is_short() -> None:
    """Each two of its entries become a constraint."""
    entries = ", ".join(f"{{names: m{n}}}" for n in range(17))

    assert said(f"{HEAD}rules: [{{order: [{entries}]}}]") == [
        "3:17: an order of more than 16; join or split it"
    ]


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        ("{}", "3:1: `health` says nothing; write what differs from the defaults, or take it out"),
        ("{min_healthy_time: 1:30}", "3:28: `1:30` isn't a duration; write 1h30m for hours and minutes, 1m30s for minutes and seconds"),
        ("{min_healthy_time: 1h}", "3:28: a machine must be well for 1h (min_healthy_time) within 30m (healthy_deadline); write a longer healthy_deadline, or a shorter min_healthy_time"),
        ("{healthy_deadline: 1m}", "3:28: a machine must be well for 5m (min_healthy_time) within 1m (healthy_deadline); write a longer healthy_deadline, or a shorter min_healthy_time"),
        ("{interval: 10m}", "3:20: asked each 10m, a machine may not be asked at all in 5m; write an interval shorter than min_healthy_time"),
        ("{fail_after: 0}", "3:22: `0` isn't a number of at least 1; write a whole number such as 5"),
        ("{probes: [app_heath]}", "3:19: unknown key `app_heath`; did you mean `app_health`?"),
        ("{probes: [{of: {os: linux}}]}", "3:19: a probe is of exactly one kind, and this one of none; write one of app_health, vm_agent, http, tcp an entry"),
        ("{probes: [{app_health: , vm_agent: }]}", "3:19: a probe is of exactly one kind, and this one of app_health and vm_agent; write one of app_health, vm_agent, http, tcp an entry"),
        ("{probes: [{http: {}}]}", '3:26: `url` is missing; write it, such as url: "http://{private_ip}:8080/healthz"'),
        ("{probes: [{http: {url: }}]}", "3:27: `url` has no value; write one, or take the key out"),
        ("{probes: [{http: {url: x/y}}]}", '3:32: `x/y` isn\'t an address that can be asked; write "http://{private_ip}:8080/healthz" or the like'),
        ("{probes: [{http: {url: 'http://{privat_ip}/'}}]}", "3:32: nothing is known as {privat_ip}; did you mean {private_ip}?"),
        ("{probes: [{http: {url: 'http://{rack}/'}}]}", "3:32: nothing is known as {rack}; write one of {private_ip}, {name}, {computer_name} or {tag:NAME}"),
        ("{probes: [{http: {url: 'http://{private_ip/'}}]}", "3:32: a brace that is never closed, or never opened; write {private_ip} or the like"),
        ("{probes: [{http: {url: 'http://x/', expect_status: 20}}]}", "3:60: 20 isn't an HTTP status; write a number such as 200"),
        ("{probes: [{tcp: {}}]}", "3:25: `port` is missing; write it, such as port: 5432"),
        ("{probes: [{tcp: {port: 99999}}]}", "3:32: 99999 isn't a port; write a number from 1 to 65535"),
        ("{probes: [{tcp: {port: 22, host: '{ip}'}}]}", "3:42: nothing is known as {ip}; write one of {private_ip}, {name}, {computer_name} or {tag:NAME}"),
        ("{probes: [{http: {url: 'http://x/'}, port: 80}]}", "3:46: `port` doesn't belong here; write it in `tcp`"),
    ],
)  # fmt: skip
def test_health(health: str, sentence: str) -> None:
    """How it is judged, and how machines are asked."""
    assert said(f"{HEAD}health: {health}") == [sentence]


@pytest.mark.parametrize(
    ("around", "sentence"),
    [
        ("{of: {os: linux}}", "3:10: no step, neither before nor after; write `before` or `after`"),
        ("{before: {webhook: 'https://lb.example/drain'}}", "3:29: `https://lb.example/drain` is an address, and webhooks are names; write a name such as lb-drain, and put the address into the daemon's or the command's configuration"),
        ("{before: {timeout: 5m}}", "3:19: a step is of exactly one kind, and this one of none; write one of webhook, run_command an entry"),
        ("{before: {webhook: x, run_command: {script: x.sh}}}", "3:19: a step is of exactly one kind, and this one of webhook and run_command; write one of webhook, run_command an entry"),
        ("{before: {run_command: {script: x.sh}, timeout: 5m}}", "3:49: a script has a timeout of its own; write it into `run_command`, and take this one out"),
        ("{each: wave, before: {run_command: {script: x.sh}}}", "3:32: a script runs on a machine, and this step is around each wave; write each: machine, or a webhook"),
        ("{before: {run_command: {script: ../x.sh}}}", "3:42: `../x.sh` isn't a file in the policy's folder or below it; write it like scripts/clear-cache.ps1"),
        ("{before: {run_command: {script: x}}}", "3:42: neither the file's name nor `os` says for which family `x` is; write os: windows or os: linux besides"),
        ("{before: {run_command: {script: x.sh, timeout: 2h}}}", "3:57: Azure ends a script after 1h30m; write 1h30m or less"),
        ("{before: {webhook: x, when: always}}", "3:32: unknown key `when`; the keys here are webhook, run_command, timeout"),
        ("{after: {webhook: x, when: never}}", "3:37: `never` isn't known here; write healthy or always"),
    ],
)  # fmt: skip
def test_steps(around: str, sentence: str) -> None:
    """What is done around a machine."""
    assert said(f"{HEAD}around: [{around}]") == [sentence]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD + "change: {patches: {}}", '3:1: a campaign changes only what it selects, and this one doesn\'t say what; write `select`; select: {names: "*"} is every machine'),
        (HEAD + "select: {}\nchange: {patches: {}}", '3:1: a campaign changes only what it selects, and this one doesn\'t say what; write `select`; select: {names: "*"} is every machine'),
        (HEAD + "select: {os: linux}\nchange: {}", "4:9: a campaign makes exactly one kind of change, and this one none; write one of patches, restart, run_command"),
        (HEAD + "select: {os: linux}\nchange: {patches: {}, restart: {}}", "4:9: a campaign makes exactly one kind of change, and this one patches and restart; write one of patches, restart, run_command"),
        (HEAD + "select: {os: linux}\nchange: {restart: {force: true}}", "4:20: unknown key `force`; the keys here are only"),
        (HEAD + "select: {os: linux}\nchange: {patches: {classifications: [crit]}}", "4:38: `crit` isn't known here; write critical, security, update_rollup, feature_pack, service_pack, definition, tools, updates or other"),
        (HEAD + "select: {os: linux}\nchange: {patches: {classifications: []}}", "4:37: neither a classification nor anything included: Azure installs nothing then, and says so as an error; write classifications: [critical, security]"),
        (HEAD + "select: {os: linux}\nchange: {patches: {include_kbs: [5087423], exclude_kbs: [KB5087423]}}", "4:57: KB 5087423 is both included and excluded; take it out of one list"),
        (HEAD + "select: {os: linux}\nchange: {patches: {include_names: [x], exclude_names: [x]}}", "4:55: the mask x is both included and excluded; take it out of one list"),
        (HEAD + "select: {os: linux}\nchange: {patches: {include_packages: [x], exclude_packages: [x]}}", "4:61: the mask x is both included and excluded; take it out of one list"),
        (HEAD + "select: {os: linux}\nchange: {patches: {exclude_packages: [vim=2]}}", "4:39: `vim=2` excludes one version, and Azure would exclude vim in every version; write vim to exclude it altogether"),
        (HEAD + "select: {os: linux}\nchange: {patches: {include_packages: [vim=2=3]}}", '4:39: `vim=2=3` isn\'t a mask of packages; write a name, with `*` and `?` where names differ, such as "kernel*", or name=version'),
        (HEAD + "select: {os: linux}\nchange: {patches: {include_names: [SQL Server]}}", "4:36: `SQL Server` isn't a mask that Azure takes for names of updates; use letters, digits, `*` and `?` only, such as SQL?Server"),
        (HEAD + 'select: {os: linux}\nchange: {patches: {exclude_names: [" "]}}', "4:36: expected text, found ` `; write a value, in quotes if it has special characters"),
        (HEAD + "select: {os: linux}\nchange: {patches: {hotpatch_only: yes}}", "4:35: `yes` is text in YAML 1.2, not a truth value; write true"),
        (HEAD + "select: {os: linux}\nchange: {patches: {hotpatch_only: true, reboot: always}}", "4:49: hotpatch_only installs what never restarts a machine, and reboot: always may restart it; write reboot: never, or take hotpatch_only out"),
        (HEAD + "select: {os: linux}\nchange: {patches: {hotpatch_only: true, reboot: if_required}}", "4:49: hotpatch_only installs what never restarts a machine, and reboot: if_required may restart it; write reboot: never, or take hotpatch_only out"),
        (HEAD + "select: {os: linux}\nchange: {patches: {pinned_by: assesment}}", "4:31: `assesment` isn't known here; did you mean `assessment`?"),
        (HEAD + "select: {os: linux}\nchange: {patches: {reboot: sometimes}}", "4:28: `sometimes` isn't known here; write if_required, never or always"),
        (HEAD + "rules: [{max_unavailable: 1}]\nstages: [{name: all}]", "4:1: `stages` belongs to a campaign, and this policy changes nothing; add `change`, or take it out"),
        (HEAD + "rules: [{max_unavailable: 1}]\ndeadline: 3d", "4:1: `deadline` belongs to a campaign, and this policy changes nothing; add `change`, or take it out"),
        (HEAD + "rules: [{max_unavailable: 1}]\nmax_wait: 3d", "4:1: `max_wait` belongs to a campaign, and this policy changes nothing; add `change`, or take it out"),
        (HEAD + "rules: [{max_unavailable: 1}]\nmax_in_flight: 3", "4:1: `max_in_flight` belongs to a campaign, and this policy changes nothing; add `change`, or take it out"),
        (CAMPAIGN + "deadline: 30", "5:11: `30` isn't a duration; say the unit: 30s, 30m, 30h or 30d"),
        (CAMPAIGN + "max_in_flight: 0", "5:16: `0` isn't a number of at least 1; write a whole number such as 5"),
        (CAMPAIGN + "stop_when: {unhealthy: 0}", "5:24: 0 machines are no share of anything; write at least 1"),
        (CAMPAIGN + "stop_when: {unhealty: 1}", "5:13: unknown key `unhealty`; did you mean `unhealthy`?"),
        (HEAD + "rules: [{max_unavailable: 1}]\nsooner: {os: linux}", "4:1: `sooner` belongs to a campaign, and this policy changes nothing; add `change`, or take it out"),
        (CAMPAIGN + "sooner: []", "5:9: no value; write at least one, or take the key out"),
        (CAMPAIGN + "sooner: {}", "5:9: if all machines go sooner, none does; say which, or take the entry out"),
        (CAMPAIGN + "sooner: [{os: linux}, {os: linux}]", "5:23: this selector stands in `sooner` already; write it once"),
        (CAMPAIGN + "sooner: [internet]", "5:10: expected keys and values, found `internet`; write a mapping, such as {tags: {exposure: internet}}"),
        (CAMPAIGN + "stages: []", "5:9: no stages; write at least {name: broad}, or take the key out"),
        (CAMPAIGN + "stages: [{bake: 4h}]", "5:10: `name` is missing; write it, such as name: canary"),
        (CAMPAIGN + "stages: [{name: a, count: 1}, {name: a}]", "5:38: two stages are named `a`; give each a name of its own"),
        (CAMPAIGN + "stages: [{name: a}, {name: b}]", "5:21: stage `b` gets no machine: `a` before it takes all that are left; put it earlier, or bound the stage before it by `count`, `up_to` or `select`"),
        (CAMPAIGN + "stages: [{name: a, up_to: 100%}, {name: b}]", "5:34: stage `b` gets no machine: `a` before it takes all that are left; put it earlier, or bound the stage before it by `count`, `up_to` or `select`"),
        (CAMPAIGN + "stages: [{name: a, up_to: 10%}, {name: b, up_to: 10%}]", "5:50: `up_to` counts earlier stages in, and 10% of the machines are done by then; write more than 10%"),
        (CAMPAIGN + "stages: [{name: a, up_to: 9}, {name: b, up_to: 5}]", "5:48: `up_to` counts earlier stages in, and 9 of the machines are done by then; write more than 9"),
        (CAMPAIGN + "stages: [{name: a, growing: yes}]", "5:29: expected keys and values, found `yes`; write a mapping, such as {most: 64}"),
        (CAMPAIGN + "stages: [{name: a, growing: {factor: 1}}]", "5:38: steps that are each as large as the one before don't grow; write 2 or more"),
        (CAMPAIGN + "stages: [{name: a, growing: {first: 4, most: 2}}]", "5:46: the first step takes 4, more than 2 (`most`); write 4 or more"),
        (CAMPAIGN + "stages: [{name: a, then: wait}]", "5:26: `wait` isn't known here; write continue or approve"),
    ],
)  # fmt: skip
def test_campaigns(text: str, sentence: str) -> None:
    """What is changed, in which stages, and when to stop."""
    assert said(text) == [sentence]


@pytest.mark.parametrize(
    ("probe", "sentence"),
    [
        (
            "{per: region}",
            "5:7: a probe of a group is of exactly one kind, and this one of none; write one of http, tcp an entry",
        ),
        (
            '{http: {url: "http://{private_ip}/q"}}',
            "5:20: a group's probe knows nothing as {private_ip}: it is asked for all of the group's machines together; write {group}, the group's name, or ask each machine by `probes`",
        ),
        (
            '{http: {url: "ftp://x"}}',
            '5:20: `ftp://x` isn\'t an address that can be asked; write "http://status.shop.example/quorum" or the like',
        ),
        (
            '{http: {url: "http://x/{group"}}',
            "5:20: a brace that is never closed, or never opened; write {group} or the like",
        ),
        (
            "{tcp: {port: 5432}}",
            "5:13: a group has no address of its own, so `tcp` must say whom to ask; write host: db.shop.example or the like",
        ),
        ("{app_health: {}}", "5:8: `app_health` doesn't belong here; write it in an entry of `probes`"),
    ],
)
def test_group_probes(probe: str, sentence: str) -> None:
    """They are asked over the network, and not of a machine."""
    assert said(f"{HEAD}health:\n  group_probes:\n    - {probe}")[:1] == [sentence]


def test_a_file_full_of_faults_tells_each_once() -> None:
    """Faults of every kind at once: text, schema and empty values together."""
    text = """\
version: 1
nmae: shop
name: shop
name: shop
rules:
  - {max_unavailble: 2, per: zon}
  - {one_at_a_time: zone, within: }
health: {probes: [{htp: {url: x}}]}
change:
"""

    assert [sentence.partition(";")[0] for sentence in said(text)] == [
        "2:1: unknown key `nmae`",
        "4:1: `name` is written twice, first in line 3",
        "6:6: unknown key `max_unavailble`",
        "6:30: `zon` isn't a kind of group",
        "7:27: `within` has no value",
        "8:20: unknown key `htp`",
        "9:1: `change` has no value",
    ]
