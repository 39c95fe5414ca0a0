"""Keras's `datasets.cifar10`."""

from __future__ import annotations

from ...datasets.cifar10 import load_data as load_data
