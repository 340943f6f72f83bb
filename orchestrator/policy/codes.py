"""The names of what may be wrong in a policy: `WK101`. People look them up, and silence warnings by them.

Errors are numbered up to WK199, warnings that a file or several show by themselves are WK2.., warnings that take an inventory
WK3.., and what is wrong with a silence WK9... A number is never used for anything else later on.
"""

from __future__ import annotations

from typing import Final

UNREADABLE: Final = "WK001"
NOT_YAML: Final = "WK002"
NO_POLICY: Final = "WK003"

UNKNOWN_KEY: Final = "WK101"
MISSING: Final = "WK102"
WRONG_VALUE: Final = "WK103"
DOES_NOT_FIT: Final = "WK104"
NOT_KEPT: Final = "WK105"
NAME_TAKEN: Final = "WK106"

CONTRADICTION: Final = "WK110"
CHANGED_TWICE: Final = "WK111"
LOOP: Final = "WK112"
NEVER_MEET: Final = "WK113"
