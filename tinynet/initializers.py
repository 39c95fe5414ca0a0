"""The initializers: what a parameter's first values are, by Keras's names and distributed as there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .initial_values.base import Initializer
from .initial_values.constants import Constant, Identity, Ones, Zeros
from .initial_values.random_values import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from .initial_values.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from .names import unknown

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "Zeros", "config_of", "constant", "fans", "get", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal",
    "random_uniform", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

BY_NAME: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "identity": Identity,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
}
OTHER_NAMES: dict[str, type[Initializer]] = {
    "zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform,
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
    **{kind.__name__: kind for kind in BY_NAME.values()},
}  # fmt: skip

# Keras has the classes by these names, too.
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
glorot_uniform, glorot_normal, variance_scaling = GlorotUniform, GlorotNormal, VarianceScaling
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal


def get(initializer: str | Mapping[str, Any] | Initializer) -> Initializer:
    """Return an initializer by its name, or the object itself.

    Args:
        initializer: a name of Keras's, such as "he_normal" or "HeNormal", an object, or what `config_of` or
            Keras's `get_config` writes of one.

    Returns:
        The initializer.

    Raises:
        TypeError: it is a class, not an object.
        ValueError: no initializer has that name.

    Example:
        >>> get("he_normal")
        HeNormal()
    """
    if isinstance(initializer, Initializer):
        return initializer
    if isinstance(initializer, type):
        raise TypeError(
            f"The initializer is the class {initializer.__name__}: write {initializer.__name__}()."
        )
    name: object = initializer
    arguments: dict[str, Any] = {}
    if isinstance(initializer, Mapping):
        name, config = initializer.get("class_name"), initializer.get("config") or {}
        arguments = {key: value for key, value in config.items() if value is not None}  # None is the default
    known = BY_NAME | OTHER_NAMES
    if isinstance(name, str) and name in known:
        return known[name](**arguments)
    raise ValueError(unknown("initializer", name, BY_NAME))


def config_of(initializer: Initializer) -> str | dict[str, Any]:
    """Return what `get` makes an equal initializer of, as JSON can hold it.

    Args:
        initializer: any initializer.

    Returns:
        Its name, or a dictionary of its class and its arguments; "zeros" for one of a class of your own: a
        model file holds the weights themselves anyway.

    Example:
        >>> config_of(HeNormal()), config_of(Constant(0.5))
        ('he_normal', {'class_name': 'Constant', 'config': {'value': 0.5}})
    """
    names = [name for name, kind in BY_NAME.items() if type(initializer) is kind]
    if not names:
        return "zeros"
    arguments = initializer.arguments()
    arguments = {name: x.item() if hasattr(x, "item") else x for name, x in arguments.items()}
    return {"class_name": type(initializer).__name__, "config": arguments} if arguments else names[0]


def __dir__() -> list[str]:
    return __all__
