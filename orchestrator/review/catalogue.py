"""Every code: what it is called, why it matters, what to do. The table of the documentation and `--explain` are made of this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is to say of a code. `example` is what a policy looks like that has it; of errors there are too many."""

    title: str
    why: str
    instead: str
    example: str = ""


CATALOGUE: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        codes.UNREADABLE: Entry(
            "A file that isn't read",
            "Policies are UTF-8 text of at most 262,144 characters. More, or anything else, is a mistake and may be an attack.",
            "Save the file as UTF-8; split it; take what is no policy out of the folder.",
        ),
        codes.NOT_YAML: Entry(
            "A text that isn't YAML",
            "Nothing in the file can be read, so nothing in it would hold.",
            "Mend the line that is named: mostly a quote, a bracket, a tab or the indentation.",
        ),
        codes.NO_POLICY: Entry(
            "YAML that policies don't use",
            "Keys that are written twice, tags, merge keys, several documents in a file and anchors that expand without end are read otherwise by each reader of YAML.",
            "Write plain keys and values, one policy a file.",
        ),
        codes.UNKNOWN_KEY: Entry(
            "A key that isn't known here",
            "A rule that is misspelt and then ignored protects nobody.",
            "Write the key that is proposed, or put it where it belongs.",
        ),
        codes.MISSING: Entry(
            "Something is missing",
            "A key without a value, or a mapping without a key that it must have, could mean anything.",
            "Write the value, or take the key out.",
        ),
        codes.WRONG_VALUE: Entry(
            "A value that isn't understood",
            "Values are never guessed: `1:30` might be minutes or hours, `010` eight or ten.",
            "Write it as the message says.",
        ),
        codes.DOES_NOT_FIT: Entry(
            "Values that don't fit together",
            "Each is right by itself, and together they can't hold.",
            "Change one of the two.",
        ),
        codes.NAME_TAKEN: Entry(
            "A name that is taken",
            "Plans, commands and people speak of policies by their names.",
            "Give each policy a name of its own.",
        ),
        codes.CONTRADICTION: Entry(
            "Policies that contradict each other on a machine",
            "Several policies hold for a machine, and what they say can't hold together.",
            "Change one of the two, or narrow its `select`.",
        ),
        codes.CHANGED_TWICE: Entry(
            "Two campaigns that change the same machines",
            "The machines would be taken down twice, and nobody could say which campaign is answerable.",
            "Narrow one `select`, or leave the other's machines out with `not`.",
        ),
        codes.LOOP: Entry(
            "Orders that loop",
            "No sequence keeps them, so nothing could be planned.",
            "Take one of the orders back, or narrow it.",
        ),
        codes.NEVER_MEET: Entry(
            "Windows of several policies that are never open together",
            "Each policy's windows must be open, so the machines could never be changed.",
            "Let the windows meet, or narrow the `select` of one of the policies.",
        ),
        codes.WINDOW_TOO_SHORT: Entry(
            "Windows that are never open for as long as a change takes",
            "Nothing begins that might not be over when its window closes, so nothing would ever begin.",
            "Write longer windows, or shorter steps and health times.",
            'windows: [{start: sat, at: "02:00", for: 30m, time_zone: UTC}]',
        ),
        codes.FREEZE_IS_OVER: Entry(
            "A freeze that is over",
            "It does nothing any more, and its reader believes that the next one is taken care of.",
            "Take it out, or write next year's days.",
            "freezes: [{from: 2019-12-18, to: 2020-01-04, reason: year end}]",
        ),
        codes.DEADLINE_TOO_SHORT: Entry(
            "A deadline that is shorter than the stages' baking",
            "The rollout would end unfinished even if nothing went wrong.",
            "Write a longer `deadline`, or shorter `bake`s.",
            "deadline: 1d\nstages: [{name: canary, count: 1, bake: 48h}, {name: broad}]",
        ),
        codes.TOO_FEW_OPENINGS: Entry(
            "A deadline within which the windows open too seldom for the stages",
            "A stage that bakes until its window has closed waits for the next opening, and within the deadline there aren't enough.",
            "Write a longer `deadline`, more windows, or fewer stages.",
            'windows: [{start: first sat, at: "02:00", for: 6h, time_zone: UTC}]\ndeadline: 14d',
        ),
        codes.WAIT_BEYOND_DEADLINE: Entry(
            "A `max_wait` that isn't shorter than the `deadline`",
            "The rollout is over before any machine has waited for so long, so nothing is ever left out for having waited.",
            "Write a `max_wait` of hours, or a longer `deadline`.",
            "max_wait: 30d\ndeadline: 14d",
        ),
        codes.SAID_ALREADY: Entry(
            "A rule or window that another makes superfluous",
            "The same is said twice, or a stricter rule of the same machines holds anyway: whoever loosens one of the two will wonder why nothing changes.",
            "Take the looser one out.",
            "rules:\n  - {max_unavailable: 1}\n  - {max_unavailable: 3}",
        ),
        codes.FLOOR_REPEATED: Entry(
            "A rule that the built-in rules keep anyway",
            "It does nothing beside the built-in rules, and a looser figure than theirs loosens nothing.",
            "Take it out; to loosen the built-in rules write `replaces: availability-first`.",
            "rules: [{one_at_a_time: zone, within: region}]",
        ),
        codes.FLOOR_GONE: Entry(
            "The built-in rules are replaced by nothing",
            "For the selected machines no rule of this policy holds in their stead.",
            "Write the rules that shall hold instead.",
            "replaces: availability-first",
        ),
        codes.FLOOR_KEPT: Entry(
            "The built-in rules are replaced by rules that are as strict",
            "Every plan shows a loosening that is none, and rules that are added to the floor later won't hold here.",
            "Take `replaces` out.",
        ),
        codes.ORDER_WITHOUT_END: Entry(
            "An entry of `order` that no machine can reach",
            "A machine stands where the first entry does that selects it, and an earlier entry selects all that this one does.",
            "Put it earlier, or take it out.",
            "rules: [{order: [{tags: {tier: [db, web]}}, {tags: {tier: web}}]}]",
        ),
        codes.CONTRADICTS_SELECT: Entry(
            "A selector that contradicts the policy's own",
            "Selectors inside a policy narrow its `select`; these two have no machine in common, whatever the fleet.",
            "Mend one of the two selectors.",
            "select: {tags: {app: shop}}\nrules: [{max_unavailable: 1, of: {tags: {app: crm}}}]",
        ),
        codes.SAME_ADDRESS: Entry(
            "A probe that asks the same address for every machine",
            "It says nothing of the machine that was just changed: others answer for it.",
            "Write {private_ip}, {name}, {computer_name} or {tag:NAME} into it.",
            'health: {probes: [{http: {url: "http://shop.example/"}}]}',
        ),
        codes.PROBE_OUTLASTS_INTERVAL: Entry(
            "A probe that may take longer than the interval",
            "A machine that hangs is asked again before it has failed the last time, so it is found late.",
            "Write a shorter `timeout`, or a longer `interval`.",
            "health: {interval: 10s, probes: [{tcp: {port: 443, timeout: 30s}}]}",
        ),
        codes.CANARY_UNWATCHED: Entry(
            "A first stage that nobody watches",
            "Without `bake` or an approval the next stage begins at once, and a fault that shows after an hour is everywhere by then.",
            "Write `bake: 4h`, or `then: approve`.",
            "stages: [{name: canary, count: 1}, {name: broad}]",
        ),
        codes.STOPS_LATE: Entry(
            "A rollout that stops late",
            "More than a tenth of the machines may break before it stops by itself; the default is 1%.",
            "Write a smaller share, or a count.",
            "stop_when: {unhealthy: 30%}",
        ),
        codes.NEVER_UNDONE: Entry(
            "A step before that nothing undoes after",
            "A machine that is drained and never put back serves nobody, and nobody notices while there are others.",
            "Write the step `after` that undoes it.",
            "around: [{before: {webhook: lb-drain}}]",
        ),
        codes.NEVER_REBOOTLESS: Entry(
            "`rebootless` in a campaign that restarts every machine",
            "Only what installs patches, with `reboot: if_required` or `never`, can leave machines serving throughout.",
            "Write `reboot: if_required` or `never`, or take `rebootless` out.",
        ),
        codes.SELECTS_NOBODY: Entry(
            "A policy that selects no machine",
            "It protects nobody. Mostly a tag is misspelt, or the machines are gone.",
            "Mend `select`, or take the policy out.",
        ),
        codes.MATCHES_NOBODY: Entry(
            "A selector inside a policy that matches no machine",
            "The rule, probe, step or stage does nothing.",
            "Mend the selector, or take the entry out.",
        ),
        codes.NO_SUCH_GROUP: Entry(
            "A rule over groups that none of its machines is in",
            "A machine without such a group is in no group of the rule, so the rule holds for nobody. Machines of which nobody knows "
            "the back-end pools may be in any: of all that the rule counts one goes at a time.",
            "Write a kind of group that the machines have; for back-end pools, take an inventory that holds network interfaces.",
        ),
        codes.OUTSIDE_THE_RULE: Entry(
            "Machines that a rule leaves out for want of a tag",
            "The rule doesn't hold for them, though the policy selects them.",
            "Tag the machines, or select by another tag.",
        ),
        codes.ROUNDED_UP: Entry(
            "A percentage of a small group that is more than it says",
            "A percentage rounds down but is at least 1: 20% of 3 machines is one, a third of them.",
            "Write a count, or `min_available`, if that is too much for a group so small.",
        ),
        codes.QUORUM: Entry(
            "What looks like a quorum, under `max_unavailable` alone",
            "Machines that are off don't count for `max_unavailable`: of 3 nodes with one switched off, another may be taken, and one is no majority.",
            "Write `min_available: majority`.",
        ),
        codes.ADMITS_NOBODY: Entry(
            "Groups that admit nobody even when all is well",
            "Their machines are left out of every rollout.",
            "Loosen the rule, add machines, or write `singletons` for groups of one.",
        ),
        codes.HOLDS_NOBODY_BACK: Entry(
            "A rule that lets all machines of each of its groups be out at once",
            "It protects nobody on this fleet.",
            "Write a smaller figure, or a percentage.",
        ),
        codes.STAGE_OF_NOBODY: Entry(
            "A stage that no machine reaches",
            "Earlier stages take all that it could have; it still bakes and asks for approval.",
            "Take it out, or make the stages before it smaller.",
        ),
        codes.CANARY_OF_MOST: Entry(
            "A first stage of more than half of the machines",
            "A canary is there so that few machines meet a fault first.",
            "Write `count`, `per_region` or a smaller `up_to`.",
        ),
        codes.NAME_OF_SEVERAL: Entry(
            "A name that several machines or sets have",
            "Names are unique within a resource group only; the selector selects all of them.",
            "Write `resource_groups` besides, or a tag; sets may be named by their id.",
        ),
        codes.NOTHING_TO_ASK: Entry(
            "A probe whose placeholder machines have no value for",
            "It can't be asked, and a rollout in which over a tenth of the probes can't be asked is refused.",
            "Narrow the probe by `of`, tag the machines, or write another placeholder.",
        ),
        codes.NO_EXTENSION: Entry(
            "`app_health` of machines without the extension",
            "It is asked only where the Application Health extension is installed: nowhere here.",
            "Install the extension, or write an `http` or `tcp` probe.",
        ),
        codes.LOGICAL_ZONES: Entry(
            "Zones by number over several subscriptions",
            "Each subscription numbers the zones of a region for itself: zone 1 of one may be zone 3 of the other.",
            "Write one policy a subscription, or leave it to `one_at_a_time: zone`, which goes by physical zones.",
        ),
        codes.LOOSER_ELSEWHERE: Entry(
            "A rule that another policy's rule makes superfluous",
            "A stricter rule of the same machines holds anyway.",
            "Take it out, or agree with the owner of the other policy.",
        ),
        codes.CLASS_OF_OTHERS: Entry(
            "Classes of patches that the machines' system doesn't know",
            "`critical` and `security` are everybody's, `other` is Linux's, the rest is Windows': the machines get nothing of the class.",
            "Take the class out, or write a campaign for each system.",
        ),
        codes.NO_TIME_ZONE: Entry(
            "Machine-local windows of machines that tell no time zone",
            "Azure tells the time zone of Windows machines only, and of none of these: the zone under `else` holds for all.",
            "Write that time zone by its name, so that nobody expects otherwise.",
        ),
        codes.NO_REASON: Entry(
            "A silence without a reason",
            "Whoever reads it next can't tell whether it still holds.",
            "Write why after the bracket: `# wavekeeper: ignore[WK305] two of three suffice here`.",
        ),
        codes.NO_SUCH_CODE: Entry(
            "A silence of a code that doesn't exist",
            "It silences nothing, or not what was meant.",
            "Write a code of this table.",
        ),
        codes.SILENCES_NOTHING: Entry(
            "A silence that silences nothing",
            "What it was written for is gone, or it stands at another line: it would hide the next mistake.",
            "Take it out, or put it at the line of the warning or the line above.",
        ),
        codes.NOT_SILENCED: Entry(
            "A silence of an error",
            "Errors can't be silenced: such a policy isn't kept.",
            "Mend the error.",
        ),
        codes.NOT_A_SILENCE: Entry(
            "A comment for Wavekeeper that isn't understood",
            "It looks like a silence and is none.",
            "Write `# wavekeeper: ignore[WK305] why`.",
        ),
    }
)  # fmt: skip
"""In the order of the codes."""


def is_error(code: str) -> bool:
    """Whether a policy with this isn't kept. What has no code is an error."""
    return code < "WK200"


def needs_fleet(code: str) -> bool:
    """Whether only an inventory shows it."""
    return code in {codes.CONTRADICTION, codes.CHANGED_TWICE, codes.NEVER_MEET} or "WK300" <= code < "WK400"


def severity(problem: Problem) -> str:
    """`error` or `warning`."""
    return "error" if is_error(problem.code) else "warning"
