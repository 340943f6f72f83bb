"""What an issuer says of somebody: whether it holds now and for us, who it is, and which grants it makes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orchestrator.access.model import Grant, Person
from orchestrator.access.settings import Issuer, Rule
from orchestrator.errors import Unrecognised

Claims = Mapping[str, Any]

_LONGEST_NAME: Final = 200
_RESERVED: Final = frozenset({"schedule"})  # what the journal calls the daemon itself
_SPLIT: Final = frozenset({"scp", "scope"})  # claims whose text is a list, by blanks


def refuse_unless_valid(claims: Claims, issuer: Issuer, audiences: Iterable[str], now: datetime) -> datetime:
    """When they end, in UTC. Raises `Unrecognised` if they are another issuer's, for somebody else, or not of now."""
    if claims.get("iss") != issuer.url:
        raise Unrecognised(
            f"the token is of another issuer, {_shown(claims.get('iss'))}; tokens of {issuer.url} count here"
        )
    for_whom = claims.get("aud")
    meant = for_whom if isinstance(for_whom, list) else [for_whom]
    wanted = sorted(audiences)
    if not any(isinstance(one, str) and one in wanted for one in meant):
        raise Unrecognised(
            f"the token is for {_shown(for_whom)}, and not for this daemon; ask for one whose audience is {' or '.join(wanted)}"
        )
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise Unrecognised("the token doesn't say whom it is about: it has no `sub`")
    ends = _instant(claims, "exp")
    if ends is None:
        raise Unrecognised("the token never expires: it has no `exp`, and such a one doesn't count")
    if now >= ends + issuer.skew:
        raise Unrecognised(f"the token expired at {_at(ends)}, {_span(now - ends)} ago; sign in again")
    for claim in ("nbf", "iat"):
        begins = _instant(claims, claim)
        if begins is not None and now + issuer.skew < begins:
            raise Unrecognised(
                f"the token is of {_at(begins)}, {_span(begins - now)} from now; one of the two clocks, the issuer's or this machine's, is wrong"
            )
    return ends


def person_of(claims: Claims, issuer: Issuer, rules: Iterable[Rule], until: datetime) -> Person:
    """Whom valid claims are about, with the grants that the rules make of them.

    Raises `Unrecognised` where no rule fits only because the issuer left out what the rules read: so does Entra ID past 200 groups.
    """
    rules = tuple(rules)
    grants = grants_of(claims, rules)
    elsewhere = claims.get("_claim_names")
    if not grants and (isinstance(elsewhere, dict) or claims.get("hasgroups")):
        read = {name for rule in rules for name, _ in rule.claims}
        left_out = {"groups"} | set(elsewhere if isinstance(elsewhere, dict) else ())
        if missing := sorted(read & left_out - set(claims)):
            raise Unrecognised(
                f"the issuer left `{missing[0]}` out of the token, since there are too many of them; "
                "use app roles, or have only the groups assigned to the application put in"
            )
    return Person(_name(claims, issuer), grants, f"{issuer.url}|{claims['sub']}", until)


def grants_of(claims: Claims, rules: Iterable[Rule]) -> tuple[Grant, ...]:
    """The grants of the rules that fit, each once."""
    fitting = (
        rule.grant
        for rule in rules
        if rule.claims and all(values_of(claims, name) & set(wanted) for name, wanted in rule.claims)
    )
    return tuple(dict.fromkeys(fitting))


def values_of(claims: Claims, name: str) -> frozenset[str]:
    """The values of a claim; `realm_access.roles` is `roles` within `realm_access`, unless a claim is called so as a whole."""
    value: Any = claims
    for part in (name,) if name in claims else name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset(value.split()) if name in _SPLIT else frozenset({value})
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _name(claims: Claims, issuer: Issuer) -> str:
    """What the journal says. No person gets a name that looks like the daemon's own, a token's, or more than a name."""
    for claim in issuer.names:
        said = claims.get(claim)
        if claim == "email" and claims.get("email_verified") is not True:
            continue  # issuers let people write what they like there
        if isinstance(said, str) and _is_name(said):
            return said
    return str(claims["sub"]) if _is_name(claims["sub"]) else f"subject {claims['sub']!a}"[:_LONGEST_NAME]


def _is_name(said: str) -> bool:
    return (
        0 < len(said) <= _LONGEST_NAME
        and said.isprintable()
        and not any(c.isspace() for c in said)
        and said.casefold() not in _RESERVED
    )


def _instant(claims: Claims, claim: str) -> datetime | None:
    value = claims.get(claim)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError  # noqa: TRY301, TRY004 - one answer for all that is no instant
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unrecognised(f"the token's `{claim}` is no instant") from None


def _shown(value: object) -> str:
    return ascii(value)[:_LONGEST_NAME] if value else "nobody"


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def _span(length: timedelta) -> str:
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    return f"{seconds} s"
