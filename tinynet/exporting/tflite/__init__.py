"""Models as TensorFlow Lite files, which run on phones and elsewhere."""

from __future__ import annotations

from .network import to_tflite as to_tflite
