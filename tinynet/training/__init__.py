"""Training: data in batches, steps, epochs, and what they report."""

from __future__ import annotations

from ..callbacks import History as History
