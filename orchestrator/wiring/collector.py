"""What the faces use of the collector: see `executor.collector`."""

from __future__ import annotations

from orchestrator.executor.collector import nothing_collected

__all__ = ["nothing_collected"]
