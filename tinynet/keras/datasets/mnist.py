"""Keras's `datasets.mnist`."""

from __future__ import annotations

from ...datasets.mnist import load_data as load_data
