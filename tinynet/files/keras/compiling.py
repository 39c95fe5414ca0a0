"""What Keras's models were compiled with, as tinynet's."""

from __future__ import annotations

from typing import Any


def compile_from_keras(training: Any) -> dict[str, Any]:
    """Return {"compile": ...}, or {"not_compiled": why}, or nothing."""
    return {}
