"""Models as other programs run them: TensorFlow Lite."""

from __future__ import annotations

from .network import to_tflite as to_tflite
