"""Training: data in batches, steps, epochs, and what they report."""

from __future__ import annotations

from .history import History as History
