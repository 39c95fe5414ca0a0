"""Kernels of the optimizers: one pass over a vector of parameters, all the work on an element at once.

Every element is updated on its own, in IEEE arithmetic, so that a vector may be cut anywhere, and its
pieces updated on different threads, with the same bits as a result. An update is bound by memory traffic:
what matters is that each array is read once and written once, and that a loop holds a single type.

All arrays are one-dimensional, contiguous, of one length and one type (float32 or float64), but for the
settings: eight float64, which an optimizer writes before each step. They are the learning rate, the weight
decay, the scale of the gradient (1, or less where its norm is clipped), the step's number (the first is 1),
and the optimizer's own: momentum and whether it is Nesterov's; or beta_1, beta_2 and epsilon. The gradient
itself is never written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import kernel

Vector = NDArray[Any]

LANES = 128
# The smallest normal numbers. Not np.finfo in a kernel: its machine code would import half of Numba to load.
TINY_32, TINY_64 = (float(np.finfo(dtype).tiny) for dtype in (np.float32, np.float64))


@kernel
def sum_of_squares(vector: Vector) -> float:
    """Return the sum of the squared elements, added in float64."""
    # A row of independent sums: one running sum would not vectorise, as IEEE addition may not be reordered.
    sums = np.zeros(LANES)
    for start in range(0, vector.size, LANES):
        piece = vector[start : start + LANES]
        for lane in range(piece.size):
            element = np.float64(piece[lane])
            sums[lane] += element * element
    return sums.sum()  # type: ignore[no-any-return]


@kernel
def add_up(gradient: Vector, total: Vector, first: bool) -> None:
    """Write the gradient to the total if it is the first, else add it."""
    for i in range(total.size):
        total[i] = gradient[i] if first else total[i] + gradient[i]


@kernel
def sgd(value: Vector, gradient: Vector, settings: Vector) -> None:
    """Move against the gradient."""
    learning_rate, weight_decay, scale = settings[0], settings[1], settings[2]
    number = value.dtype.type
    step, decay = number(learning_rate * scale), number(learning_rate * weight_decay)
    for i in range(value.size):
        value[i] -= decay * value[i] + step * gradient[i]


@kernel
def sgd_momentum(
    value: Vector,
    gradient: Vector,
    velocity: Vector,
    settings: Vector,
) -> None:
    """Move against the velocity, which is the decaying sum of the gradients."""
    learning_rate, weight_decay, scale = settings[0], settings[1], settings[2]
    momentum, nesterov = settings[4], settings[5] != 0
    number = value.dtype.type
    step, decay = number(learning_rate), number(learning_rate * weight_decay)
    keep, factor = number(momentum), number(scale)
    # Nesterov looks one step ahead: its direction is gradient + momentum × velocity.
    of_velocity, of_gradient = (keep, number(1.0)) if nesterov else (number(1.0), number(0.0))
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        slope = factor * gradient[i]
        speed = keep * velocity[i] + slope
        speed = zero if abs(speed) < smallest else speed  # see adam
        velocity[i] = speed
        value[i] -= decay * value[i] + step * (of_velocity * speed + of_gradient * slope)


@kernel
def adam(
    value: Vector,
    gradient: Vector,
    m: Vector,
    v: Vector,
    settings: Vector,
) -> None:
    """Do a step of Algorithm 1 of Kingma and Ba, with decoupled weight decay."""
    learning_rate, weight_decay, scale, iteration = settings[0], settings[1], settings[2], settings[3]
    beta_1, beta_2, epsilon = settings[4], settings[5], settings[6]
    number = value.dtype.type
    step = number(learning_rate / (1.0 - beta_1**iteration))
    unbias = number(1.0 / np.sqrt(1.0 - beta_2**iteration))
    decay = number(learning_rate * weight_decay)
    keep_m, take_m = number(beta_1), number(1.0 - beta_1)
    keep_v, take_v = number(beta_2), number(1.0 - beta_2)
    factor, offset = number(scale), number(epsilon)
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        slope = factor * gradient[i]
        mean = keep_m * m[i] + take_m * slope
        # Without a gradient (a pixel that is always black) the mean would decay into the subnormal
        # numbers and stay there, and arithmetic on those is many times slower.
        mean = zero if abs(mean) < smallest else mean
        square = keep_v * v[i] + take_v * slope * slope
        square = zero if square < smallest else square
        m[i] = mean
        v[i] = square
        value[i] -= decay * value[i] + step * mean / (np.sqrt(square) * unbias + offset)
