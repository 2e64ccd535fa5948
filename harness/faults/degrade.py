"""`degrade` / `ease`: a carrier's access link gets slow, thin, refusing, silent or resetting."""

from __future__ import annotations
