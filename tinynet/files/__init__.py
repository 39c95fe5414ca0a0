"""Files: one module a format; what is written appears whole or not at all."""

from __future__ import annotations

from .atomic import atomic_write as atomic_write
