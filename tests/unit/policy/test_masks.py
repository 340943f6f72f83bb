"""Masks of updates and of packages."""

from __future__ import annotations

import re

import pytest
from pydantic_core import PydanticCustomError

from orchestrator.policy.json_values import NAME_MASK, PACKAGE_MASK
from orchestrator.policy.masks import read_name_mask, read_package_mask


@pytest.mark.parametrize("mask", ["*Hotpatch*", "KB508742?", "SQL", "2026*", "*"])
def test_masks_of_updates(mask: str) -> None:
    """Letters, digits, `*` and `?`, as the editor is told, too."""
    assert read_name_mask(f" {mask} ") == mask
    assert re.search(NAME_MASK["pattern"], mask)


@pytest.mark.parametrize(
    ("mask", "instead"),
    [("SQL Server", "SQL?Server"), (".NET", "?NET"), ("2026-11*", "2026?11*"), ("a\nb", "a?b")],
)
def test_what_azure_refuses_for_an_update_is_refused_here(mask: str, instead: str) -> None:
    """With a mask that it would take."""
    with pytest.raises(PydanticCustomError) as refused:
        read_name_mask(mask)
    assert (refused.value.context or {})["instead"].endswith(f"such as {instead}")
    assert not re.search(NAME_MASK["pattern"], mask)


@pytest.mark.parametrize(
    "mask",
    [
        "kernel*",
        "libstdc++6",
        "python3.10-minimal",
        "openssl=3.0.2-0ubuntu1.21",
        "vim=2:8.2*",
        "bash=5.1~rc1^git",
        "?",
    ],
)
def test_masks_of_packages(mask: str) -> None:
    """Names as Debian and RPM have them, and a version behind an equals sign."""
    assert read_package_mask(mask) == mask
    assert re.search(PACKAGE_MASK["pattern"], mask)


@pytest.mark.parametrize("mask", ["", " ", "two words", "a=b=c", "=1.0", "vim=", "-v", "[ab]c"])
def test_what_is_no_mask_of_packages(mask: str) -> None:
    """Brackets would mean something to the extension, and to nobody who reads them here."""
    with pytest.raises(PydanticCustomError):
        read_package_mask(mask)
    assert not re.search(PACKAGE_MASK["pattern"], mask)
