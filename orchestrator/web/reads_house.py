"""What may be read of the daemon itself: who asks, what comes, which commit counts, what was only observed."""

from __future__ import annotations

from orchestrator.access.model import FLEET, MAY, About, Verb
from orchestrator.web.asked import Asked
from orchestrator.web.models import Coming, Me, ObservationTold, Page, PoliciesTold
from orchestrator.web.paging import Paged, page_of


async def me(asked: Asked) -> Me:
    """Whom the request comes from."""
    verbs = {verb for grant in asked.person.grants for verb in MAY[grant.role]}
    return Me(asked.person.name, tuple(sorted(verbs)), asked.desk.now())


async def calendar(asked: Asked) -> Page[Coming]:
    """Campaigns that the person may see, the one that is due next first."""
    return Page(tuple(one for one in asked.desk.calendar() if asked.sees(About(one.campaign))))


async def policies(asked: Asked) -> PoliciesTold:
    """How the branch stands: it is about the fleet as a whole."""
    asked.require(Verb.VIEW, FLEET)
    return asked.desk.policies()


async def observations(asked: Asked) -> Page[ObservationTold]:
    """Of campaigns that the person may see, the latest first."""
    wanted: Paged = asked.query
    told = (one for one in await asked.desk.observations() if asked.sees(About(one.campaign)))
    return page_of(
        told, lambda one: (one.due.isoformat(), one.campaign), wanted, first=("", ""), falling=True
    )
