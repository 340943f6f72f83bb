"""What the SDK and aiohttp raise, told in the program's own tree of errors.

azure-core promises that after a `ServiceRequestError` "no request was sent". Over aiohttp that isn't so: a connection that
is cut after the whole request left (`ServerDisconnectedError`, `ClientOSError`) comes up as one too. So what was surely
never sent is read off aiohttp's own exception underneath: only what the connector raises while it makes a connection.
"""

from __future__ import annotations

import aiohttp
from azure.core.exceptions import AzureError, ClientAuthenticationError

from orchestrator.cloud.asked import Asked
from orchestrator.errors import AccessDenied, CloudError, CloudPermanent, CloudTransient

SIGN_IN = (
    "Sign in with `az login`; or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH) "
    "in the environment; or run where a managed identity is assigned"
)

WORDS = 160  # characters of somebody else's words in a message of ours

BEFORE_ANY_BYTE = (
    aiohttp.ClientConnectorError,  # refused, unreachable, name not resolved, TLS not agreed upon, proxy not reached
    aiohttp.ConnectionTimeoutError,  # no connection in time
    aiohttp.ClientHttpProxyError,  # the proxy refused to connect
)


def surely_unsent(error: BaseException) -> bool:
    """Whether not one byte of the request can have reached the server. False whenever in doubt."""
    return isinstance(_inner(error), BEFORE_ANY_BYTE)


def no_token(error: Exception) -> CloudError:
    """The credential gave no token: nobody is signed in, or the sign-in was refused, or its service wasn't reached."""
    if isinstance(error, ClientAuthenticationError):
        return AccessDenied(
            f"There are no Azure credentials to use. {SIGN_IN}. In detail: {_first_lines(error)}"
        )
    return CloudTransient(f"Azure's sign-in service didn't answer: {_first_lines(error)}")


def error_from(error: Exception, asked: Asked, endpoint: str) -> CloudError:
    """The error of the tree for what was raised while asking. Errors of the tree pass as they are."""
    if isinstance(error, CloudError):
        return error
    inner = _inner(error)
    match inner:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return CloudPermanent(
                f"{asked.what} failed: no trusted TLS connection to {endpoint} ({inner}). "
                "Correct the endpoint, or install the certificate of the proxy in between",
                code="TlsNotTrusted",
            )
        case aiohttp.ClientConnectorDNSError():
            return CloudTransient(
                f"{asked.what} failed: {endpoint} can't be resolved. Check the endpoint's spelling and the network",
                code="NameNotResolved",
            )
        case aiohttp.ClientConnectorError():
            return CloudTransient(
                f"{asked.what} failed: nothing answers at {endpoint} ({inner.strerror or inner}). "
                "Check that it is up (an emulator must be started first) and the network",
                code="NotConnected",
            )
        case TimeoutError():
            return CloudTransient(f"{asked.what} failed: no answer in time from {endpoint}", code="TimedOut")
        case _:
            return CloudTransient(
                f"{asked.what} failed: the connection to {endpoint} was lost ({told(error)})",
                code="ConnectionLost",
            )


def told(error: BaseException) -> str:
    """An exception in a few words: some of aiohttp's have none, some of azure-core's quote a URL of 3 kB."""
    inner = _inner(error)
    return f"{type(inner).__name__}: {str(inner)[:WORDS]}" if str(inner) else type(inner).__name__


def _inner(error: BaseException) -> BaseException:
    """The exception that azure-core wrapped."""
    if isinstance(error, AzureError) and error.inner_exception is not None:
        return error.inner_exception
    return error


def _first_lines(error: Exception) -> str:
    """azure-identity explains every credential that it tried, at length; the first lines tell which."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:4])[:400] or type(error).__name__
