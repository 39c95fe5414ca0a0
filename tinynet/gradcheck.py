"""The gradient checker: whether a backward pass gives the gradient of its forward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .differences import Comparison, Element
from .layers import Layer
from .layers.flow import Flow
from .models import Model
from .models.inputs import as_batch, as_inputs
from .training.logits import split_at_logits
from .views import View

Array = NDArray[Any]

# The last word of the seeds here, and of no others: initial weights have 1, the order of the samples 2.
GRADIENT_CHECKS = 3


class GradientError(AssertionError):
    """A gradient of a backward pass is not the gradient of the forward pass.

    Example:
        >>> from tinynet import layers
        >>> class Wrong(layers.ReLU):
        ...     def backward(self, dy):
        ...         return 2 * super().backward(dy)
        >>> gradcheck(Wrong(), [[-1.0, 2.0]])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        tinynet.gradcheck.GradientError: The gradient is wrong at x[0, 1]: backward gives ...
    """


class GradientErrors(dict[str, float]):
    """The largest relative error of each gradient, by its name; printed, it says what was found.

    Args:
        errors: by name.
        places: how many elements of each were compared.
        kinks: how many of those lie at a kink, of the gradients that have any.
        tolerance: the largest error that is right.

    Example:
        >>> GradientErrors({"bias": 2e-9, "x": 0.5}, {"bias": 3, "x": 4}, {"bias": 1}, 1e-6)
        bias  right  largest relative error 2e-09; 1 of 3 places lies at a kink; next to it, right
        x     WRONG  largest relative error 0.5
        Wrong: of 1 of 2 arrays, backward does not give the gradient (tolerance 1e-06).
    """

    def __init__(
        self, errors: dict[str, float], places: dict[str, int], kinks: dict[str, int], tolerance: float
    ) -> None:
        super().__init__(errors)
        self.places, self.kinks, self.tolerance = places, kinks, tolerance

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [
            f"{name:<{width}}  {verdict}  largest relative error {error}{note and f'; {note}'}"
            for name, verdict, error, note in self._rows()
        ]
        return "\n".join([*lines, self.conclusion()])

    def _repr_html_(self) -> str:
        """Show a notebook the same as a table."""
        head = ["Array", "Gradient", "Largest relative error", ""]
        return View("Gradient check", head, self._rows(), "llrl", [self.conclusion()]).html()

    def _rows(self) -> list[list[str]]:
        """Return each array's name, verdict, error, and what is to be said of kinks."""
        rows = []
        for name, error in self.items():
            verdict, note = "right" if error <= self.tolerance else "WRONG", ""
            if kinks := self.kinks.get(name):
                verb = "lies" if kinks == 1 else "lie"
                note = f"{kinks} of {self.places[name]} places {verb} at a kink; next to it, right"
            rows.append([name, verdict, f"{error:.2g}", note])
        return rows

    def conclusion(self) -> str:
        """Return what follows from all of it, in a sentence."""
        wrong, kinks = sum(not error <= self.tolerance for error in self.values()), sum(self.kinks.values())
        if wrong:
            return (
                f"Wrong: of {wrong} of {len(self)} arrays, backward does not give the gradient (tolerance "
                f"{self.tolerance:g})."
            )
        text = f"Right: backward gives the gradient in all {sum(self.places.values())} places"
        if kinks:
            text += f", next to kinks (ReLU at 0, ties in max-pooling) in {kinks} of them"
        return f"{text} (tolerance {self.tolerance:g})."


def gradcheck(
    model_or_layer: Layer,
    x: Any,
    y: ArrayLike | None = None,
    *,
    tolerance: float = 1e-6,
    samples: int = 100,
    seed: int = 0,
) -> GradientErrors:
    """Compare the gradients of the backward pass with central differences of the forward pass, in float64.

    Without y the upstream gradient is random (with an all-ones one, softmax would pass with any mistake);
    with y it is that of the model's loss. Dropout drops the same elements in every pass. Of each parameter
    and of the input, up to `samples` elements are checked, chosen at random. Where backward and differences
    disagree, the parameters and x are moved a little, at random, several times: if they agree there, the
    place lies at a kink (ReLU's at 0, a tie in max-pooling), where there is no gradient, and passes.

    Args:
        model_or_layer: a model, or a layer, built or not; it is copied, and not changed.
        x: (N, *input_shape); a list, if there are several inputs.
        y: targets for the loss of a compiled model; default None.
        tolerance: the largest relative error that passes; default 1e-6. The error of an element is
            relative to its own gradient, or to 1/1000 of the largest in its array, or to a millionth of the
            largest of all, or to what rounding leaves to see, if that is larger.
        samples: elements of each array to check; default 100.
        seed: for the choice of elements, the upstream gradient and the moves; default 0.

    Returns:
        The largest relative error for each parameter, by "layer/parameter" or "parameter", and for "x": a
        dict that prints as a text. Its `kinks` says how many of the `places` of each lie at a kink.

    Raises:
        GradientError: an error is larger than the tolerance; says where the worst is, and both values.
        RuntimeError: y is given and the model is not compiled.
        ValueError: x is empty or not finite.

    Example:
        >>> from tinynet import layers
        >>> x = np.random.default_rng(0).normal(size=(4, 3))
        >>> errors = gradcheck(layers.Dense(2, activation="tanh"), x)
        >>> errors  # doctest: +ELLIPSIS
        kernel  right  largest relative error ...
        bias    right  largest relative error ...
        x       right  largest relative error ...
        Right: backward gives the gradient in all 20 places (tolerance 1e-06).
        >>> list(errors), max(errors.values()) < 1e-6
        (['kernel', 'bias', 'x'], True)
        >>> gradcheck(layers.ReLU(), [[-1.0, 0.0, 2.0]]).kinks
        {'x': 1}
    """
    if not isinstance(model_or_layer, Layer):
        raise TypeError(f"gradcheck: expected a model or a layer; got {model_or_layer!r}.")
    if samples < 1:
        raise ValueError(f"gradcheck: expected samples of at least 1; got samples={samples}.")
    random = np.random.default_rng((seed, GRADIENT_CHECKS))
    inputs = _inputs(model_or_layer, x)
    checked = _float64_copy(model_or_layer, [array.shape[1:] for array in inputs])
    terms, gradients = _objective(checked, model_or_layer, inputs, y, random)
    named = {name: one for name, one in checked.named_parameters().items() if one.trainable}
    names = [*named, *(["x"] if len(inputs) == 1 else [f"x[{number}]" for number in range(len(inputs))])]
    values = [parameter.value for parameter in named.values()]
    comparison = Comparison(values, inputs, terms, gradients, tolerance, random)
    return _result(names, comparison.elements(samples), tolerance)


