"""`python -m orchestrator.simulation`: soak for as long as asked, or replay one failure."""

from __future__ import annotations

import sys

from orchestrator.simulation.command import main

sys.exit(main(sys.argv[1:]))
