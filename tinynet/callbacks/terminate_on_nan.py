"""Stop a training that has diverged."""

from __future__ import annotations

import math

from .base import Callback, Logs


class TerminateOnNaN(Callback):
    """Stop training at once when the loss is NaN or infinite.

    Example:
        >>> callback = TerminateOnNaN()
    """

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if not math.isfinite(logs["loss"]):
            print(
                f"\nBatch {batch}: the loss is {logs['loss']}, so training stops. Try a lower learning rate."
            )
            self.model.stop_training = True
