"""What the SDK and aiohttp raise becomes errors of the tree, with a message that says what to do."""

from __future__ import annotations

import ssl
from errno import ECONNREFUSED

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from azure.core.exceptions import (
    ClientAuthenticationError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.identity import CredentialUnavailableError

from orchestrator.cloud.arm.errors import error_from, no_token, surely_unsent
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.errors import AccessDenied, CloudPermanent, CloudTransient

ENDPOINT = "https://management.azure.com"
ASKED = Asked("reading the instance view of web01", Permission.READ_VIEW, "web01")
KEY = ConnectionKey("management.azure.com", 443, True, True, None, None, None)
REFUSED = aiohttp.ClientConnectorError(KEY, OSError(ECONNREFUSED, "Connection refused"))
NO_NAME = aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known"))
BAD_TLS = aiohttp.ClientConnectorCertificateError(
    KEY, ssl.SSLCertVerificationError("self-signed certificate")
)
NO_CONNECTION = aiohttp.ConnectionTimeoutError("Connection timeout to host")
CUT = aiohttp.ServerDisconnectedError()
RESET = aiohttp.ClientOSError(104, "Connection reset by peer")
SILENCE = aiohttp.SocketTimeoutError("Timeout on reading data from socket")
TORN = aiohttp.ClientPayloadError("Response payload is not completed")


def wrapped(error: Exception) -> Exception:
    """The error as azure-core's transport raises it."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return ServiceRequestTimeoutError(error, error=error)
        case TimeoutError():
            return ServiceResponseTimeoutError(error, error=error)
        case aiohttp.ClientPayloadError():
            return IncompleteReadError(error, error=error)
        case aiohttp.ClientResponseError():
            return ServiceResponseError(error, error=error)
        case _:
            return ServiceRequestError(error, error=error)


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (REFUSED, True),
        (NO_NAME, True),
        (BAD_TLS, True),
        (NO_CONNECTION, True),
        (CUT, False),
        (RESET, False),
        (SILENCE, False),
        (TORN, False),
        (aiohttp.ClientConnectionResetError("Cannot write to closing transport"), False),
        (TimeoutError(), False),
        (ValueError("whatever"), False),
    ],
)
def test_what_was_surely_not_sent(error: Exception, unsent: bool) -> None:
    """Only what is raised while a connection is being made means that nothing was sent, whatever azure-core calls it."""
    assert surely_unsent(wrapped(error)) is unsent
    assert surely_unsent(error) is unsent


@pytest.mark.parametrize(
    ("error", "kind", "code", "words"),
    [
        (REFUSED, CloudTransient, "NotConnected", "Connection refused"),
        (NO_NAME, CloudTransient, "NameNotResolved", "Check the endpoint's spelling"),
        (BAD_TLS, CloudPermanent, "TlsNotTrusted", "install the certificate"),
        (NO_CONNECTION, CloudTransient, "TimedOut", "no answer in time"),
        (SILENCE, CloudTransient, "TimedOut", "no answer in time"),
        (TimeoutError(), CloudTransient, "TimedOut", "no answer in time"),
        (CUT, CloudTransient, "ConnectionLost", "Server disconnected"),
        (RESET, CloudTransient, "ConnectionLost", "reset by peer"),
        (TORN, CloudTransient, "ConnectionLost", "payload is not completed"),
    ],
)
def test_errors_of_the_way(error: Exception, kind: type[CloudTransient], code: str, words: str) -> None:
    """Whatever happens on the way is told in one sentence: what was asked, what happened, what to look at."""
    told = error_from(wrapped(error), ASKED, ENDPOINT)
    assert type(told) is kind
    assert told.code == code
    assert str(told).startswith("reading the instance view of web01 failed")
    assert words in str(told)
    assert ENDPOINT in str(told)


def test_long_words_are_cut() -> None:
    """Another's message, which may quote a signed URL of 3 kB, doesn't flood ours."""
    assert len(str(error_from(ServiceResponseError("x" * 5000), ASKED, ENDPOINT))) < 400


def test_errors_of_the_tree_pass() -> None:
    """What the credential told already isn't told again."""
    denied = AccessDenied("nobody is signed in")
    assert error_from(denied, ASKED, ENDPOINT) is denied


def test_nobody_is_signed_in() -> None:
    """Without credentials the message says all three ways to have some, and why there are none."""
    attempts = "DefaultAzureCredential failed\n\tEnvironmentCredential: unavailable\n" + "\tmore\n" * 50
    told = no_token(CredentialUnavailableError(attempts))
    assert isinstance(told, AccessDenied)
    for part in ("az login", "AZURE_CLIENT_ID", "managed identity", "EnvironmentCredential: unavailable"):
        assert part in str(told)
    assert len(str(told)) < 800


def test_sign_in_is_refused_or_out_of_reach() -> None:
    """A refused sign-in is for a person; a service that doesn't answer passes by itself."""
    assert isinstance(no_token(ClientAuthenticationError("AADSTS7000222: secret expired")), AccessDenied)
    assert isinstance(no_token(ServiceRequestError("no route", error=REFUSED)), CloudTransient)
