"""What the configuration says of the server, as the server takes it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.daemon.addresses import read_address
from orchestrator.daemon.schema import WebSection
from orchestrator.errors import Problem, UsageError
from orchestrator.policy.document import Document
from orchestrator.web.settings import Settings
from orchestrator.web.tls import TlsFiles, load


def web_settings(
    document: Document, section: WebSection | None, folder: Path
) -> tuple[Settings | None, list[Problem]]:
    """The settings, None where nothing is to be served; and what is wrong with them."""
    if section is None:
        return None, []
    host, port, problems = read_address(document, ("web", "listen"), section.listen, 8470)
    for number, origin in enumerate(section.origins):
        scheme, slashes, rest = origin.partition("://")
        if scheme not in ("https", "http") or not slashes or not rest or "/" in rest:
            what = f"{origin} is no origin"
            problems.append(
                document.problem(
                    ("web", "origins", number), what, "write it as https://host, with a port if it has one"
                )
            )
    tls = None
    if section.tls is not None:
        tls = TlsFiles(folder / section.tls.certificate, folder / section.tls.key)
        try:
            load(tls)
        except UsageError as error:
            problems.append(document.problem(("web", "tls"), str(error), key=True))
    settings = Settings(
        host,
        port,
        tuple(name.lower() for name in section.names),
        tuple(origin.lower() for origin in section.origins),
        section.requests_per_minute,
        section.largest_body << 20,
        tls,
    )
    return settings, problems
