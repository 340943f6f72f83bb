"""Masks of names in `patches`: what Azure takes for the names of Windows updates, and Linux' patch extension for packages.

Azure documents letters, digits, `*` and `?` for updates. The extension matches a package's name as a file's (`fnmatch`), and takes
`name=version` for one version of it, where Azure's reference says `name_version`, which selects nothing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import PlainValidator, WithJsonSchema

from orchestrator.policy import json_values
from orchestrator.policy.values import read_text, shown, wrong

_NAME: Final = re.compile(r"[A-Za-z0-9*?]+")
_PACKAGE: Final = re.compile(json_values.PACKAGE)


def read_name_mask(value: object) -> str:
    """A mask of names of Windows updates: `*Hotpatch*`."""
    text = read_text(value)
    if not _NAME.fullmatch(text):
        raise wrong(
            f"{shown(text)} isn't a mask that Azure takes for names of updates",
            f"use letters, digits, `*` and `?` only, such as {re.sub(r'[^A-Za-z0-9*?]', '?', text)}",
        )
    return text


def read_package_mask(value: object) -> str:
    """A mask of names of Linux packages, or of a package and its version: `kernel*`, `openssl=3.0.2-0ubuntu1.21`."""
    text = read_text(value)
    if not _PACKAGE.fullmatch(text):
        raise wrong(
            f"{shown(text)} isn't a mask of packages",
            'write a name, with `*` and `?` where names differ, such as "kernel*", or name=version',
        )
    return text


def _typed(reader: Any, schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(reader), WithJsonSchema(schema)


NameMask = Annotated[str, *_typed(read_name_mask, json_values.NAME_MASK)]
PackageMask = Annotated[str, *_typed(read_package_mask, json_values.PACKAGE_MASK)]
