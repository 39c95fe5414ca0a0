"""Keras's `datasets.fashion_mnist`."""

from __future__ import annotations

from ...datasets.fashion_mnist import load_data as load_data
