"""Methods that Keras's models had before Keras 3: each calls today's, and says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..keywords import settled, warn
from ..words import TAKEN_BY_METHODS

FIT_ARGUMENTS = (
    "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps",
    "validation_freq", "class_weight", "max_queue_size", "workers", "use_multiprocessing", "shuffle",
    "initial_epoch",
)  # fmt: skip
STEPS_ARGUMENTS = ("steps", "callbacks", "max_queue_size", "workers", "use_multiprocessing", "verbose")


class Former:
    """The base of models that also have Keras's former methods."""

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """Compute the model's output: call `predict`, as it is today."""
        warn("model.predict_proba(x) is model.predict(x) today.")
        return self._now("predict")(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """Return class numbers: `predict(x).argmax(-1)` today, or of one output, `predict(x) > 0.5`."""
        warn("model.predict_classes(x) is model.predict(x).argmax(-1) today.")
        outputs = self._now("predict")(x, batch_size=batch_size, verbose=verbose)
        return outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype(np.int32)

    def fit_generator(self, generator: Any, *arguments: Any, **keywords: Any) -> Any:
        """Train on a generator of batches: call `fit`, as it is today."""
        warn("model.fit_generator(generator) is model.fit(generator) today.")
        keywords = {**dict(zip(FIT_ARGUMENTS, arguments, strict=False)), **keywords}
        for name, today, data in (
            ("samples_per_epoch", "steps_per_epoch", generator),
            ("nb_val_samples", "validation_steps", keywords.get("validation_data")),
        ):
            if name in keywords:
                keywords[today] = batches_of("fit_generator", name, today, keywords.pop(name), data)
        return self._now("fit")(generator, **_settled("fit_generator", FIT_ARGUMENTS, keywords))

    def evaluate_generator(self, generator: Any, *arguments: Any, **keywords: Any) -> Any:
        """Measure on a generator of batches: call `evaluate`, as it is today."""
        warn("model.evaluate_generator(generator) is model.evaluate(generator) today.")
        return self._now("evaluate")(
            generator, **_of_steps("evaluate_generator", generator, arguments, keywords)
        )

    def predict_generator(self, generator: Any, *arguments: Any, **keywords: Any) -> Any:
        """Compute the output of a generator of batches: call `predict`, as it is today."""
        warn("model.predict_generator(generator) is model.predict(generator) today.")
        return self._now("predict")(
            generator, **_of_steps("predict_generator", generator, arguments, keywords)
        )

    def _now(self, name: str) -> Any:
        """Return a method of today, which this class lacks."""
        return getattr(self, name)


def _of_steps(method: str, generator: Any, arguments: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `evaluate` or `predict` for a generator."""
    keywords = {**dict(zip(STEPS_ARGUMENTS, arguments, strict=False)), **keywords}
    if "val_samples" in keywords:
        keywords["steps"] = batches_of(method, "val_samples", "steps", keywords.pop("val_samples"), generator)
    return _settled(method, STEPS_ARGUMENTS, keywords)


def _settled(method: str, names: tuple[str, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """Return keywords under today's names, without those that have no effect."""
    found = settled(
        method, [name for name in names if name not in TAKEN_BY_METHODS], keywords, TAKEN_BY_METHODS
    )
    return {name: value for name, value in found.items() if value is not None}


def batches_of(method: str, name: str, today: str, samples: int, data: Any) -> int:
    """Return the batches in a number of samples, which is what Keras 1 counted.

    Args:
        method, name, today: for messages.
        samples: the number of samples.
        data: the generator.

    Raises:
        TypeError: it does not say how large its batches are.
    """
    size = getattr(data, "batch_size", None)
    if not size:
        raise TypeError(f"{method}: {name}={samples!r} counts samples: give {today}=, which counts batches.")
    warn(f"{method}: {name}=, which counts samples, is {today}= today, which counts batches.")
    return math.ceil(samples / int(size))
