"""The state of optimizers as the versions of Keras keep it, and as tinynet does.

What Keras writes is a list of variables whose order says what they are. There are four ways:

- Keras 3 counts the steps, has the learning rate, if it is a number, and then the slots;
- tf.keras from 2.11 on does the same without the learning rate, and SGD always has a velocity;
- tf.keras before that, whose count is named "iter", has all variables of one slot, then of the next one;
- so have Keras 1 and 2, where some optimizers do not write the count.

In the first two, slots of one loop come parameter by parameter: m and v of the first, m and v of the second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Variables = Sequence[tuple[str, Array]]
Loops = Sequence[tuple[str, ...]]
Slots = dict[str, list[Array]]

KERAS_3, TF_KERAS, OPTIMIZER_V2, FORMER = "Keras 3", "tf.keras 2.11", "OptimizerV2", "Keras 1 and 2"
# What Keras 3 calls tinynet's slots.
NAMES = {
    "sgd": {"velocity": "momentum"},
    "adam": {"m": "momentum", "v": "velocity", "largest": "velocity_hat"},
    "rmsprop": {"v": "velocity", "velocity": "momentum", "mean": "average_gradient"},
    "adagrad": {"sum": "accumulator"},
    "adadelta": {"v": "accumulated_grad", "moved": "accumulated_delta_var"},
    "adamax": {"m": "momentum", "u": "norm"},
    "nadam": {"m": "momentum", "v": "velocity"},
}
NAMES["adamw"] = NAMES["adam"]
WARMUP_STEPS = 1000  # of Nadam's momentum: after so many, 1 - 0.96^t / 2 is 1 in float64


class State(NamedTuple):
    """An optimizer's state as tinynet has it.

    Args:
        iterations: how many steps the optimizer has made.
        slots: by tinynet's names, an array for each parameter that trains; empty if there are none.
        problem: why there are none, although the file has some; None for no problem.
    """

    iterations: int = 0
    slots: Slots = {}  # noqa: RUF012  (never written to)
    problem: str | None = None


def state_from_keras(
    variables: Variables, class_name: str, config: Mapping[str, Any], version: str | None
) -> State:
    """Return the state that an optimizer's variables hold.

    Args:
        variables: names and arrays in the file's order; from a .keras file, whose names are numbers, in any.
        class_name: Keras's, such as "Adam" or "Custom>Adam"; any case.
        config: what Keras says of it; empty where it says nothing.
        version: of Keras, such as "2.3.1"; None if the file does not say.

    Returns:
        The state; without slots, and so without steps, if the optimizer never trained, or there is a problem.

    Example:
        >>> kernel = np.ones((2, 1))
        >>> variables = [("iter:0", np.array(7)), ("Adam/a/m:0", kernel), ("Adam/a/v:0", kernel)]
        >>> state_from_keras(variables, "Adam", {}, "2.4.0")
        State(iterations=7, slots={'m': [array([[1.],
               [1.]])], 'v': [array([[1.],
               [1.]])]}, problem=None)
    """
    kind = class_name.rpartition(">")[2].lower()
    if kind not in NAMES:
        return State(problem=f"tinynet has no optimizer {class_name!r}")
    if variables and all(name.isdecimal() and len(name) < 10 for name, _ in variables):
        variables = sorted(variables, key=lambda variable: int(variable[0]))
    dialect = _dialect(variables, version)
    if kind == "nadam" and dialect in (OPTIMIZER_V2, FORMER):
        return State(
            problem="before version 2.11, Keras's Nadam raised its momentum 250 times as slowly, so that it "
            "would not go on as it did there"
        )
    rest = [array for name, array in variables if not _last_part(name).endswith("learning_rate")]
    counted = bool(rest) and rest[0].shape == ()
    iterations = _count(rest.pop(0)) if counted else 0
    if iterations is None:
        return State(problem="its count of steps is damaged")
    if dialect == KERAS_3 and len(rest) == len(variables) - 1 and not _is_schedule(config):
        rest = rest[1:]  # the learning rate, where names are numbers
    if kind == "nadam" and dialect == KERAS_3 and rest:
        rest, product = _without_product(rest)
        if not abs(product - momentum_product(config, iterations)) < 1e-4:  # or it is NaN
            return State(problem="its product of momenta is not what follows from the number of steps")
    if not rest:
        trained = iterations > 0 and bool(_loops(kind, config, KERAS_3))
        return State(0 if trained else iterations, {}, "it is not in the file" if trained else None)
    if not counted and kind in ("adam", "adamw", "adamax"):
        return State(problem="the file does not say how many steps were made")
    found = _cut(rest, kind, config, dialect)
    if found is None:
        return State(problem=f"its {len(rest)} arrays are not those of Keras's {class_name}")
    wanted = {name for loop in _loops(kind, config, KERAS_3) for name in loop}
    return State(iterations, {name: arrays for name, arrays in found.items() if name in wanted})


def state_to_keras(
    class_name: str, config: Mapping[str, Any], iterations: int, slots: Mapping[str, Sequence[Array]],
    names: Sequence[str],
) -> list[tuple[str, Array]]:  # fmt: skip
    """Return the variables of an optimizer in the order in which Keras 3.15 has them.

    Args:
        class_name: the optimizer's name, which is the same in both.
        config: what Keras says of it.
        iterations: how many steps the optimizer has made.
        slots: the state, by tinynet's names.
        names: Keras's path of each parameter that trains, such as "sequential/dense/kernel".

    Returns:
        Names and arrays; an empty list if the state lacks slots.

    Example:
        >>> slots = {"velocity": [np.ones(2)]}
        >>> config = {"learning_rate": 0.5, "momentum": 0.9}
        >>> for name, array in state_to_keras("SGD", config, 3, slots, ["a/b"]):
        ...     print(name, array)
        iteration 3
        learning_rate 0.5
        a_b_momentum [1. 1.]
    """
    kind = class_name.lower()
    loops = _loops(kind, config, KERAS_3)
    if not {name for loop in loops for name in loop} <= slots.keys():
        return []
    variables = [("iteration", np.array(iterations, np.int64))]
    if not _is_schedule(config):
        variables.append(("learning_rate", np.array(config["learning_rate"], np.float32)))
    paths = [name.replace("/", "_") for name in names]
    for loop in loops:
        for number, path in enumerate(paths):
            variables += [(f"{path}_{NAMES[kind][name]}", slots[name][number]) for name in loop]
    if kind == "nadam":
        variables.append(("variable", np.array(momentum_product(config, iterations), np.float32)))
    return variables


def inner_epsilon(class_name: str, config: Mapping[str, Any]) -> float | None:
    """Return what epsilon must be inside of the root, if a version of Keras had it outside: √v + epsilon.

    √(v + epsilon²) is the same where v is 0, and to rounding where √v is much larger than epsilon.

    Args:
        class_name, config: see `state_from_keras`.

    Returns:
        Its square for RMSprop and Adagrad before tf.keras 2.11; None where epsilon stays as it is.

    Example:
        >>> inner_epsilon("RMSprop", {"epsilon": 1e-3}), inner_epsilon("RMSprop", {"use_ema": False})
        (1e-06, None)
    """
    kind = class_name.rpartition(">")[2].lower()
    # All optimizers since tf.keras 2.11 say whether they average; a bare name is of a later version, too.
    is_new = "use_ema" in config or not config
    inside = kind == "rmsprop" and _number(config, "momentum", 0.0) > 0  # as TensorFlow's own operator has it
    if is_new or inside or kind not in ("rmsprop", "adagrad"):
        return None
    return _number(config, "epsilon", 1e-7) ** 2


def momentum_product(config: Mapping[str, Any], steps: int) -> float:
    """Return the product of Nadam's momenta up to a step, u(1) × ... × u(steps); see `optimizers.nadam`."""
    beta_1 = min(max(_number(config, "beta_1", 0.9), 0.0), 1.0)
    warmup = math.prod(1 - 0.5 * 0.96**step for step in range(1, min(steps, WARMUP_STEPS) + 1))
    return float(beta_1**steps * warmup)


