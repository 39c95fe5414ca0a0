"""Models as other programs run them: TensorFlow Lite, ONNX."""

from __future__ import annotations

from .formats import format_of as format_of
from .onnx import to_onnx as to_onnx
from .tflite import to_tflite as to_tflite
