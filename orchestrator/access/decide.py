"""May this person do that? The one decision, for every request.

    a role that has the verb   x   a reach that covers what it is about   ->   allowed; anything else is denied

- A grant for campaigns covers what concerns such a campaign, whichever machines are in it.
- A grant for tags covers machines. What changes something must be about covered machines alone, by one grant or several; a rollout
  is seen by whoever may see one of its machines, since its halt is theirs too, and paused by whoever operates one: to pause is safe, and
  who sees their machine hurt at night must not have to find somebody with a wider role. To go on again concerns all of them.
- A grant for both covers such machines in such campaigns.
- To start a plan is covered by no grant for campaigns: its name is its author's word, and its machines are what counts.
- What concerns the fleet as a whole is covered by a grant for everything alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

from orchestrator.access.model import MAY, About, Allowed, Denied, Grant, Person, Reach, Role, Tags, Verb

_ONE_IS_ENOUGH: Final = frozenset({Verb.VIEW, Verb.PAUSE})
"""What takes a single machine of those that it concerns."""


def decide(person: Person, verb: Verb, about: About) -> Allowed | Denied:
    """Whether it may be done, and if not, why, in a sentence for that person."""
    good_for_it = [grant for grant in person.grants if verb in MAY[grant.role]]
    if _covered(good_for_it, verb, about):
        return Allowed()
    return Denied(_why(person, verb, about, good_for_it))


def may(person: Person, verb: Verb, about: About) -> bool:
    """The same as a truth value, for lists that show what may be seen."""
    return isinstance(decide(person, verb, about), Allowed)


def _covered(grants: Iterable[Grant], verb: Verb, about: About) -> bool:
    by_tag: list[Reach] = []
    for grant in grants:
        reach = grant.reach
        if reach.campaigns and (verb is Verb.START or not _is_among(reach.campaigns, about.campaign)):
            continue
        if not reach.tags:
            return True
        by_tag.append(reach)
    if not by_tag or not about.machines:
        return False
    each = (any(_has(reach, tags) for reach in by_tag) for tags in about.machines)
    return any(each) if verb in _ONE_IS_ENOUGH else all(each)


def _is_among(globs: tuple[str, ...], campaign: str) -> bool:
    return bool(campaign) and _fits(globs, campaign)


def _has(reach: Reach, tags: Tags) -> bool:
    """Whether a machine with these tags is within."""
    for name, values in reach.tags:
        value = next((v for n, v in tags.items() if n.casefold() == name.casefold()), None)
        if value is None or not _fits(values, value):
            return False
    return True


def _fits(globs: tuple[str, ...], text: str) -> bool:
    return _pattern(globs).match(text) is not None


@lru_cache(maxsize=1_024)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Any of them. A `[` is itself: in names of campaigns and values of tags it is more often meant so."""
    return re.compile("|".join(translate(glob.replace("[", "[[]")) for glob in globs), re.IGNORECASE)


# Sentences ----------------------------------------------------------------------------------------------------


def _why(person: Person, verb: Verb, about: About, good_for_it: Sequence[Grant]) -> str:
    if not person.grants:
        return f"{person.name} has no role here; an admin can give one in the `access` section of the configuration"
    if not good_for_it:
        had = max((grant.role for grant in person.grants), key=list(Role).index)
        needed = next(role for role in Role if verb in MAY[role])
        return f"`{verb}` takes the role {needed}, and {person.name} is {had}"
    if verb is Verb.START and all(grant.reach.campaigns for grant in good_for_it):
        return f"{person.name} is {good_for_it[0].role} for campaigns, and a plan has whatever name its author gave it; to start one takes the role for its machines' tags, or for everything"
    where = "; ".join(dict.fromkeys(f"{grant.role} for {_of(grant.reach)}" for grant in good_for_it))
    return f"{person.name} is {where}; {_this(about)} is outside of that"


def _of(reach: Reach) -> str:
    said = []
    if reach.tags:
        said.append("machines with " + ", ".join(f"{name}={' or '.join(v)}" for name, v in reach.tags))
    if reach.campaigns:
        said.append(f"campaigns {', '.join(reach.campaigns)}")
    return " in ".join(said)


def _this(about: About) -> str:
    """What it is about. Of machines, no more is said than that some aren't theirs."""
    if about.campaign:
        return f"what concerns campaign {about.campaign}"
    return "what concerns other machines too" if about.machines else "what concerns the whole fleet"
