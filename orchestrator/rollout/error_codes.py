"""Which error is which: codes, HRESULTs and texts of Azure, Windows Update and the Linux patch extension, to the names of `meanings`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_CODES: Final[Mapping[str, str]] = {
    "vmguestpatchinternalerror": "internal-error",
    "internalservererror": "internal-error",
    "internalexecutionerror": "internal-error",
    "operationpreempted": "superseded",
    "newer_operation_superseded": "superseded",
    "conflict": "busy",
    "anotheroperationinprogress": "busy",
    "toomanyrequests": "throttled",
    "invalidparameter": "invalid-request",
    "badrequest": "invalid-request",
    "nothingtosend": "invalid-request",
    "kindnotsupported": "invalid-request",
    "operationnotallowed": "not-allowed",
    "authorizationfailed": "no-permission",
    "linkedauthorizationfailed": "no-permission",
    "vmagentstatuscommunicationerror": "agent-lost",
    "vmagentnotready": "agent-lost",
    "shutdownorunresponsive": "machine-off",
    "vmextensionprovisioningerror": "extension-broken",
    "vmextensionhandlernontransienterror": "extension-broken",
    "vmextensionprovisioningtimeout": "extension-broken",
    "timeout": "timed-out",
    "operationtimedout": "timed-out",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "package_manager_failure": "package-manager",
    "operation_failed": "extension-says",
    "package_list_truncated": "extension-says",
    "certificate_update": "extension-says",
    "informational": "extension-says",
    "error": "extension-says",
    "ua_esm_required": "needs-ubuntu-pro",
    "nottaken": "not-taken",
    "agentnotready": "agent-not-ready",
}
"""Codes in lower case."""

_HRESULTS: Final[Mapping[str, str]] = {
    "0x8024402c": "no-network",
    "0x8024401c": "no-network",
    "0x8024402f": "no-network",
    "0x80072ee2": "network-timeout",
    "0x8024001e": "shutting-down",
    "0x8024002e": "update-disabled",
    "0x80070422": "update-disabled",
    "0x80070005": "access-denied",
    "0x80070070": "disk-full",
    "0x80073712": "store-damaged",
    "0x800f081f": "store-damaged",
    "0x80240016": "install-in-progress",
}
"""HRESULTs of their own; others of Windows are `windows-update`."""

_SAYS: Final = (
    (re.compile(r"reserved for internal use", re.IGNORECASE), "extension-reserved"),
    (
        re.compile(
            r"allowExtensionOperations|extension operations are (?:disallowed|not allowed)", re.IGNORECASE
        ),
        "extensions-off",
    ),
    (re.compile(r"has not reported status for VM agent", re.IGNORECASE), "agent-lost"),
    (re.compile(r"run command extension execution is in progress", re.IGNORECASE), "command-running"),
)
"""Texts that say more than their code, which Azure uses for many things."""

_ASKS: Final = (
    (re.compile(r"did not return a response", re.IGNORECASE), "no-answer"),
    (re.compile(r"should be retried|retry later", re.IGNORECASE), "internal-error"),
)
"""Texts that ask for another attempt, whatever the code."""

_HRESULT: Final = re.compile(r"0x8[0-9a-f]{7}\b", re.IGNORECASE)
_NEGATIVE: Final = re.compile(r"-\d{9,10}")


def name_of(code: str, message: str) -> str:
    """The name of what an error means. `unknown` for what isn't known, `no-reason` where nothing is told."""
    code = code.strip()
    plain = code.lower()
    if own := _first(_SAYS, message):
        return own
    # A code that only says "internal error" may come with words that say which.
    if plain in _CODES:
        asked = _first(_ASKS, message) if _CODES[plain] == "internal-error" else ""
        return asked or _CODES[plain]
    if (found := _hresult(code)) or (not code and (found := _hresult(message))):
        return _HRESULTS.get(found, "windows-update")
    if asked := _first(_ASKS, message):
        return asked
    return "unknown" if code else "no-reason"


def _first(texts: Iterable[tuple[re.Pattern[str], str]], message: str) -> str:
    return next((name for text, name in texts if text.search(message)), "")


def _hresult(text: str) -> str:
    """The HRESULT in a text, in lower case; Windows writes it as a negative number, too."""
    if found := _HRESULT.search(text):
        return found[0].lower()
    if found := _NEGATIVE.search(text):
        number = int(found[0]) & 0xFFFFFFFF
        return f"0x{number:08x}" if number >> 28 == 8 else ""
    return ""
