"""The version, which files that tinynet writes may name."""

from __future__ import annotations

__version__ = "0.2.0"
