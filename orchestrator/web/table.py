"""All routes of the API."""

from __future__ import annotations

from typing import Final

from orchestrator.web.table_holds import HOLDS
from orchestrator.web.table_picture import PICTURE
from orchestrator.web.table_reads import READS
from orchestrator.web.table_terminal import TERMINAL
from orchestrator.web.table_verbs import VERBS

ROUTES: Final = (*READS, *PICTURE, *VERBS, *HOLDS, *TERMINAL)
