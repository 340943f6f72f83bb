"""A machine's policies taken together, written as policy files that load again, with the place of every value beside it.

One file holds what adds up and what the strictest decided. It selects what any of them does, so what it can't say is left in a
file for the policy that says it, under that policy's name and `select`:

    change         selecting more, a campaign would change machines that it never meant
    replaces       with the rules beside it: selecting more, it would loosen the built-in rules for others
    windows        of several policies intersect, and those of one file add up

Every `of` is narrowed to the machines that its policy selected, so that groups stay as large as they are. Values that nobody wrote
stand as comments: written down, they would win over what another policy says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.drafting import sections, text
from orchestrator.inventory.model import Machine
from orchestrator.policy import words
from orchestrator.policy.defaults import FLOOR
from orchestrator.policy.describe import concerns
from orchestrator.policy.effective import Effective
from orchestrator.policy.model import (
    EVERYTHING,
    Campaign,
    OrderRule,
    Origin,
    Policy,
    Probe,
    Rule,
    Selector,
    Window,
)
from orchestrator.policy.select import both, matches

_DEFAULT: Final = "the default"

_ABOUT: Final = ("version:", "name:", "select:")
"""Keys of a file that say nothing that holds."""


@dataclass(frozen=True, slots=True)
class Written:
    """A policy file to be."""

    name: str
    text: str

    @property
    def file(self) -> str:
        """What it is called on disk."""
        return f"{self.name}.yaml"


def taken_together(machine: Machine, held: Effective) -> tuple[Written, ...]:
    """What holds for the machine, as files: what is common first, then what policies must say by themselves.

    None if no policy says anything of it.
    """
    if not held.policies:
        return ()
    if len(held.policies) == 1:
        name = held.policies[0].name
        return _saying(name, _common(machine, held, name, held.policies))
    name = _free(text.name(machine.name, "machine"), {policy.name.lower() for policy in held.policies})
    layers = _layers(held)
    own = layers if len(layers) > 1 else []
    common = _saying(name, _common(machine, held, name, layers))
    return (
        *common,
        *(
            written
            for policy in held.policies
            if policy.campaign or policy.replaces or policy in own
            for written in _saying(policy.name, _own(machine, policy, windows=policy in own))
        ),
    )


def _saying(name: str, lines: Iterable[str]) -> tuple[Written, ...]:
    """The file, if it says anything besides whom it would say it of: the loader refuses one that doesn't."""
    kept = list(lines)
    says = any(line and not line.startswith(("#", " ", *_ABOUT)) for line in kept)
    return (Written(name, text.text(kept)),) if says else ()


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that no policy has."""
    number, free = 2, name
    while free.lower() in taken:
        free, number = f"{name[:60]}-{number}", number + 1
    return free


def _layers(held: Effective) -> list[Policy]:
    """The policies whose windows must be open, each of the same windows once."""
    found: dict[tuple[Window, ...], Policy] = {}
    for policy in held.policies:
        if policy.windows:
            bare = (replace(window, origin=Origin("")) for window in policy.windows)
            found.setdefault(tuple(sorted(set(bare), key=repr)), policy)
    return list(found.values())


# The two kinds of file ------------------------------------------------------------------------------------------


def _common(machine: Machine, held: Effective, name: str, layers: Sequence[Policy]) -> Iterator[str]:
    many = len(held.policies) > 1
    yield from text.comment(
        f"What holds for {_shown(machine.name)}, all its policies taken together, and where each value was written."
    )
    if many:
        yield from text.comment("Other machines that it selects may be under fewer of these policies.")
    if not any(policy.replaces for policy in held.policies):
        yield from text.comment(f"The built-in rules ({FLOOR}) hold besides.")
    yield "version: 1"
    yield f"name: {text.scalar(name)}"
    yield from _select(held.policies)
    if not many:
        yield from _replaces(held.policies[0])
    yield from _listed(
        "rules",
        (
            entry
            for policy in held.policies
            if not (many and policy.replaces)
            for entry in _rules(machine, policy, many=many)
        ),
    )
    yield from _health(machine, held)
    around = ((policy, one) for policy in held.policies for one in policy.around if matches(one.of, machine))
    yield from _listed(
        "around",
        (
            (sections.around(replace(one, of=both(policy.select, one.of) if many else one.of)), one.origin)
            for policy, one in around
        ),
    )
    if len(layers) == 1:
        yield from _windows(layers[0])
    freezes = held.hours.freezes
    yield from _listed("freezes", ((sections.freeze(one), one.origin) for one in freezes))
    yield from _listed("notify", ((sections.notify(one), one.origin) for one in held.notify))
    if not many:
        yield from _campaign(held.policies[0])
    yield from _stop_when(held)


def _own(machine: Machine, policy: Policy, *, windows: bool) -> Iterator[str]:
    yield from text.comment(
        f"Of {_shown(policy.name)} what only it can say; what its machines share with others stands beside it."
    )
    yield "version: 1"
    yield _noted(f"name: {text.scalar(policy.name)}", _of_key(policy, "name"))
    yield from _select([policy])
    if policy.replaces:
        yield from _replaces(policy)
        yield from _listed("rules", _rules(machine, policy, many=False))
    if windows:
        yield from _windows(policy)
    yield from _campaign(policy)


# Sections -------------------------------------------------------------------------------------------------------


def _select(policies: Sequence[Policy]) -> Iterator[str]:
    """Whom any of the policies selects; left out where that is everybody, whom only a campaign must name."""
    selects = tuple(dict.fromkeys(policy.select for policy in policies))
    together = (
        EVERYTHING if EVERYTHING in selects else Selector(any_of=selects) if len(selects) > 1 else selects[0]
    )
    if together == EVERYTHING and not any("select" in dict(policy.origins) for policy in policies):
        return
    places = [str(_of_key(policy, "select")) for policy in policies]
    yield from text.comment(_shown(f"selected in {', '.join(places)}"))
    yield f"select: {text.selector(together)}"


def _replaces(policy: Policy) -> Iterator[str]:
    if policy.replaces:
        yield _noted(f"replaces: {text.listed(policy.replaces)}", _of_key(policy, "replaces"))


def _rules(machine: Machine, policy: Policy, *, many: bool) -> Iterator[tuple[str, Origin]]:
    for rule in policy.rules:
        if concerns(rule, machine):
            yield sections.rule(_narrowed(rule, policy.select) if many else rule), rule.origin


def _narrowed(rule: Rule, select: Selector) -> Rule:
    if isinstance(rule, OrderRule):
        return replace(rule, sequence=tuple(both(select, one) for one in rule.sequence))
    return replace(rule, of=both(select, rule.of))


def _health(machine: Machine, held: Effective) -> Iterator[str]:
    health = held.health
    values = {
        "min_healthy_time": words.duration(health.min_healthy_time),
        "healthy_deadline": words.duration(health.healthy_deadline),
        "interval": words.duration(health.interval),
        "fail_after": str(health.fail_after),
        "when_already_out": "repair" if health.repair else "leave",
    }
    lines = _or_default(values, {key: held.origins.get(f"health.{key}") for key in values}, "  ")
    mine = {(one.origin, one): one for one in held.probes}
    probes = [
        (sections.probe(_within(probe, policy, held)), probe.origin)
        for policy in held.policies
        for probe in policy.probes
        if (probe.origin, probe) in mine
    ]
    groups = [
        (
            sections.group_probe(replace(one, probe=_within(one.probe, policy, held))),
            one.probe.origin,
        )
        for policy in held.policies
        for one in policy.group_probes
        if matches(one.probe.of, machine)
    ]
    lines += [*_listed("probes", probes, "  "), *_listed("group_probes", groups, "  ")]
    yield from _section("health", lines)


def _within(probe: Probe, policy: Policy, held: Effective) -> Probe:
    return replace(probe, of=both(policy.select, probe.of)) if len(held.policies) > 1 else probe


def _stop_when(held: Effective) -> Iterator[str]:
    if not held.campaigns and not any(key.startswith("stop_when.") for key in held.origins):
        return
    values = {"unhealthy": str(held.stop_when.unhealthy), "not_changed": str(held.stop_when.not_changed)}
    origins = {key: held.origins.get(f"stop_when.{key}") for key in values}
    yield from _section("stop_when", _or_default(values, origins, "  "))


def _campaign(policy: Policy) -> Iterator[str]:
    campaign = policy.campaign
    if campaign is None:
        return
    written = dict(policy.origins)
    yield ""
    yield _noted(f"change: {sections.change(campaign.change)}", campaign.origin)
    stages = [(sections.stage(one), one.origin) for one in campaign.stages]
    if "stages" in written:
        yield from _listed("stages", stages)
    else:
        yield from ("", f"# stages:  # {_DEFAULT}", *(f"#   - {said}" for said, _ in stages))
    yield from _listed("sooner", ((text.selector(one.select), one.origin) for one in campaign.sooner))
    yield ""
    if campaign.schedule is not None:
        yield _noted(f"schedule: {sections.schedule(campaign.schedule)}", campaign.schedule.origin)
    yield from _bounds(campaign, written)


def _bounds(campaign: Campaign, written: dict[str, Origin]) -> Iterator[str]:
    values = {"deadline": words.duration(campaign.deadline), "max_wait": words.duration(campaign.max_wait)}
    if campaign.max_in_flight is not None:
        values["max_in_flight"] = str(campaign.max_in_flight)
    yield from _or_default(values, {key: written.get(key) for key in values}, "")


def _windows(policy: Policy) -> Iterator[str]:
    yield from _listed("windows", ((sections.window(one), one.origin) for one in policy.windows))


# Lines ----------------------------------------------------------------------------------------------------------


def _listed(key: str, values: Iterable[tuple[str, Origin]], indent: str = "") -> list[str]:
    """A list, an entry a line; nothing if it is empty."""
    lines = [_noted(f"{indent}  - {value}", origin) for value, origin in values]
    return ["", f"{indent}{key}:", *lines] if lines else []


def _section(key: str, lines: Sequence[str]) -> Iterator[str]:
    """Its lines under a key, which is a comment itself if all of them are."""
    said = [line for line in lines if line]
    written = any(not line.lstrip().startswith("#") for line in said)
    yield from ("", f"{key}:" if written else f"# {key}:")
    yield from (said if written else (f"#   {line.strip().removeprefix('# ')}" for line in said))


def _or_default(values: dict[str, str], origins: dict[str, Origin | None], indent: str) -> list[str]:
    """Keys with one value each; what nobody wrote is a comment."""
    lines = []
    for key, value in values.items():
        origin = origins[key]
        said = f"{indent}{key}: {value}"
        lines.append(f"{indent}# {key}: {value}  # {_DEFAULT}" if origin is None else _noted(said, origin))
    return lines


def _noted(line: str, origin: Origin) -> str:
    return f"{line}  # {_shown(str(origin))}"


def _of_key(policy: Policy, key: str) -> Origin:
    return dict(policy.origins).get(key, Origin(policy.file))


def _shown(name: str) -> str:
    """Fit for a comment, which ends with its line."""
    return "".join(c if c.isprintable() else "?" for c in name)
