"""Models as ONNX files, which ONNX Runtime and many other programs run."""

from __future__ import annotations

from .network import to_onnx as to_onnx
