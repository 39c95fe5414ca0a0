"""Kernels of the optimizers: one pass over a vector of parameters, all the work on an element at once.

Every element is updated on its own, in IEEE arithmetic, so that a vector may be cut anywhere, and its
pieces updated on different threads, with the same bits as a result. An update is bound by memory traffic:
what matters is that each array is read once and written once, and that a loop holds a single type.

All arrays are one-dimensional, contiguous, of one length n and one type (float32 or float64), but for the
settings: eight float64, which an optimizer writes before each step. They are the decay (the share by which
the values shrink first), the largest absolute value of a gradient (of `clip` alone), and from the third on
those that a kernel names. The gradient itself is never written.

What decays towards 0 is set to 0 once it is smaller than the smallest normal number: without a gradient (a
pixel that is always black) it would stay among the subnormal numbers, on which arithmetic is many times
slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import kernel

Vector = NDArray[Any]

LANES = 128
CHUNK = 512  # elements that stay in the fastest cache between two loops over them
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
def decaying_mean(gradient: Vector, mean: Vector, beta: float) -> None:
    """Take the gradient into its decaying mean: mean = beta × mean + (1 - beta) × gradient."""
    number = mean.dtype.type
    keep, take = number(beta), number(1.0 - beta)
    smallest, zero = number(TINY_32 if mean.itemsize == 4 else TINY_64), number(0.0)
    for i in range(mean.size):
        new = keep * mean[i] + take * gradient[i]
        mean[i] = zero if abs(new) < smallest else new


@kernel
def decaying_square(gradient: Vector, square: Vector, beta: float) -> None:
    """Take the gradient's square into its decaying mean, likewise."""
    number = square.dtype.type
    keep, take = number(beta), number(1.0 - beta)
    smallest, zero = number(TINY_32 if square.itemsize == 4 else TINY_64), number(0.0)
    for i in range(square.size):
        new = keep * square[i] + take * (gradient[i] * gradient[i])
        square[i] = zero if new < smallest else new


@kernel
def scale(gradient: Vector, scaled: Vector, factor: float) -> None:
    """Write factor × gradient to `scaled`."""
    number = gradient.dtype.type(factor)
    for i in range(gradient.size):
        scaled[i] = number * gradient[i]


@kernel
def clip(gradient: Vector, clipped: Vector, settings: Vector) -> None:
    """Write the gradient, each element no further from 0 than the second setting, to `clipped`."""
    limit = gradient.dtype.type(settings[1])
    for i in range(gradient.size):
        slope = gradient[i]
        slope = limit if slope > limit else slope  # NaN stays NaN
        clipped[i] = -limit if slope < -limit else slope


@kernel
def sgd(value: Vector, gradient: Vector, settings: Vector) -> None:
    """Move against the gradient: value -= rate × gradient; settings: rate."""
    number = value.dtype.type
    decay, rate = number(settings[0]), number(settings[2])
    for i in range(value.size):
        value[i] -= decay * value[i] + rate * gradient[i]


@kernel
def sgd_momentum(value: Vector, gradient: Vector, velocity: Vector, settings: Vector) -> None:
    """Move with the velocity, which holds the learning rate, as in Keras.

    velocity = momentum × velocity - rate × gradient; value += velocity, or, as Nesterov, who looks one step
    ahead, momentum × velocity - rate × gradient. Settings: rate, momentum, whether it is Nesterov's.
    """
    number = value.dtype.type
    decay, rate, keep = number(settings[0]), number(settings[2]), number(settings[3])
    nesterov = settings[4] != 0
    of_velocity, of_gradient = (keep, rate) if nesterov else (number(1.0), number(0.0))
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        speed = keep * velocity[i] - rate * gradient[i]
        speed = zero if abs(speed) < smallest else speed
        velocity[i] = speed
        value[i] += of_velocity * speed - of_gradient * gradient[i] - decay * value[i]


@kernel
def adam(value: Vector, gradient: Vector, m: Vector, v: Vector, settings: Vector) -> None:
    """Do a step of Adam: value -= rate × m / (√v + epsilon).

    m and v are the decaying means of the gradient and of its square. Settings: rate (which corrects the
    means' bias towards 0), beta_1, beta_2, epsilon.
    """
    number = value.dtype.type
    decay, rate, epsilon = number(settings[0]), number(settings[2]), number(settings[5])
    keep_m, take_m = number(settings[3]), number(1.0 - settings[3])
    keep_v, take_v = number(settings[4]), number(1.0 - settings[4])
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        mean = keep_m * m[i] + take_m * gradient[i]
        mean = zero if abs(mean) < smallest else mean
        square = keep_v * v[i] + take_v * (gradient[i] * gradient[i])
        square = zero if square < smallest else square
        m[i] = mean
        v[i] = square
        value[i] -= decay * value[i] + rate * mean / (np.sqrt(square) + epsilon)


@kernel
def amsgrad(value: Vector, gradient: Vector, m: Vector, v: Vector, largest: Vector, settings: Vector) -> None:
    """Do a step of Adam with the largest v that there ever was in the place of v; settings as for `adam`."""
    number = value.dtype.type
    decay, rate, epsilon = number(settings[0]), number(settings[2]), number(settings[5])
    for start in range(0, value.size, CHUNK):  # LLVM does not vectorise one loop over all five arrays
        part = slice(start, start + CHUNK)
        x, mean, square, most = value[part], m[part], v[part], largest[part]
        decaying_mean(gradient[part], mean, settings[3])
        decaying_square(gradient[part], square, settings[4])
        for i in range(x.size):
            top = most[i] if square[i] < most[i] else square[i]  # NaN is taken
            most[i] = top
            x[i] -= decay * x[i] + rate * mean[i] / (np.sqrt(top) + epsilon)


