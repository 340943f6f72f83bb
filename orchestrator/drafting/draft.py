"""A first policy for a selection of machines: commented, with a rule for each group that looks as if it needs one.

It says what was found and why each rule is proposed, so that its author strikes and mends instead of beginning with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.drafting import text
from orchestrator.drafting.found import QUORUM, Found, Kind, Looks, Tag, canary
from orchestrator.policy import words
from orchestrator.policy.model import EVERYTHING, Selector

SHOWN: Final = 12
"""Groups of a kind that are listed."""

EVERY_MACHINE: Final = Selector(names=("*",))
"""What a campaign writes that means all: it never selects everything by saying nothing."""

SMALL: Final = 8
"""Up to so many machines are counted, not taken by a share: a quarter of seven is one anyway."""


def draft(name: str, select: Selector, found: Found, source: str) -> str:
    """The text of the policy. `source` is where the inventory is of, for the first comment."""
    return text.text(_lines(name, select, found, source))


def _lines(name: str, select: Selector, found: Found, source: str) -> Iterator[str]:
    off = f", of which {_machines(found.off)} {'is' if found.off == 1 else 'are'} off" if found.off else ""
    told = words.selector(select)
    whom = "all machines" if told == "all" else told
    yield from text.comment(
        f"A first draft for {whom}: {_machines(found.machines)}{off}, as {source} tells. Strike what doesn't matter, mend what does, "
        "and write a test beside it for what must never be loosened (wavekeeper policy test)."
    )
    yield "#"
    yield "# What was found:"
    yield from _told(found)
    yield "version: 1"
    yield f"name: {text.scalar(name)}"
    yield f"select: {text.selector(EVERY_MACHINE if select == EVERYTHING else select)}"
    yield ""
    yield from text.comment(
        "What these machines can spare, whoever changes them. Azure's own rules hold besides: paired regions, zones, update domains, and a "
        "fifth of each set."
    )
    yield from _rules(found)
    yield ""
    yield from _health()
    yield ""
    yield from text.comment(
        "This makes it a campaign. Take it out, with all that follows, where somebody else's campaign patches these machines."
    )
    yield "change:"
    yield "  patches: {classifications: [critical, security], reboot: if_required}"
    yield ""
    yield from _stages(found)
    yield ""
    yield from _windows()


# What was found -------------------------------------------------------------------------------------------------


def _told(found: Found) -> Iterator[str]:
    for kind in (found.regions, found.zones, found.availability_sets, found.scale_sets, found.pools):
        if kind.sizes:
            yield from _listed(f"{kind.name}s" if len(kind.sizes) > 1 else kind.name, kind)
    for tag in found.tags:
        like = f", looks like a {tag.looks}" if tag.looks else ""
        yield from _listed(f"tag {tag.name}{like}", tag)


def _listed(what: str, kind: Kind) -> Iterator[str]:
    groups = [f"{group} ({size})" for group, size in kind.sizes[:SHOWN]]
    if len(kind.sizes) > SHOWN:
        groups.append(f"{len(kind.sizes) - SHOWN} more")
    if kind.without:
        groups.append(f"in none ({kind.without})")
    first, *more = text.comment(f"{what}: {', '.join(groups)}", "  ")
    yield "# - " + first.removeprefix("  # ")
    yield from ("#   " + line.removeprefix("  # ") for line in more)


def _machines(count: int) -> str:
    return f"{count:,} machine{'s' if count != 1 else ''}"


# Rules ----------------------------------------------------------------------------------------------------------


def _rules(found: Found) -> Iterator[str]:
    rules = list(_proposed(found))
    yield "rules:"
    if not rules:
        yield from text.comment(
            "No tag divides these machines into groups that are known by name: they are taken as one.", "  "
        )
        limit = "1" if found.machines <= SMALL else "10%"
        yield f"  - {{max_unavailable: {limit}}}"
    for why, rule in rules:
        yield from text.comment(why, "  ")
        yield f"  - {rule}"
    yield from _order(found)


def _proposed(found: Found) -> Iterator[tuple[str, str]]:
    """Reasons and rules."""
    for tag in found.looking_like(Looks.CLUSTER):
        yield from _of_cluster(tag)
    for tag in found.looking_like(Looks.TIER):
        yield from _of_tier(tag)
    if found.pools.sizes:
        yield _of_pools(found.pools)


def _of_pools(pools: Kind) -> tuple[str, str]:
    why = (
        "Of each back-end pool of a load balancer at most a quarter is out at once. All its machines count, also those "
        f"that this policy doesn't select: {_example(pools)}."
    )
    return why, "{max_unavailable: 25%, per: load_balancer}"


def _of_cluster(tag: Tag) -> Iterator[tuple[str, str]]:
    per = _per(tag)
    small = tag.sizes[0][1] in QUORUM
    if small:
        voters = [value for value, size in tag.sizes if size in QUORUM]
        yield (
            f"One machine of each group of the tag {tag.name} at a time.",
            f"{{max_unavailable: 1, per: {per}}}",
        )
    else:
        voters = list(tag.voting)
        why = f"Each group of the tag {tag.name} gives up {_share(tag)} of its machines at a time."
        yield why, f"{{max_unavailable: {_limit(tag)}, per: {per}}}"
    if not voters:
        return
    whole = len(voters) == len(tag.sizes) and not tag.without  # an empty value is a group to the planner, too
    of = "" if whole else f"of: {{tags: {{{text.scalar(tag.name)}: {text.listed(voters)}}}}}, "
    why = (
        f"Groups of {_sizes(tag, voters)} machines may vote among themselves. If they do, a majority must serve, machines that are off counted "
        "as missing. Strike it if they don't."
    )
    if small and len(voters) < len(tag.sizes):
        why += " A majority of two is two, so pairs and single machines are left out of it."
    yield why, f"{{min_available: majority, {of}per: {per}}}"


def _of_tier(tag: Tag) -> Iterator[tuple[str, str]]:
    per = _per(tag)
    why = f"In each {tag.name} at most a quarter is out at once. Percentages round down, and are at least one: {_example(tag)}."
    yield why, f"{{max_unavailable: 25%, per: {per}}}"
    voting = tag.voting
    if voting:
        those = ", ".join(f"{value} ({size})" for value, size in tag.sizes if value in voting)
        why = (
            f"By name and size these may vote among themselves: {those}. If they do, a majority must serve; if each is several clusters, "
            "write the tag that tells them apart in `per`."
        )
        of = f"{{tags: {{{text.scalar(tag.name)}: {text.listed(voting)}}}}}"
        yield why, f"{{min_available: majority, of: {of}, per: {per}}}"


def _order(found: Found) -> Iterator[str]:
    """A proposal, struck out: nobody can see from outside what must come first."""
    for tag in found.looking_like(Looks.TIER)[:1]:
        first = [value for value, _ in tag.sizes if value in tag.voting]
        then = [value for value, _ in tag.sizes if value not in tag.voting]
        if first and then:
            key = text.scalar(tag.name)
            yield from text.comment("If those must be done before the others begin:", "  ")
            yield f"  # - {{order: [{{tags: {{{key}: {text.listed(first)}}}}}, {{tags: {{{key}: {text.listed(then)}}}}}], per: region}}"


def _per(tag: Tag) -> str:
    return text.scalar(f"tag:{tag.name}")


def _sizes(tag: Tag, groups: Sequence[str]) -> str:
    sizes = sorted({size for group, size in tag.sizes if group in groups})
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def _limit(tag: Tag) -> str:
    return "1" if max(size for _, size in tag.sizes) <= SMALL else "10%"


def _share(tag: Tag) -> str:
    return "one" if _limit(tag) == "1" else "a tenth"


def _example(tag: Kind) -> str:
    value, size = tag.sizes[0]
    return f"of {value}'s {size}, {max(1, size // 4)}"


# The rest -------------------------------------------------------------------------------------------------------


def _health() -> Sequence[str]:
    return (
        "health:",
        "  min_healthy_time: 5m       # how long a machine must stay well before its wave counts as done",
        "  healthy_deadline: 30m      # how long it may take to become well",
        "  # The guest agent is asked, and the Application Health extension where it is. What knows best is the application:",
        "  # probes:",
        '  #   - http: {url: "http://{private_ip}:8080/healthz"}',
    )


def _stages(found: Found) -> Iterator[str]:
    for tag in found.looking_like(Looks.RING):
        first = canary(tag)
        if first is not None:
            yield from text.comment(
                f"The machines with {tag.name}={first} first, watched for four hours; a tenth for a day and a night; then the others."
            )
            yield "stages:"
            yield f"  - {{name: canary, select: {{tags: {{{text.scalar(tag.name)}: {text.scalar(first)}}}}}, bake: 4h}}"
            yield "  - {name: pilot, up_to: 10%, bake: 24h}"
            yield "  - {name: broad}"
            return
    yield from text.comment(
        "One of each region first, at most five, watched for four hours; a tenth for a day and a night; then the others."
    )
    yield "stages:"
    yield "  - {name: canary, count: 5, per_region: 1, bake: 4h}"
    yield "  - {name: pilot, up_to: 10%, bake: 24h}"
    yield "  - {name: broad}"


def _windows() -> Sequence[str]:
    return (
        "# When machines may be changed; without, at any time. Freezes win over windows.",
        "# windows:",
        '#   - {start: [fri, sat], at: "22:00", for: 8h, time_zone: {machine: true, else: Europe/Amsterdam}}',
        "# freezes:",
        "#   - {from: 2026-12-18, to: 2027-01-04, reason: year end}",
    )
