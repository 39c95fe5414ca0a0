"""Models as other programs run them: TensorFlow Lite, ONNX."""

from __future__ import annotations

from .formats import format_of as format_of
from .network import to_tflite as to_tflite
from .onnx import to_onnx as to_onnx
