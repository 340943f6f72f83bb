"""Which of the updates that an assessment found an installation would bring: what Azure picks by the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from types import MappingProxyType
from typing import Final

from orchestrator.hotpatch.model import Installation
from orchestrator.inventory.model import Machine, Os, RebootBehavior, Update

UNSUPPORTED: Final = "UA_ESM_REQUIRED"
"""What Linux' patch extension gives as the version of a package that comes with a subscription to Ubuntu Pro alone: it can't be installed."""


def wanted(machine: Machine, installation: Installation) -> Iterator[Update]:
    """The updates that the installation would bring to the machine, of those that its last assessment found."""
    return selected(machine.os, machine.patches.updates or (), installation)


def selected(os: Os, updates: Iterable[Update], installation: Installation) -> Iterator[Update]:
    """Those of these updates that the installation would bring to a machine of this family.

    Excludes override classifications, includes add to them; of a set that is pinned by name, each is asked for by itself. An update whose classification nobody told may be of any.
    """
    linux = os is Os.LINUX
    by_name = (installation.only_packages if linux else installation.only_kbs) is not None
    for update in updates:
        if _excluded(update, installation, linux=linux) or not _pinned(update, installation, linux=linux):
            continue
        if (
            by_name
            or _included(update, installation, linux=linux)
            or _is_of(update, installation, linux=linux)
        ):
            yield update


def package_version(update: Update) -> str:
    """`openssl=3.0.2-0ubuntu1.21`; empty if no version is known that could be asked for."""
    return f"{update.name}={update.version}" if update.version and update.version != UNSUPPORTED else ""


def _excluded(update: Update, installation: Installation, *, linux: bool) -> bool:
    if linux:  # has no hotpatches
        return installation.never_reboots_only or _fits_package(update, installation.exclude_packages)
    if installation.never_reboots_only and update.reboot is not RebootBehavior.NEVER:
        return True
    named = bool(update.kb) and update.kb in installation.exclude_kbs
    return named or _fits(update.name, installation.exclude_names)


def _included(update: Update, installation: Installation, *, linux: bool) -> bool:
    if linux:
        return _fits_package(update, installation.include_packages)
    named = bool(update.kb) and update.kb in installation.include_kbs
    return named or _fits(update.name, installation.include_names)


def _pinned(update: Update, installation: Installation, *, linux: bool) -> bool:
    """Whether the set, if it was pinned already, holds the update."""
    if linux:
        only = installation.only_packages
        return only is None or package_version(update) in only
    until = installation.published_until
    if until is not None and update.published is not None and update.published > until:
        return False
    return installation.only_kbs is None or update.kb in installation.only_kbs


def _fits_package(update: Update, masks: Iterable[str]) -> bool:
    """As the extension matches: by the name with or without its architecture, and the version where a mask has one."""
    names = {update.name, _ARCHITECTURE.sub("", update.name)}
    for mask in masks:
        name, versioned, version = mask.partition("=")
        fits = any(_mask(name).fullmatch(one) for one in names)
        if fits and (not versioned or not update.version or _mask(version).fullmatch(update.version)):
            return True
    return False


def _fits(name: str, masks: Iterable[str]) -> bool:
    """Whether the name of a Windows update fits a mask. Azure doesn't say that case matters, so it doesn't here."""
    return any(_mask(mask.lower()).fullmatch(name.lower()) for mask in masks)


@cache
def _mask(mask: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in mask))


_ARCHITECTURE: Final = re.compile(r"\.(x86_64|noarch|i686|aarch64)$")


def _is_of(update: Update, installation: Installation, *, linux: bool) -> bool:
    """Whether it is of a classification that is asked for. One that isn't known here may be any of them.

    Linux' extension takes critical and security for one.
    """
    asked = set(installation.classifications)
    if linux and asked & _ONE_ON_LINUX:
        asked |= _ONE_ON_LINUX
    if not asked or not update.classifications:
        return bool(asked)
    return any(_CLASSIFICATIONS.get(_bare(name), "") in {"", *asked} for name in update.classifications)


def _bare(classification: str) -> str:
    return "".join(letter for letter in classification.lower() if letter.isalnum())


_ONE_ON_LINUX: Final = frozenset({"critical", "security"})

_CLASSIFICATIONS: Final = MappingProxyType(
    {
        "critical": "critical",
        "criticalupdates": "critical",
        "security": "security",
        "securityupdates": "security",
        "updaterollup": "update_rollup",
        "updaterollups": "update_rollup",
        "featurepack": "feature_pack",
        "featurepacks": "feature_pack",
        "servicepack": "service_pack",
        "servicepacks": "service_pack",
        "definition": "definition",
        "definitionupdates": "definition",
        "tools": "tools",
        "updates": "updates",
        "other": "other",
        "others": "other",
    }
)
"""What Azure calls classifications, bare of case, spaces and hyphens, by API and by table: `Security`, `Security Updates`."""
