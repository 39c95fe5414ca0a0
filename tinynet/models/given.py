"""What people give a model to train on: checked, and turned into what `fit` goes through."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..keywords import warn
from ..layers import Normalization, Rescaling
from ..layers.normalization import NormalizationLayer
from ..training.class_weight import weights_of_classes
from ..training.data import Augment, Batch, Batches, Samples, fitting
from ..training.stream import Stream, is_stream
from .compiled import Compiled
from .inputs import as_inputs, numbers, raw_input, without_list

Array = NDArray[Any]

RESCALES = (
    Normalization,
    NormalizationLayer,
    Rescaling,
)  # layers after which the scale of pixels does not matter


def raw_inputs(model: Compiled, x: Any) -> list[Array]:
    """Return a model's inputs as arrays (N, ...) of numbers, or raise; it is built if it is not."""
    if type(x) is np.ndarray and x.shape[1:] == model.input_shape and x.dtype.kind in "iufb" and x.size:
        return [x]  # as nearly always, and soon done
    if isinstance(x, np.ndarray) and not model.takes_several:
        given = [x]
    elif model.takes_several or isinstance(x, Mapping):
        given = as_inputs(x, model.input_names)
    else:
        axes = None if model.output_shape is None else len(model.open_shapes[0]) + 1
        given = [without_list(x, lambda shape: len(shape) >= 2 if axes is None else len(shape) == axes)]
    if model.output_shape is None:
        given = [numbers(one) for one in given]
        model.build_for(given[0])
    shapes = model.open_shapes
    if len(shapes) == 1:
        return [raw_input(given[0], shapes[0], model.first_title)]
    arrays = [
        raw_input(one, shape, lambda name=name: f"Input {name!r}")  # type: ignore[misc]
        for one, shape, name in zip(given, shapes, model.input_names, strict=True)
    ]
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise ValueError(f"The inputs have {counts} samples: each sample needs all of its inputs.")
    return arrays