def _dialect(variables: Variables, version: str | None) -> str:
    """Return which of the four ways it is."""
    first = _last_part(variables[0][0]) if variables else ""
    if _numbers(version) >= [3]:
        return KERAS_3
    if first == "iter":
        return OPTIMIZER_V2
    if first == "iteration":
        return TF_KERAS
    if first.isdecimal():
        return TF_KERAS if version else KERAS_3
    return FORMER


def _loops(kind: str, config: Mapping[str, Any], dialect: str) -> Loops:
    """Return the loops in which Keras makes the slots of an optimizer."""
    momentum = _number(config, "momentum", 0.0)
    loops: Loops
    match kind:
        case "sgd":
            loops = [("velocity",)] if momentum or dialect in (TF_KERAS, FORMER) else []
        case "rmsprop":
            loops = [("v",)] + [("velocity",)] * (momentum > 0) + [("mean",)] * bool(config.get("centered"))
        case "adam" | "adamw":
            loops = [("m", "v")] + [("largest",)] * bool(config.get("amsgrad"))
        case _:
            loops = [tuple(NAMES[kind])]
    if dialect in (OPTIMIZER_V2, FORMER):
        loops = [(name,) for loop in loops for name in loop]
    return loops


def _cut(arrays: list[Array], kind: str, config: Mapping[str, Any], dialect: str) -> Slots | None:
    """Return the slots that arrays are, or None if their number or their shapes do not fit."""
    loops = _loops(kind, config, dialect)
    if dialect == FORMER and kind == "adam" and not config.get("amsgrad"):
        count = len(arrays) // 3  # from 2.1 on, there is an array of one element where amsgrad has its own
        unused = all(array.shape == (1,) for array in arrays[2 * count :])
        found = _along(arrays[: 2 * count], loops) if unused and len(arrays) == 3 * count else None
        return found or _along(arrays, loops)
    # Averages of the weights, and sums of gradients, come first; tinynet has none.
    others = bool(config.get("use_ema")) + bool(config.get("gradient_accumulation_steps"))
    count = len(arrays) // max(others + sum(map(len, loops)), 1)
    return _along(arrays[others * count :], loops)


