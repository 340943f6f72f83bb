"""Why a connection came to nothing, in words."""

from __future__ import annotations

import errno
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from orchestrator.egress.words import words_of

KEY = ConnectionKey("nowhere.example", 443, True, True, None, None, None)


def untrusted() -> ssl.SSLCertVerificationError:
    """As the library raises it."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(None, "no such name")),
            "nowhere.example has no address",
        ),
        (untrusted(), "TLS: self-signed certificate"),
        (ssl.SSLError(), "TLS: SSLError"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "https://token@host/"), "connection refused"),
        (ValueError("https://token@host/"), ""),
        (OSError("https://token@host/"), ""),
    ],
)
def test_it_says_what_went_wrong_and_never_where(error: Exception, said: str) -> None:
    """Whoever asked knows where, and a url may hold a secret."""
    assert words_of(error) == said
