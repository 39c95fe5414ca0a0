"""Stop a training that has diverged."""

from __future__ import annotations

import math

from .base import Callback, Logs


class TerminateOnNaN(Callback):
    """Stop training at once when the loss is NaN or infinite.

    Args:
        raise_error: raise a RuntimeError instead; default False.

    Example:
        >>> callback = TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            problem = f"Batch {batch}: the loss is {loss}, so training stops. Try a lower learning rate."
            if self.raise_error:
                raise RuntimeError(problem)
            print(f"\n{problem}")
            self.model.stop_training = True
