"""What the configuration says to whoever operates the daemon, as the daemon takes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.daemon.addresses import read_address
from orchestrator.daemon.operating_schema import MetricsSection, TellSection
from orchestrator.errors import Problem
from orchestrator.policy.document import Document
from orchestrator.rollout.matters import Receiver
from orchestrator.telemetry.endpoint import Address
from orchestrator.web.settings import Settings


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is told of what, and where the page is; empty if nobody says."""

    receivers: tuple[Receiver, ...] = ()
    page: str = ""


def tell_settings(
    document: Document, section: TellSection | None, webhooks: Collection[str]
) -> tuple[Tell, list[Problem]]:
    """Whom to tell, and what is wrong with that: a receiver that `webhooks` doesn't lead to, or one that stands there twice."""
    if section is None:
        return Tell(), []
    problems, seen = [], set()
    for number, one in enumerate(section.to):
        place = ("tell", "to", number, "webhook")
        if one.webhook not in webhooks:
            known = f"one of {', '.join(sorted(webhooks))}" if webhooks else "name a file in `webhooks` first"
            problems.append(
                document.problem(place, f"`webhooks` doesn't say where {one.webhook} goes", known)
            )
        if one.webhook in seen:
            what = f"{one.webhook} is told twice"
            problems.append(document.problem(place, what, "write one entry with all of `on`"))
        seen.add(one.webhook)
    page = (section.page or "").rstrip("/")
    if page and not page.startswith(("https://", "http://")):
        what = f"{page} is no address of a page"
        problems.append(document.problem(("tell", "page"), what, "write it as https://host"))
    receivers = tuple(Receiver(one.webhook, tuple(dict.fromkeys(one.on))) for one in section.to)
    return Tell(receivers, page), problems


def metrics_address(
    document: Document, section: MetricsSection | None, web: Settings | None
) -> tuple[Address | None, list[Problem]]:
    """Where metrics are served, None for nowhere; and what is wrong with that."""
    if section is None:
        return None, []
    host, port, problems = read_address(document, ("metrics", "listen"), section.listen, 9464)
    if web is not None and port and (web.host, web.port) == (host, port):
        what = f"{section.listen} is where `web` listens already"
        problems.append(document.problem(("metrics", "listen"), what, "write another port"))
    return Address(host, port), problems