def samples_of(
    model: Compiled, method: str, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Samples:
    """Return inputs, targets and weights that fit the model and its loss, or raise; see `Trainable.fit`.

    Args:
        model: compiled.
        method: whose arguments they are, for error messages.
        x, y, sample_weight, class_weight: see `Trainable.fit`.
    """
    if y is None:
        raise ValueError(f"{method}: y is missing, the targets of x.")
    inputs = raw_inputs(model, x)
    count = len(inputs[0])
    targets = numbers(without_list(y, lambda shape: shape[:1] == (count,)), "y")
    samples = Samples(inputs, model.dtype)
    samples.check_finite()
    if targets.ndim == 0 or len(targets) != len(samples):
        raise ValueError(
            f"x has {len(samples)} samples and y has {len(targets) if targets.ndim else 'none'}: each "
            "input needs its target."
        )
    flow, loss = model.flow([array.shape[1:] for array in inputs]), model.trainer.loss
    shape = (len(samples), *flow.shapes[flow.outputs[0]])
    loss.check(targets, shape)
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError(f"{method}: give class_weight or sample_weight, not both: multiply them before.")
        sample_weight = weights_of_classes(targets, class_weight, model.dtype, method)
    weights = None
    if sample_weight is not None:
        sample_weight = without_list(sample_weight, lambda shape: shape[:1] == (count,))
        weights = loss.prepare_weights(sample_weight, shape)
    return Samples(inputs, model.dtype, targets, weights)


def batch_of(model: Compiled, *arguments: Any) -> Batch:
    """Return one batch; the arguments are those of `samples_of`."""
    return converted(model, samples_of(model, *arguments))


def converted(model: Compiled, samples: Samples) -> Batch:
    """Return samples with targets as one batch."""
    assert samples.targets is not None
    return Batch([fitting(array, model.dtype) for array in samples.inputs], samples.targets, samples.weights)


def stream_of(
    model: Compiled,
    method: str,
    x: Any,
    bounded: bool,
    class_weight: Any = None,
    shuffle: bool = False,
    warns: bool = False,
) -> Stream:
    """Return the batches that an iterable yields, each checked when it comes.

    Args:
        model: compiled; built from the first batch, if it is not built.
        method: whose argument x is, for error messages.
        x: an iterable over batches (x, y) or (x, y, sample_weight).
        bounded: whether the number of steps is given.
        class_weight, shuffle: see `Trainable.fit`.
        warns: whether to warn if the first batch holds raw pixels.
    """
    is_first = True

    def check(x: Any, y: Any = None, sample_weight: Any = None) -> Batch:
        nonlocal is_first
        samples = samples_of(model, method, x, y, sample_weight, class_weight)
        if is_first and warns:
            warn_of_raw_pixels(model, [*samples.inputs])
        is_first = False
        return converted(model, samples)

    stream = Stream(x, check, method, bounded, shuffle, model.seed)
    if model.output_shape is None:
        first = stream.peek()
        if first is not None:
            raw_inputs(model, first[0] if isinstance(first, list | tuple) else first)
    return stream


def training_data(
    model: Compiled,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    batch_size: int | None,
    shuffle: bool,
    augment: Augment | None,
    validation_split: float,
    steps: int | None,
) -> tuple[Batches | Stream, Samples | None]:
    """Return what `fit` trains on, and what it keeps of it for validation.

    Args:
        model: compiled.
        x, y, sample_weight, class_weight, batch_size, shuffle, augment, validation_split: see `fit`.
        steps: how many make an epoch; None for all. Without batch_size, they go once through arrays.
    """
    if is_stream(x):
        check_alone("fit", y=y, sample_weight=sample_weight, augment=augment)
        if validation_split:
            raise ValueError("fit: validation_split is for arrays; give validation_data for an iterable.")
        return stream_of(model, "fit", x, steps is not None, class_weight, shuffle, True), None
    samples, held_out = samples_of(model, "fit", x, y, sample_weight, class_weight), None
    warn_of_raw_pixels(model, [*samples.inputs])
    if validation_split:
        samples, held_out = samples.split(validation_split)
        if class_weight is not None:  # which is for training alone
            held_out = replace(held_out, weights=None)
    if batch_size is None and steps is not None:
        batch_size = math.ceil(len(samples) / steps)
    return Batches(samples, batch_size, shuffle, augment, model.seed), held_out


def validation_data(
    model: Compiled, data: Any, steps: int | None, batch_size: int | None
) -> Samples | Stream:
    """Return what `fit` evaluates the model on.

    Args:
        model: compiled.
        data: a pair (x, y), a triple (x, y, sample_weight), or an iterable over such batches.
        steps: how many batches; None for all.
        batch_size: of arrays, if the number of batches is given; None for all samples in so many batches.
    """
    if is_stream(data):
        return stream_of(model, "fit", data, steps is not None)
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise ValueError(
            "fit: validation_data must be a pair (x, y), a triple (x, y, sample_weight), or an iterable over "
            f"such batches; got {type(data).__name__}."
        )
    return first_batches(samples_of(model, "fit", *data), steps, batch_size)


def evaluation_data(
    model: Compiled,
    method: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    steps: int | None,
    batch_size: int | None,
) -> Samples | Stream:
    """Return what `evaluate` measures; see there.

    Args:
        model: compiled.
        method: whose arguments they are, for error messages.
        x, y, sample_weight, steps, batch_size: see `Trainable.evaluate`.
    """
    if is_stream(x):
        check_alone(method, y=y, sample_weight=sample_weight)
        return stream_of(model, method, x, steps is not None)
    return first_batches(samples_of(model, method, x, y, sample_weight), steps, batch_size)


def first_batches(samples: Samples, steps: int | None, batch_size: int | None) -> Samples:
    """Return so many batches of samples; all, as in Keras, unless both numbers are given."""
    return samples if steps is None or batch_size is None else samples.part(0, steps * int(batch_size))


def check_alone(method: str, **arguments: Any) -> None:
    """Raise if an argument that iterables over batches bring themselves is given beside one."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"{method}: x is an iterable over batches, which holds (x, y) or (x, y, sample_weight) "
                f"itself; leave {name} out."
            )


def warn_of_raw_pixels(model: Any, inputs: list[Array]) -> None:
    """Warn, once for a model, if pixels from 0 to 255 go in and nothing in the model scales them."""
    if model.warned_of_pixels or not any(map(holds_raw_pixels, inputs)):
        return
    if any(isinstance(part, RESCALES) for _, part in model.parts()):
        return
    model.remember(warned_of_pixels=True)
    warn(
        "x holds raw pixels, up to 255, and networks learn better from numbers between 0 and 1: divide them "
        "by 255, as in x / 255, here and for predictions, or begin the model with layers.Rescaling(1 / 255).",
        UserWarning,
    )


def holds_raw_pixels(array: Array) -> bool:
    """Return whether the first samples look like images of whole numbers from 0 to 255."""
    some = array[:64]
    if array.dtype != np.uint8 and (array.ndim < 3 or not np.array_equal(some, np.rint(some))):
        return False
    return bool(100 < some.max() <= 255 and some.min() >= 0)