@kernel
def adamax(value: Vector, gradient: Vector, m: Vector, u: Vector, settings: Vector) -> None:
    """Do a step of Adamax: value -= rate × m / (u + epsilon).

    m is the decaying mean of the gradient, u the largest absolute gradient, which decays: max(beta_2 × u,
    |gradient|). Settings: rate (which corrects the mean's bias), beta_1, beta_2, epsilon.
    """
    number = value.dtype.type
    decay, rate, epsilon = number(settings[0]), number(settings[2]), number(settings[5])
    keep_m, take_m, keep_u = number(settings[3]), number(1.0 - settings[3]), number(settings[4])
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        mean = keep_m * m[i] + take_m * gradient[i]
        mean = zero if abs(mean) < smallest else mean
        size, past = abs(gradient[i]), keep_u * u[i]
        past = zero if past < smallest else past
        norm = past if size < past or past != past else size  # NaN stays, and is taken
        m[i] = mean
        u[i] = norm
        value[i] -= decay * value[i] + rate * mean / (norm + epsilon)


@kernel
def nadam(value: Vector, gradient: Vector, m: Vector, v: Vector, settings: Vector) -> None:
    """Do a step of Nadam: value -= (of_m × m + of_gradient × gradient) / (unbias × √v + epsilon).

    m and v are the decaying means of the gradient and of its square. Settings: of_m and of_gradient (which
    hold the learning rate), unbias, beta_1, beta_2, epsilon.
    """
    number = value.dtype.type
    decay, of_m, of_gradient = number(settings[0]), number(settings[2]), number(settings[3])
    unbias, epsilon = number(settings[4]), number(settings[7])
    keep_m, take_m = number(settings[5]), number(1.0 - settings[5])
    keep_v, take_v = number(settings[6]), number(1.0 - settings[6])
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        slope = gradient[i]
        mean = keep_m * m[i] + take_m * slope
        mean = zero if abs(mean) < smallest else mean
        square = keep_v * v[i] + take_v * (slope * slope)
        square = zero if square < smallest else square
        m[i] = mean
        v[i] = square
        direction = of_m * mean + of_gradient * slope
        value[i] -= decay * value[i] + direction / (unbias * np.sqrt(square) + epsilon)


@kernel
def rmsprop(
    value: Vector, gradient: Vector, v: Vector, mean: Vector, velocity: Vector, settings: Vector
) -> None:
    """Do a step of RMSprop: value -= velocity.

    velocity = momentum × velocity + rate × gradient / √(variance + epsilon). v is the decaying mean of the
    gradient's square, and the variance; or that is v - mean², if there is a decaying mean of the gradient.
    `mean` and `velocity` are empty where they are not wanted. Settings: rate, rho, epsilon, momentum.
    """
    number = value.dtype.type
    decay, rate = number(settings[0]), number(settings[2])
    epsilon, keep = number(settings[4]), number(settings[5])
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    moves = np.empty(CHUNK, value.dtype)
    for start in range(0, value.size, CHUNK):  # so that LLVM vectorises each loop
        part = slice(start, start + CHUNK)
        x, slope, square = value[part], gradient[part], v[part]
        decaying_square(slope, square, settings[3])
        if mean.size:
            average = mean[part]
            decaying_mean(slope, average, settings[3])
            for i in range(x.size):
                variance = square[i] - average[i] * average[i]
                variance = zero if variance < zero else variance  # by rounding
                moves[i] = rate * slope[i] / np.sqrt(variance + epsilon)
        else:
            for i in range(x.size):
                moves[i] = rate * slope[i] / np.sqrt(square[i] + epsilon)
        if velocity.size:
            speed = velocity[part]
            for i in range(x.size):
                new = keep * speed[i] + moves[i]
                new = zero if abs(new) < smallest else new
                speed[i] = new
                x[i] -= decay * x[i] + new
        else:
            for i in range(x.size):
                x[i] -= decay * x[i] + moves[i]


@kernel
def adagrad(value: Vector, gradient: Vector, total: Vector, settings: Vector) -> None:
    """Do a step of Adagrad: value -= rate × gradient / √(total + epsilon).

    `total` is the sum of the gradients' squares. Settings: rate, epsilon.
    """
    number = value.dtype.type
    decay, rate, epsilon = number(settings[0]), number(settings[2]), number(settings[3])
    for i in range(value.size):
        square = total[i] + gradient[i] * gradient[i]
        total[i] = square
        value[i] -= decay * value[i] + rate * gradient[i] / np.sqrt(square + epsilon)


@kernel
def adadelta(value: Vector, gradient: Vector, v: Vector, moved: Vector, settings: Vector) -> None:
    """Do a step of Adadelta: value -= rate × move.

    move = √(moved + epsilon) / √(v + epsilon) × gradient; v and `moved` are the decaying means of the squares
    of the gradient and of the moves. Settings: rate, rho, epsilon.
    """
    number = value.dtype.type
    decay, rate, epsilon = number(settings[0]), number(settings[2]), number(settings[4])
    keep, take = number(settings[3]), number(1.0 - settings[3])
    smallest, zero = number(TINY_32 if value.itemsize == 4 else TINY_64), number(0.0)
    for i in range(value.size):
        slope, before = gradient[i], moved[i]
        square = keep * v[i] + take * (slope * slope)
        square = zero if square < smallest else square
        move = np.sqrt(before + epsilon) * slope / np.sqrt(square + epsilon)
        after = keep * before + take * (move * move)
        v[i] = square
        moved[i] = zero if after < smallest else after
        value[i] -= decay * value[i] + rate * move
