"""Where a daemon is, as it is typed."""

from __future__ import annotations

import pytest

from orchestrator.client.address import read_address
from orchestrator.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "url", "private"),
    [
        ("https://wavekeeper.example", "https://wavekeeper.example", True),
        ("https://wavekeeper.example:8470/", "https://wavekeeper.example:8470", True),
        ("https://tools.example/wavekeeper/api/v1/", "https://tools.example/wavekeeper", True),
        ("http://127.0.0.1:8470", "http://127.0.0.1:8470", True),
        ("http://localhost:8470", "http://localhost:8470", True),
        ("http://[::1]:8470", "http://[::1]:8470", True),
        ("http://127.0.0.1.example", "http://127.0.0.1.example", False),
        ("http://localhost.example", "http://localhost.example", False),
        ("http://10.0.0.4:8470", "http://10.0.0.4:8470", False),
    ],
)
def test_an_address_is_read(typed: str, url: str, private: bool) -> None:
    """Without a slash at its end, and with whether others could read what is sent."""
    read = read_address(typed)
    assert (str(read), read.private) == (url, private)


@pytest.mark.parametrize(
    "typed", ["wavekeeper.example", "", "ftp://a", "https://", "https://a:nan", "https://a/?x=1"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    """With how to write one."""
    with pytest.raises(UsageError, match="expected a URL such as https://"):
        read_address(typed)


def test_a_secret_in_a_url_is_refused_and_not_repeated() -> None:
    """Whoever reads the screen, or the log of a pipeline, doesn't learn it."""
    with pytest.raises(UsageError, match="leave name and password out") as refused:
        read_address("https://ada:sesame@wavekeeper.example")
    assert "sesame" not in str(refused.value)
