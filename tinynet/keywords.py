"""Keras's keywords: former ones are translated, those without an effect here taken, all others refused.

This is the only place that knows what Keras called things before Keras 3.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
import warnings
from abc import ABCMeta
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# What arguments were called in Keras 1 and 2, and are called today.
FORMER = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "alpha": "negative_slope",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "epsilon": "min_delta",
    "gamma_init": "gamma_initializer",
    "generator": "x",
    "init": "kernel_initializer",
    "input": "inputs",
    "lr": "learning_rate",
    "nb_classes": "num_classes",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "output": "outputs",
    "output_dim": "units",
    "p": "rate",
    "path": "filepath",
    "sigma": "stddev",
    "subsample": "strides",
    "y": "x",
}

# What values were called.
FORMER_VALUES = {"data_format": {"th": "channels_first", "tf": "channels_last", "default": None}}

ANY = object()  # in the place of the values that have no effect: all of them

NO_REGULARIZERS = "this layer has none; the optimizer's weight_decay= keeps weights small"
NO_CONSTRAINTS = "there are no constraints on weights"
AVERAGES = "averages are fit's: give model.fit ema_momentum="
ONE_DTYPE = "all layers of a model have its dtype: give Sequential or Input dtype="

# Arguments of Keras's constructors that a class here may lack: the values that have no effect, and why others
# are refused.
TAKEN: dict[str, tuple[Any, str]] = {
    "activity_regularizer": ((None,), NO_REGULARIZERS),
    "adjustment": ((None,), "normalizations have the statistics of the batch"),
    "amsgrad": ((False,), "there is plain Adam alone"),
    "autocast": (ANY, ""),
    "axis": ((-1,), "the last axis is the one that is meant here"),
    "batch_size": (ANY, ""),  # of layers
    "beta_constraint": ((None,), NO_CONSTRAINTS),
    "beta_regularizer": ((None,), NO_REGULARIZERS),
    "bias_constraint": ((None,), NO_CONSTRAINTS),
    "bias_regularizer": ((None,), NO_REGULARIZERS),
    "centered": ((False,), "the mean of the squares is not centred here"),
    "clipvalue": ((None,), "gradients are clipped by their joint norm: clipnorm="),
    "data_format": (
        (None, "channels_last"),
        "images are (N, height, width, channels) here: np.moveaxis(x, 1, -1) puts the channels last",
    ),
    "dilation_rate": ((1, (1, 1), [1, 1]), "windows have no gaps here"),
    "dtype": ((None, "float32"), ONE_DTYPE),
    "ema_momentum": ((None, 0.99), AVERAGES),
    "ema_overwrite_frequency": ((None,), AVERAGES),
    "fused": (ANY, ""),
    "gamma_constraint": ((None,), NO_CONSTRAINTS),
    "gamma_regularizer": ((None,), NO_REGULARIZERS),
    "gradient_accumulation_steps": (
        (None, 1),
        "each step updates the weights: give fit a larger batch_size=",
    ),
    "groups": ((1,), "each filter sees all channels here"),
    "input_dtype": (ANY, ""),
    "jit_compile": (ANY, ""),
    "kernel_constraint": ((None,), NO_CONSTRAINTS),
    "kernel_regularizer": ((None,), NO_REGULARIZERS),
    "loss_scale_factor": ((None,), "gradients of float32 need no scaling"),
    "lora_alpha": ((None,), "there is no LoRA"),
    "lora_rank": ((None,), "there is no LoRA"),
    "name": (ANY, ""),  # of optimizers, losses and so on, which show none
    "noise_shape": ((None,), "each element is dropped by itself"),
    "optional": ((False,), "every input is needed"),
    "quantization_config": ((None,), "there is no quantization"),
    "ragged": ((None, False), "arrays are not ragged"),
    "reduction": (("sum_over_batch_size", "auto", "mean"), "a loss is the mean over the batch"),
    "renorm": ((False,), "normalizations have the statistics of the batch"),
    "seed": (ANY, ""),  # of layers and initializers: everything random follows from the model's seed
    "sparse": ((None, False), "arrays are not sparse"),
    "synchronized": ((False,), "there is one machine, whose threads share the batch's statistics anyway"),
    "tensor": ((None,), "a symbol is a new one"),
    "use_ema": ((False,), AVERAGES),
    "virtual_batch_size": ((None,), "normalizations have the statistics of the batch"),
}

# The same of methods.
TAKEN_BY_METHODS: dict[str, tuple[Any, str]] = {
    "max_q_size": (ANY, ""),
    "max_queue_size": (ANY, ""),
    "nb_worker": (ANY, ""),
    "pickle_safe": (ANY, ""),
    "save_format": (ANY, ""),  # there is one, whatever the file is called
    "use_multiprocessing": (ANY, ""),
    "workers": (ANY, ""),
}

NONE_IS_DEFAULT = ("epsilon", "name")  # None was, or is, the default of Keras


def warn(message: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warn, as if by the line of the program that called tinynet."""
    package, level = str(Path(__file__).parent), 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((package, "<string>")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def unknown_argument(owner: str, keyword: str, names: Sequence[str]) -> str:
    """Return an error message for an argument that there is not, with the likeliest one that there is."""
    likely = FORMER.get(keyword, keyword)
    closest = difflib.get_close_matches(likely, names, n=1)
    hint = f" Did you mean {closest[0]}=?" if closest else ""
    return f"{owner} has no argument {keyword!r}.{hint} Its arguments are {', '.join(names)}."


def settled(
    owner: str,
    names: Collection[str],
    keywords: Mapping[str, Any],
    taken: Mapping[str, tuple[Any, str]] = TAKEN,
    extra: Collection[str] = (),
) -> dict[str, Any]:
    """Return keywords as an owner takes them, or raise.

    Args:
        owner: the class or function, for messages.
        names: the arguments that it has.
        keywords: what it was given.
        taken: arguments of Keras's that have no effect: `TAKEN`, or `TAKEN_BY_METHODS`.
        extra: further arguments, which the caller deals with.

    Returns:
        The keywords under today's names, without those that have no effect.

    Raises:
        TypeError: an argument is unknown, given twice, or not there.

    Example:
        >>> settled("Dense", ["units", "use_bias"], {"units": 3, "kernel_constraint": None})
        {'units': 3}
    """
    found: dict[str, Any] = {}
    for given, value in keywords.items():
        known = given in names or given in extra
        name = given if known else FORMER.get(given, given)
        if name != given and (name in names or name in taken):
            if name in keywords:
                raise TypeError(
                    f"{owner} was given {name}= and {given}=, its former name: give {name}= alone."
                )
            warn(f"{owner}: {given}= is called {name}= today.")
            value = FORMER_VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
        else:
            name = given
        if value is None and name in NONE_IS_DEFAULT:
            continue
        if name in names or name in extra:
            found[name] = value
        elif name in taken:
            check_taken(owner, name, value, *taken[name])
        else:
            raise TypeError(unknown_argument(owner, given, [*names]))
    return found


def check_taken(owner: str, name: str, value: Any, allowed: Any, reason: str) -> None:
    """Raise if an argument of Keras's that is not there has another value than those without effect."""
    if allowed is not ANY and not any(type(value) is type(one) and value == one for one in allowed):
        usual = " or ".join(repr(one) for one in allowed if not isinstance(one, list))
        raise TypeError(f"{owner}: {name}={value!r} is not there, only {usual}, because {reason}.")


@functools.cache
def parameters_of(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of a function's arguments, but `self`; None if it takes any keyword."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(one.name for one in parameters if one.kind in kinds and one.name != "self")


class Spoken(type):
    """The class of classes whose keywords are Keras's, former ones too.

    Attributes:
        late: keywords that are no arguments of `__init__`, but are given to the method `take` afterwards.
    """

    late: Collection[str] = ()

    if not TYPE_CHECKING:  # type checkers and editors look at __init__

        def __call__(cls, *arguments, **keywords):
            """Make an object, of keywords that are settled first."""
            names = parameters_of(cls.__init__) if keywords else None
            if names is None:
                return super().__call__(*arguments, **keywords)
            late = [name for name in cls.late if name not in names]
            found = settled(cls.__name__, names, keywords, extra=late)
            taken = {name: found.pop(name) for name in late if name in found}
            made = super().__call__(*arguments, **found)
            for name, value in taken.items():
                made.take(name, value)
            return made

        @property
        def __signature__(cls):
            """What `inspect.signature` shows: that of __init__."""
            signature = inspect.signature(cls.__init__)
            return signature.replace(parameters=[*signature.parameters.values()][1:])


class SpokenABC(Spoken, ABCMeta):
    """The same for abstract classes."""


def spoken(function: Function) -> Function:
    """Let a function or method take Keras's keywords, former ones too."""
    names = parameters_of(function)
    assert names is not None

    @functools.wraps(function)
    def taking(*arguments: Any, **keywords: Any) -> Any:
        if all(name in names for name in keywords):
            return function(*arguments, **keywords)
        found = settled(function.__name__, names, keywords, TAKEN_BY_METHODS)
        if is_method:  # a class of one's own may define the method anew
            return getattr(arguments[0], function.__name__)(*arguments[1:], **found)
        return function(*arguments, **found)

    is_method = next(iter(inspect.signature(function).parameters), "") == "self"
    return taking  # type: ignore[return-value]