def _result(names: list[str], elements: list[Element], tolerance: float) -> GradientErrors:
    """Return the errors of all elements by their arrays' names, or raise if a gradient is wrong."""
    errors, places, kinks = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for element in elements:
        name = names[element.array]
        error = element.error_beside if element.verdict == "kink" else element.error
        errors[name] = max(errors[name], error)
        places[name] += 1
        kinks[name] += element.verdict == "kink"
    result = GradientErrors(errors, places, {name: n for name, n in kinks.items() if n}, tolerance)
    wrong = [element for element in elements if element.verdict == "wrong"]
    if wrong:
        worst = max(wrong, key=lambda element: element.error)
        where = f"{names[worst.array]}[{', '.join(map(str, worst.index))}]"
        where = f"next to {where}, which lies at a kink" if worst.at_kink else f"at {where}"
        raise GradientError(
            f"The gradient is wrong {where}: backward gives {worst.backward:.9g}, differences give "
            f"{worst.differences:.9g} (relative error {worst.error:.2g}, tolerance {tolerance:g}).\n{result}"
        )
    return result


def _inputs(model_or_layer: Layer, x: Any) -> list[Array]:
    """Return what each input gets, in float64, or raise."""
    given = [*x] if model_or_layer.takes_several else [x]
    if isinstance(model_or_layer, Model):
        given = as_inputs(x, model_or_layer.input_names)
    arrays = [np.array(array, np.float64) for array in given]
    for array in arrays:
        if array.size == 0 or not np.isfinite(array).all():
            raise ValueError(
                f"gradcheck: expected finite x of at least one sample; got x of shape {array.shape}."
            )
    if isinstance(model_or_layer, Model) and model_or_layer.output_shape is not None:
        shapes = model_or_layer.open_shapes
        arrays = [
            np.array(as_batch(one, shape, lambda: "The model"))
            for one, shape in zip(arrays, shapes, strict=True)
        ]
    return arrays


def _float64_copy(model_or_layer: Layer, shapes: list[tuple[int, ...]]) -> Layer:
    """Return a copy in float64 with the same parameters, built for inputs of these shapes."""
    built = shapes if model_or_layer.takes_several else shapes[0]
    if model_or_layer.output_shape is None:
        model_or_layer = copy.deepcopy(model_or_layer)
        model_or_layer.build_sample(built, model_or_layer.seed)
    return model_or_layer.rebuilt(built, dtype="float64")


def _objective(
    checked: Layer,
    original: Layer,
    inputs: Sequence[Array],
    y: ArrayLike | None,
    random: np.random.Generator,
) -> tuple[Callable[[], Array], Callable[[], list[Array]]]:
    """Return a function that computes terms, whose sum is differentiated, and one for its gradients."""
    flow, loss = Flow([array.shape[1:] for array in inputs]), None
    flow.outputs = flow.lay_out(checked, range(len(inputs)))
    if y is not None:
        if not isinstance(original, Model):
            raise ValueError("gradcheck: y goes with a compiled model; a layer is checked without it.")
        flow, _, loss = split_at_logits(flow, original.loss)

    def forward() -> list[Array]:
        for layer in flow.layers:
            for _, part in layer.parts():
                part.step = 0  # freezes dropout
        return flow.forward(inputs, training=True)

    upstream = [random.standard_normal(output.shape) for output in forward()]

    def terms() -> Array:
        outputs = forward()
        if loss is not None and y is not None:
            # Losses are logarithms of sums of about 1: the 1 says how exact they are.
            return np.array([loss(y, outputs[0]), 1.0])
        return np.concatenate([(a * b).reshape(-1) for a, b in zip(outputs, upstream, strict=True)])

    def gradients() -> list[Array]:
        for parameter in checked.parameters:
            parameter.grad[...] = np.nan  # a backward that adds to it, instead of overwriting it, must show
        outputs = forward()
        dy = upstream if loss is None or y is None else [loss.gradient(y, outputs[0])]
        found = flow.backward(dy)
        flow.collect()
        dx = [np.zeros_like(x) if g is None else np.array(g) for x, g in zip(inputs, found, strict=True)]
        return [p.grad.copy() for p in checked.parameters if p.trainable] + dx

    return terms, gradients
