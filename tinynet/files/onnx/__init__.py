"""ONNX files, in which many programs keep models, as descriptions."""

from __future__ import annotations

from .reading import read_onnx as read_onnx
