"""Keras's `datasets.cifar100`."""

from __future__ import annotations

from ...datasets.cifar100 import load_data as load_data
