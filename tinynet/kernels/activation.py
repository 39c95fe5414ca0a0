"""Smooth activations of single elements, and their gradients, vector by vector.

All arrays are flat and of one size: x is the input, y the output, dy the upstream gradient; dx is written. A
gradient is dy times the function's derivative, which is computed from x, or from y where that says as much.
"""

from __future__ import annotations

from . import functions
from .cpu import VECTOR_BYTES
from .functions import absolute, bell, exp, negative, normal_probability, number
from .jit import Array, kernel
from .vector import add, divide, load, multiply, multiply_add, store, subtract, where_greater

DENSITY = 0.3989422804014327  # 1 / sqrt(2 * pi)
LINEAR, CUBIC = 1.5957691216057308, 0.07135481627260025  # sqrt(8 / pi), and that times 0.044715


@kernel
def sigmoid(x: Array, y: Array) -> None:
    """Write 1 / (1 + exp(-x)) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(y, i, count, functions.sigmoid(load(x, i, count)))


@kernel
def sigmoid_gradient(y: Array, dy: Array, dx: Array) -> None:
    """Write dy * y * (1 - y) to dx."""
    lanes = VECTOR_BYTES // y.itemsize
    for i in range(0, y.size, lanes):
        count = y.size - i
        v = load(y, i, count)
        slope = multiply(v, subtract(number(v, 1.0), v))
        store(dx, i, count, multiply(load(dy, i, count), slope))


@kernel
def tanh(x: Array, y: Array) -> None:
    """Write the hyperbolic tangent of x to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(y, i, count, functions.tanh(load(x, i, count)))


@kernel
def tanh_gradient(y: Array, dy: Array, dx: Array) -> None:
    """Write dy * (1 - y**2) to dx."""
    lanes = VECTOR_BYTES // y.itemsize
    for i in range(0, y.size, lanes):
        count = y.size - i
        v = load(y, i, count)
        slope = subtract(number(v, 1.0), multiply(v, v))
        store(dx, i, count, multiply(load(dy, i, count), slope))


@kernel
def exponential(x: Array, y: Array) -> None:
    """Write exp(x) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(y, i, count, functions.exp(load(x, i, count)))


@kernel
def exponential_gradient(y: Array, dy: Array, dx: Array) -> None:
    """Write dy * y to dx."""
    lanes = VECTOR_BYTES // y.itemsize
    for i in range(0, y.size, lanes):
        count = y.size - i
        store(dx, i, count, multiply(load(dy, i, count), load(y, i, count)))


@kernel
def gelu(x: Array, y: Array) -> None:
    """Write x * P(X <= x) to y, where X is standard normal: x * (1 + erf(x / sqrt(2))) / 2."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        store(y, i, count, multiply(v, normal_probability(v, bell(v))))


@kernel
def gelu_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * (P(X <= x) + x * exp(-x**2 / 2) / sqrt(2 * pi)) to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        density = bell(v)
        slope = multiply_add(multiply(v, number(v, DENSITY)), density, normal_probability(v, density))
        store(dx, i, count, multiply(load(dy, i, count), slope))


@kernel
def gelu_approximate(x: Array, y: Array) -> None:
    """Write x * sigmoid(u) = x * (1 + tanh(u / 2)) / 2 to y: u = sqrt(8 / pi) * (x + 0.044715 * x**3)."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        inner = multiply(v, multiply_add(multiply(v, v), number(v, CUBIC), number(v, LINEAR)))
        store(y, i, count, multiply(v, functions.sigmoid(inner)))


@kernel
def gelu_approximate_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * (s + x * s * (1 - s) * u') to dx, where s = sigmoid(u)."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        v = where_greater(v, number(v, 40.0), number(v, 40.0), v)  # it changes no more, and 0 * inf is NaN
        v = where_greater(number(v, -40.0), v, number(v, -40.0), v)
        square = multiply(v, v)
        inner = multiply(v, multiply_add(square, number(v, CUBIC), number(v, LINEAR)))
        steepness = multiply(v, multiply_add(square, number(v, 3.0 * CUBIC), number(v, LINEAR)))
        s, other = functions.sigmoid(inner), functions.sigmoid(negative(inner))
        store(dx, i, count, multiply(load(dy, i, count), multiply_add(multiply(s, other), steepness, s)))


@kernel
def silu(x: Array, y: Array) -> None:
    """Write x * sigmoid(x) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        store(y, i, count, multiply(v, functions.sigmoid(v)))


@kernel
def silu_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * s * (1 + x * (1 - s)) to dx, where s = sigmoid(x)."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        s, other = functions.sigmoid(v), functions.sigmoid(negative(v))
        store(dx, i, count, multiply(load(dy, i, count), multiply(s, multiply_add(v, other, number(v, 1.0)))))


@kernel
def softplus(x: Array, y: Array) -> None:
    """Write log(1 + exp(x)) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(y, i, count, functions.softplus(load(x, i, count)))


@kernel
def softplus_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * sigmoid(x) to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(dx, i, count, multiply(load(dy, i, count), functions.sigmoid(load(x, i, count))))


@kernel
def mish(x: Array, y: Array) -> None:
    """Write x * tanh(log(1 + exp(x))) to y.

    With e = exp(-|x|), the tangent is (1 + 2 * e) / (1 + 2 * e + 2 * e**2) where x > 0, else (2 * e + e**2) /
    (2 * e + e**2 + 2).
    """
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        e, zero, one, two = exp(negative(absolute(v))), number(v, 0.0), number(v, 1.0), number(v, 2.0)
        above, below = add(e, add(e, one)), multiply(e, add(e, two))
        lower = where_greater(v, zero, multiply_add(e, add(e, e), above), add(below, two))
        upper = where_greater(v, zero, above, below)
        store(y, i, count, multiply(v, divide(upper, lower)))


@kernel
def mish_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * (t + x * (1 - t**2) * sigmoid(x)) to dx, where t = tanh(log(1 + exp(x))).

    With e and t = upper / lower as in `mish`, (1 - t**2) * sigmoid(x) is 4 * e * (1 + e) / lower**2, and e
    times that where x > 0.
    """
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        e, zero, one, two = exp(negative(absolute(v))), number(v, 0.0), number(v, 1.0), number(v, 2.0)
        above, below = add(e, add(e, one)), multiply(e, add(e, two))
        lower = where_greater(v, zero, multiply_add(e, add(e, e), above), add(below, two))
        inverse = divide(one, lower)
        slope = multiply(multiply(number(v, 4.0), e), multiply(add(e, one), where_greater(v, zero, e, one)))
        slope = multiply(multiply(slope, inverse), inverse)
        t = multiply(where_greater(v, zero, above, below), inverse)
        store(dx, i, count, multiply(load(dy, i, count), multiply_add(v, slope, t)))


@kernel
def softsign(x: Array, y: Array) -> None:
    """Write x / (1 + |x|) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        store(y, i, count, divide(v, add(absolute(v), number(v, 1.0))))


@kernel
def softsign_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy / (1 + |x|)**2 to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        inverse = divide(number(v, 1.0), add(absolute(v), number(v, 1.0)))
        store(dx, i, count, multiply(load(dy, i, count), multiply(inverse, inverse)))
