"""The names of what may be wrong in a policy: `WK101`. People look them up, and silence warnings by them.

Errors are numbered up to WK199, warnings that files show by themselves are WK2.., warnings that take an inventory WK3.., and what is
wrong with a silence WK9... A number is never used for anything else later on.
"""

from __future__ import annotations

from typing import Final

# Errors of one file

UNREADABLE: Final = "WK001"
NOT_YAML: Final = "WK002"
NO_POLICY: Final = "WK003"

UNKNOWN_KEY: Final = "WK101"
MISSING: Final = "WK102"
WRONG_VALUE: Final = "WK103"
DOES_NOT_FIT: Final = "WK104"

# Errors of several

NAME_TAKEN: Final = "WK106"
CONTRADICTION: Final = "WK110"
CHANGED_TWICE: Final = "WK111"
LOOP: Final = "WK112"
NEVER_MEET: Final = "WK113"

# Warnings that the files show

WINDOW_TOO_SHORT: Final = "WK201"
FREEZE_IS_OVER: Final = "WK202"
DEADLINE_TOO_SHORT: Final = "WK203"
TOO_FEW_OPENINGS: Final = "WK204"
WAIT_BEYOND_DEADLINE: Final = "WK205"
SAID_ALREADY: Final = "WK206"
FLOOR_REPEATED: Final = "WK207"
FLOOR_GONE: Final = "WK208"
FLOOR_KEPT: Final = "WK209"
ORDER_WITHOUT_END: Final = "WK210"
CONTRADICTS_SELECT: Final = "WK211"
SAME_ADDRESS: Final = "WK212"
PROBE_OUTLASTS_INTERVAL: Final = "WK213"
CANARY_UNWATCHED: Final = "WK214"
STOPS_LATE: Final = "WK215"
NEVER_UNDONE: Final = "WK216"
NEVER_REBOOTLESS: Final = "WK217"

# Warnings that an inventory shows

SELECTS_NOBODY: Final = "WK301"
MATCHES_NOBODY: Final = "WK302"
NO_SUCH_GROUP: Final = "WK303"
OUTSIDE_THE_RULE: Final = "WK304"
ROUNDED_UP: Final = "WK305"
QUORUM: Final = "WK306"
ADMITS_NOBODY: Final = "WK307"
HOLDS_NOBODY_BACK: Final = "WK308"
STAGE_OF_NOBODY: Final = "WK309"
CANARY_OF_MOST: Final = "WK310"
NAME_OF_SEVERAL: Final = "WK311"
NOTHING_TO_ASK: Final = "WK312"
NO_EXTENSION: Final = "WK313"
LOGICAL_ZONES: Final = "WK314"
LOOSER_ELSEWHERE: Final = "WK315"
CLASS_OF_OTHERS: Final = "WK316"
NO_TIME_ZONE: Final = "WK317"

# Silences

NO_REASON: Final = "WK901"
NO_SUCH_CODE: Final = "WK902"
SILENCES_NOTHING: Final = "WK903"
NOT_SILENCED: Final = "WK904"
NOT_A_SILENCE: Final = "WK905"
