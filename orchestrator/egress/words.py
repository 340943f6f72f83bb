"""Why a connection came to nothing: in words for people, and without the url, which may hold a secret."""

from __future__ import annotations

import os
import ssl

import aiohttp


def words_of(error: BaseException) -> str:
    """What name resolution, TLS or the system said; nothing where it was none of these."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"{error.host} has no address"
        case ssl.SSLError():
            cause = error.__cause__ or error  # aiohttp's errors are made from the one that has the words
            words = getattr(cause, "verify_message", "") or getattr(cause, "reason", "")
            return f"TLS: {words or type(cause).__name__}"
        case OSError() if error.errno:
            return os.strerror(error.errno).lower()
        case _:
            return ""
