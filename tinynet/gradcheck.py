"""A gradient checker: backward passes against differences of forward passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .layers import Chain, Layer
from .model import Sequential
from .training import split_at_logits

Array = NDArray[Any]

STEPS = (1e-4, 1e-5, 1e-6)  # a smaller step is tried where a larger one may have crossed a kink, as ReLU's


class GradientError(AssertionError):
    """A gradient of a backward pass is not the gradient of the forward pass."""


def gradcheck(
    model_or_layer: Sequential | Layer,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    tolerance: float = 1e-6,
    samples: int = 100,
    seed: int = 0,
) -> dict[str, float]:
    """Compare the gradients of the backward pass with central differences of the forward pass, in float64.

    Without y the upstream gradient is random (with an all-ones one, softmax would pass with any mistake);
    with y it is that of the model's loss. Dropout drops the same elements in every pass. Of each parameter
    and of the input, up to `samples` elements are checked, chosen at random. Keep x away from kinks: where
    it is 0 behind a ReLU, or has ties behind max-pooling, there is no gradient to compare.

    Args:
        model_or_layer: a model, or a layer, built or not; it is copied, and not changed.
        x: (N, *input_shape).
        y: targets for the loss of a compiled model; default None.
        tolerance: the largest relative error that passes; default 1e-6. The error of an element is
            relative to its own gradient, or to 1/1000 of the largest in its array, or to a millionth of the
            largest of all, if that is larger.
        samples: elements of each array to check; default 100.
        seed: for the choice of elements and the upstream gradient; default 0.

    Returns:
        The largest relative error for each parameter, by "layer/parameter" or "parameter", and for "x".

    Raises:
        GradientError: an error is larger than the tolerance; says where the worst is, and both values.
        RuntimeError: y is given and the model is not compiled.
        ValueError: x is empty or not finite.

    Example:
        >>> from tinynet import layers
        >>> x = np.random.default_rng(0).normal(size=(4, 3))
        >>> errors = gradcheck(layers.Dense(2, activation="tanh"), x)
        >>> list(errors), max(errors.values()) < 1e-6
        (['kernel', 'bias', 'x'], True)
    """
    if not isinstance(model_or_layer, Sequential | Layer):
        raise TypeError(f"gradcheck: expected a model or a layer; got {model_or_layer!r}.")
    random = np.random.default_rng((seed, 1))  # not default_rng(seed), which x may well be drawn from
    inputs = np.array(x, np.float64)
    if inputs.size == 0 or not np.isfinite(inputs).all() or samples < 1:
        raise ValueError(
            f"gradcheck: expected finite x of at least one sample, and samples of at least 1; got x of shape "
            f"{inputs.shape} and samples={samples}."
        )
    if isinstance(model_or_layer, Sequential):
        inputs = np.array(model_or_layer.as_batch(inputs))
    checked, names = _float64_copy(model_or_layer, inputs.shape[1:])
    value, gradients = _objective(checked, model_or_layer, inputs, y, random)

    for parameter in checked.parameters:
        parameter.grad[...] = np.nan  # a backward that adds to it, instead of overwriting it, must show
    analytic = gradients()
    trainable = [parameter for parameter in checked.parameters if parameter.trainable]
    arrays = [parameter.value for parameter in trainable] + [inputs]
    errors: dict[str, float] = {}
    worst, worst_error = "", -1.0
    largest = max(float(np.abs(gradient).max(initial=0.0)) for gradient in analytic)
    for name, array, gradient in zip([*names, "x"], arrays, analytic, strict=True):
        # Where a gradient is 0 by theory, as of a bias before a normalization, there is only rounding.
        floor = max(1e-3 * float(np.abs(gradient).max(initial=0.0)), 1e-6 * largest)
        places = random.permutation(array.size)[:samples]
        errors[name] = 0.0
        for place in places:
            index = np.unravel_index(int(place), array.shape)
            error, numeric = _relative_error(value, array, index, float(gradient[index]), floor, tolerance)
            if not error <= errors[name]:
                errors[name] = error
            if not error <= max(worst_error, tolerance):
                where = ", ".join(map(str, map(int, index)))
                worst_error = error
                worst = (
                    f"{name}[{where}]: backward gives {gradient[index]:.9g}, differences give {numeric:.9g}"
                )
    if worst:
        raise GradientError(
            f"The gradient is wrong at {worst} (relative error {worst_error:.2g}, tolerance {tolerance:g})."
        )
    return errors


def _float64_copy(
    model_or_layer: Sequential | Layer, input_shape: tuple[int, ...]
) -> tuple[Sequential | Layer, list[str]]:
    """Return a copy in float64 with the same parameters, and the parameters' names."""
    row = copy.deepcopy(
        Chain(model_or_layer.layers) if isinstance(model_or_layer, Sequential) else model_or_layer
    )
    for _, part in [*row.parts()]:
        part.remember(in_model=False)  # free to be built again
        if isinstance(part, Chain):
            for name, layer in part.sublayers().items():
                layer.remember(name=name)  # of which no two are the same
    checked: Sequential | Layer = row
    if isinstance(model_or_layer, Sequential):
        assert isinstance(row, Chain)
        checked = Sequential(row.layers, model_or_layer.input_shape, model_or_layer.seed, "float64")
    else:
        row.build(model_or_layer.input_shape or input_shape, model_or_layer.seed, "float64")
    for copied, parameter in zip(checked.parameters, model_or_layer.parameters, strict=False):
        copied.value = parameter.value
    return checked, [name for name, parameter in checked.named_parameters().items() if parameter.trainable]


def _objective(
    checked: Sequential | Layer,
    original: Sequential | Layer,
    x: Array,
    y: ArrayLike | None,
    random: np.random.Generator,
) -> tuple[Callable[[], float], Callable[[], list[Array]]]:
    """Return a function that computes a number from the parameters and x, and one for its gradients."""
    layers = [*checked.row()] if isinstance(checked, Sequential) else [checked]
    loss = None
    if y is not None:
        if not isinstance(original, Sequential):
            raise ValueError("gradcheck: y goes with a compiled model; a layer is checked without it.")
        layers, _, loss = split_at_logits(layers, original.loss)

    def forward() -> Array:
        output = x
        for layer in layers:
            for _, part in layer.parts():
                part.step = 0  # freezes dropout
            output = layer.forward(output, training=True)
        return output

    upstream = random.standard_normal(forward().shape)

    def value() -> float:
        output = forward()
        return loss(output, y) if loss and y is not None else float(np.sum(output * upstream))

    def gradients() -> list[Array]:
        output = forward()
        dx = loss.gradient(output, y) if loss and y is not None else upstream
        for layer in reversed(layers):
            dx = layer.backward(dx)
        return [p.grad.copy() for p in checked.parameters if p.trainable] + [np.array(dx)]

    return value, gradients


def _relative_error(
    value: Callable[[], float],
    array: Array,
    index: tuple[Any, ...],
    gradient: float,
    floor: float,
    tolerance: float,
) -> tuple[float, float]:
    """Return the relative error of one element's gradient, and its central difference."""
    original, best, best_numeric = array[index], np.inf, np.nan
    for step in STEPS:
        array[index] = original + step
        above = value()
        array[index] = original - step
        below = value()
        array[index] = original
        numeric = (above - below) / (2 * step)
        scale = max(abs(numeric), abs(gradient), floor)
        error = abs(numeric - gradient) / scale if scale != 0 else 0.0
        if not np.isfinite(error):
            error = np.inf
        if error < best:
            best, best_numeric = error, numeric
        if best <= tolerance:
            break
    return best, best_numeric
