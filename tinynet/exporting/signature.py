"""What the network in a file takes: what the model does, or what a signature says, as in Keras."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..layers.geometry import OpenShape, shapes_in


class Given(NamedTuple):
    """An input.

    Args:
        name: in the file.
        samples: how many it takes, None for any number.
        shape: of a sample; None where any size is taken.
    """

    name: str
    samples: int | None
    shape: OpenShape


def inputs_of(model: Any, signature: Any) -> list[Given]:
    """Return what the network in a file takes.

    Args:
        model: built.
        signature: None, for what the model takes; or for each input an object with the attributes shape, with
            the batch axis, and, if it likes, name and dtype.

    Raises:
        ValueError: the signature does not fit the model.
    """
    own = [
        Given(name, None, tuple(shape))
        for name, shape in zip(model.input_names, shapes_in(model.input_shape), strict=True)
    ]
    if signature is None:
        return own
    specs = signature
    while isinstance(specs, list | tuple) and len(specs) == 1 and not hasattr(specs[0], "shape"):
        specs = specs[0]  # Keras has a list of a list for several inputs
    specs = [*specs] if isinstance(specs, list | tuple) and not hasattr(specs, "shape") else [specs]
    if len(specs) != len(own) or not all(hasattr(spec, "shape") for spec in specs):
        raise ValueError(
            f"export: input_signature must be {len(own)} objects with a shape, one for each input of "
            f"{model.title}, such as keras.InputSpec or arrays; got {signature!r}."
        )
    return [settled(model, one, spec) for one, spec in zip(own, specs, strict=True)]


def settled(model: Any, own: Given, spec: Any) -> Given:
    """Return an input with the sizes and the name that a signature gives it."""
    sizes: list[int | None] = [None if size is None else int(size) for size in spec.shape or ()]
    fits = len(sizes) == len(own.shape) + 1 and all(
        a is None or b is None or a == b for a, b in zip(sizes[1:], own.shape, strict=True)
    )
    if not fits or "float32" not in str(getattr(spec, "dtype", None) or "float32"):
        raise ValueError(
            f"export: {model.title} takes float32 arrays of shape {(None, *own.shape)} as {own.name!r}; got "
            f"{spec!r} in input_signature."
        )
    shape = tuple(b if a is None else a for a, b in zip(sizes[1:], own.shape, strict=True))
    return Given(getattr(spec, "name", None) or own.name, sizes[0], shape)
