"""What will keep people out though the configuration is right: tokens that end, an issuer that can't be asked. For whoever sets it up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.access.issuer import OpenIdIssuer
from orchestrator.access.settings import Access
from orchestrator.errors import IssuerError

SOON: Final = timedelta(days=14)


def endings(access: Access, now: datetime) -> tuple[str, ...]:
    """Of each token that has expired, or will within two weeks, a sentence."""
    told = []
    for one in sorted(access.tokens, key=lambda one: (one.expires, one.name)):
        again = f"wavekeeper token new {one.name}"
        if one.expires <= now:
            told.append(
                f"the token {one.name} expired on {one.expires:%Y-%m-%d}; take it out, or make another: {again}"
            )
        elif one.expires - now <= SOON:
            told.append(
                f"the token {one.name} expires on {one.expires:%Y-%m-%d}; make another in time: {again}"
            )
    return tuple(told)


async def doubts(access: Access, now: datetime) -> tuple[str, ...]:
    """The same, and why the issuer couldn't be asked just now, if it couldn't."""
    told = endings(access, now)
    if access.issuer is None:
        return told
    issuer = OpenIdIssuer(access.issuer.url)
    try:
        await issuer.try_out(signs_in=bool(access.url))
    except IssuerError as error:
        return (*told, f"{error}; nobody whom it knows gets in until this is mended")
    finally:
        await issuer.close()
    return told