def _along(arrays: Sequence[Array], loops: Loops) -> Slots | None:
    """Return the arrays along the loops, if all slots have the same shapes."""
    count, rest = divmod(len(arrays), max(sum(map(len, loops)), 1))
    slots: Slots = {}
    for loop in loops:
        part, arrays = arrays[: len(loop) * count], arrays[len(loop) * count :]
        slots |= {name: [*part[place :: len(loop)]] for place, name in enumerate(loop)}
    shapes = [[array.shape for array in held] for held in slots.values()]
    return slots if not rest and not arrays and all(some == shapes[0] for some in shapes) else None


def _without_product(arrays: list[Array]) -> tuple[list[Array], float]:
    """Return the arrays without Nadam's product of momenta, which is the first, or since 3.10 the last."""
    shapes = [array.shape for array in arrays]
    place = 0 if shapes[0] == () and shapes[1::2] == shapes[2::2] else -1
    product = arrays.pop(place)
    return arrays, float(product) if product.shape == () and product.dtype.kind == "f" else math.nan


def _count(array: Array) -> int | None:
    """Return a number of steps, or None if it is none."""
    number = array.item() if array.dtype.kind in "iuf" else -1
    return int(number) if 0 <= number < 2**53 else None


def _is_schedule(config: Mapping[str, Any]) -> bool:
    return isinstance(config.get("learning_rate"), Mapping)


def _number(config: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of a configuration; the default where there is none."""
    value = config.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e100 else default


def _numbers(version: str | None) -> list[int]:
    """Return the numbers of a version: [2, 2, 4] of "2.2.4-tf"."""
    return [int(number) for number in re.findall(r"\d{1,6}", (version or "").partition("-")[0])]


def _last_part(name: str) -> str:
    """Return what a variable is called: "iter" of "training/Adam/iter:0"."""
    return name.rpartition("/")[2].partition(":")[0]
