"""What the service tells people of itself: which facts that makes, what they make of the state, and what a receiver hears.

As notices of a rollout: kept until the fact that they were told, so that none is lost by a crash, under an id by which receivers tell
a second one of the same; whoever can't be told holds nothing up, and that is a fact once, however long it lasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from orchestrator.errors import Defect
from orchestrator.rollout import events as e
from orchestrator.rollout.matters import Matter, News, Receiver, Tidings, Topic
from orchestrator.rollout.state import Scope

QUIET: Final = frozenset({Topic.MISSED})
"""What isn't told when it is over: nobody waits for it."""


# Which facts ----------------------------------------------------------------------------------------------------


def decide_receivers(scope: Scope, receivers: Sequence[Receiver]) -> tuple[e.Event, ...]:
    """The fact that others are told, or of something else, than until now."""
    wanted = {one.webhook: one.on for one in receivers}
    return () if wanted == scope.tidings.receivers else (e.ReceiversNamed(tuple(receivers)),)


def decide_matters(scope: Scope, found: Mapping[Topic, Iterable[Matter]]) -> tuple[e.Event, ...]:
    """The facts of what came up and of what is over. What is known of a topic that isn't in `found` stays as it is."""
    standing = scope.tidings.standing
    now = {_place(matter.topic, matter.key): matter for matters in found.values() for matter in matters}
    over = tuple(
        e.MatterSettled(matter.topic, matter.key)
        for place, matter in standing.items()
        if matter.topic in found and place not in now
    )
    new = tuple(
        e.MatterRaised(one.topic, one.key, one.text, one.stake, one.options, one.campaign)
        for place, one in now.items()
        if place not in standing
    )
    return over + new


def decide_news_told(
    scope: Scope, webhook: str, news: int, *, ok: bool, evidence: str
) -> tuple[e.Event, ...]:
    """The fact of news that were told, or couldn't be; the latter once, however long it lasts."""
    if news not in scope.tidings.untold.get(webhook, {}):
        return ()
    if not ok and webhook in scope.tidings.mute:
        return ()
    return (e.MatterTold(news, webhook, ok, evidence),)


# What they make of the state --------------------------------------------------------------------------------------


def fold_matter(scope: Scope, event: e.MatterEvent, at: datetime) -> None:
    """One fact, folded."""
    tidings = scope.tidings
    match event:
        case e.ReceiversNamed(receivers):
            _name(scope, {one.webhook: one.on for one in receivers})
        case e.MatterRaised(topic, key, text, stake, options, campaign):
            matter = Matter(Topic(topic), key, text, stake, tuple(options), campaign)
            tidings.standing[_place(topic, key)] = matter
            _note(tidings, matter, at)
        case e.MatterSettled(topic, key):
            settled = tidings.standing.pop(_place(topic, key), None)
            if settled is None:
                raise Defect(f"the matter {topic} {key} can't be settled: it doesn't stand")
            if settled.topic not in QUIET:
                _note(tidings, settled, at, over=True)
        case e.MatterTold(news, webhook, ok, evidence):
            if ok:
                tidings.untold.get(webhook, {}).pop(news, None)
                tidings.mute.pop(webhook, None)
            else:
                tidings.mute[webhook] = evidence


def _name(scope: Scope, receivers: dict[str, tuple[str, ...]]) -> None:
    """What those who aren't receivers any more weren't told is told to nobody."""
    gone = scope.tidings.receivers.keys() - receivers.keys()
    scope.tidings.receivers = receivers
    for webhook in gone:
        scope.tidings.untold.pop(webhook, None)
        scope.tidings.mute.pop(webhook, None)


def _note(tidings: Tidings, matter: Matter, at: datetime, *, over: bool = False) -> None:
    tidings.made += 1
    news = News(tidings.made, at, matter, over)
    for webhook, on in tidings.receivers.items():
        if matter.topic in on:
            tidings.untold.setdefault(webhook, {})[news.number] = news


def _place(topic: str, key: str) -> str:
    return f"{topic} {key}"


# What a receiver hears --------------------------------------------------------------------------------------------


def news_key(news: News) -> str:
    """The id by which receivers tell news from the same once more; journals of other fleets have others."""
    said = f"{news.at.isoformat()} {news.matter.topic} {news.matter.key} {news.over}"
    return f"wavekeeper-{news.number}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def body_of_news(news: News, page: str) -> dict[str, Any]:
    """What a receiver is told. `page` is where people see the service; empty if nowhere."""
    matter = news.matter
    body: dict[str, Any] = {
        "id": news_key(news),
        "occasion": matter.topic.value,
        "at": news.at.isoformat().replace("+00:00", "Z"),
        "over": news.over,
        "text": f"over: {matter.text}" if news.over else matter.text,
        "at_stake": "" if news.over else matter.stake,
        "you_may": [] if news.over else list(matter.options),
    }
    if matter.campaign:
        body["campaign"] = matter.campaign
    if page:
        body["link"] = page
    return body
