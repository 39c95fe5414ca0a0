"""Functions of vectors, such as exp and tanh, from IEEE arithmetic alone.

So they have the same bits on every CPU that multiplies and adds at once (AVX2, AVX-512, ARM), which those of
C libraries do not promise.

The polynomials are interpolated at Chebyshev's points with 60 digits. Errors are the largest that were found
among millions of points, against results of more digits; 1 ulp is the distance to the next float.
"""

from __future__ import annotations

import math
from typing import Any

from .bits import copy_sign, exponent, two_to_the
from .jit import inlined
from .vector import (
    add,
    constant,
    divide,
    multiply,
    multiply_add,
    polynomial,
    subtract,
    where_equal,
    where_greater,
)

# (exp(r) - 1 - r) / r**2 where |r| <= log(2) / 2; of float32 (E32) to 1e-8 of exp(r), of float64 to 2e-17.
E32 = (0.5, 0.1666657651, 0.04166655401, 0.00836325938, 0.001392628393)
E64 = (
    0.500000000000000104, 0.166666666666666675, 0.0416666666666236686, 0.00833333333333002652,
    0.00138888889174427712, 0.000198412698632297633, 0.0000248015209405213647, 2.75572681866644803e-6,
    2.76202572829857234e-7, 2.51005153333827076e-8,
)  # fmt: skip

# (2 * atanh(s) - 2 * s) / s**3 of s**2, where |s| <= 1/3.
L32 = (0.6666666732, 0.3999970633, 0.2859235799, 0.217065758, 0.2322432922)
L64 = (
    0.666666666666666669, 0.399999999999995225, 0.285714285716000993, 0.222222221982367706,
    0.181818198979627144, 0.153845439648605493, 0.133351786314492558, 0.117342790613031975,
    0.108451783948800148, 0.074921437955507673, 0.156305778009228504,
)  # fmt: skip

# (t + 4) * exp(t**2 / 2) * P(X > t) of (t - 4) / (t + 4), where t >= 0 and X is standard normal.
W32 = (
    0.7552851305, -0.6078966402, 0.3871373944, -0.1865219849, 0.060396644, -0.00753868878, -0.003479943026,
    0.001624247637, 0.0001336404262, -0.0002177710657, -1.725992292e-6, 2.197904341e-5,
)  # fmt: skip
W64 = (
    0.75528513041575145, -0.607896641971892125, 0.387137400742226922, -0.186521857959651772,
    0.0603965748903480801, -0.00754018896699662307, -0.00347969235645077767, 0.00163081846277896881,
    0.000133344207551537125, -0.000231094986748548468, -1.90766851332021457e-6, 0.0000351449881316034362,
    7.14580259219310118e-7, -5.92128942211502847e-6, -6.24914168090065902e-7, 1.02423689885654027e-6,
    2.6468456126470357e-7, -1.59164393917949029e-7, -7.87469443047083798e-8, 1.74191251794589134e-8,
    1.6051942514282525e-8, -4.17748385243342731e-10, -1.6858481937278876e-9, -1.49364795099550297e-10,
)  # fmt: skip

# (sin(r) - r) / r**3 and (cos(r) - 1) / r**2 of r**2, where |r| <= pi / 4: Taylor's series.
S32, S64 = (tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(1, terms)) for terms in (6, 10))
C32, C64 = (tuple((-1.0) ** k / math.factorial(2 * k) for k in range(1, terms)) for terms in (6, 10))

SHIFT32, SHIFT64 = 1.5 * 2**23, 1.5 * 2**52  # added and taken away, they round to an integer
LOG2_E = 1.4426950408889634
# log(2) in two parts, of which the first has zeros at its end, so that n times it is exact.
UPPER32, LOWER32 = 0.693359375, -0.000212194440055
UPPER64, LOWER64 = 0.6931471805598903, 5.4979230187083712e-14
LOG_2 = 0.6931471805599453
# And so pi / 2.
RIGHT_UPPER32, RIGHT_LOWER32 = 1.5703125, 0.000483826794897
RIGHT_UPPER64, RIGHT_LOWER64 = 1.5707963267341256, 6.077100506506192e-11


@inlined
def number(x: Any, value: float) -> Any:
    """Return a vector of x's kind with a number in every lane."""
    return constant(x, value, value)


@inlined
def negative(x: Any) -> Any:
    """Return -x."""
    return subtract(number(x, -0.0), x)


@inlined
def absolute(x: Any) -> Any:
    """Return |x|."""
    return copy_sign(x, number(x, 1.0))


@inlined
def rest(x: Any, n: Any) -> Any:
    """Return exp(r) - 1 for r = x - n * log(2), where |r| <= log(2) / 2."""
    r = multiply_add(n, constant(n, -UPPER32, -UPPER64), x)
    r = multiply_add(n, constant(n, -LOWER32, -LOWER64), r)
    return multiply_add(multiply(r, r), polynomial(r, E32, E64), r)


@inlined
def exp(x: Any) -> Any:
    """Return e to the power of x, which is cut into n * log(2) + r; to 1.1 ulp."""
    x = where_greater(x, constant(x, 89.0, 710.0), constant(x, 89.0, 710.0), x)  # infinite from there on
    x = where_greater(constant(x, -104.0, -746.0), x, constant(x, -104.0, -746.0), x)  # 0
    shift, one = constant(x, SHIFT32, SHIFT64), number(x, 1.0)
    n = subtract(multiply_add(x, number(x, LOG2_E), shift), shift)
    half = multiply_add(n, number(x, 0.5), shift)  # 2**n in two steps, which may be no normal number
    other = add(subtract(n, subtract(half, shift)), shift)
    return multiply(multiply(add(rest(x, n), one), two_to_the(half)), two_to_the(other))


@inlined
def negative_expm1(x: Any) -> Any:
    """Return exp(x) - 1 for x <= 0, to 1.2 ulp."""
    x = where_greater(number(x, -50.0), x, number(x, -50.0), x)  # -1
    shift = constant(x, SHIFT32, SHIFT64)
    shifted = multiply_add(x, number(x, LOG2_E), shift)
    power = two_to_the(shifted)
    return multiply_add(power, rest(x, subtract(shifted, shift)), subtract(power, number(x, 1.0)))


@inlined
def unit_log1p(x: Any) -> Any:
    """Return log(1 + x) for 0 <= x <= 1, which is 2 * atanh(x / (2 + x)), to 2 ulp."""
    s = divide(x, add(x, number(x, 2.0)))
    square = multiply(s, s)
    return multiply_add(multiply(s, square), polynomial(square, L32, L64), add(s, s))


@inlined
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x, to 2.7 ulp."""
    e = negative_expm1(multiply(absolute(x), number(x, -2.0)))
    return copy_sign(divide(e, add(e, number(x, 2.0))), x)


@inlined
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), to 2.5 ulp."""
    e, one = exp(negative(absolute(x))), number(x, 1.0)
    return divide(where_greater(x, number(x, 0.0), one, e), add(e, one))


@inlined
def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)), to 2.8 ulp."""
    return add(where_greater(x, number(x, 0.0), x, number(x, 0.0)), unit_log1p(exp(negative(absolute(x)))))


@inlined
def bell(x: Any) -> Any:
    """Return exp(-x**2 / 2), 0 where |x| > 40, to 1.7 ulp."""
    t = absolute(x)
    t = where_greater(t, number(x, 40.0), number(x, 40.0), t)
    square = multiply(t, t)
    lost = multiply_add(t, t, negative(square))  # in rounding the square
    e = exp(multiply(square, number(x, -0.5)))
    return multiply_add(e, multiply(lost, number(x, -0.5)), e)


@inlined
def normal_probability(x: Any, bell: Any) -> Any:
    """Return P(X <= x) for a standard normal X, which is (1 + erf(x / sqrt(2))) / 2, to 7 ulp.

    For x <= 0 it is exp(-x**2 / 2) times a ratio that changes slowly, so that small results are as accurate.

    Args:
        x: where.
        bell: exp(-x**2 / 2).
    """
    inverse = divide(number(x, 1.0), add(absolute(x), number(x, 4.0)))
    q = multiply_add(inverse, number(x, -8.0), number(x, 1.0))
    tail = multiply(bell, multiply(inverse, polynomial(q, W32, W64)))
    return where_greater(x, number(x, 0.0), subtract(number(x, 1.0), tail), tail)


@inlined
def normal_log(x: Any) -> Any:
    """Return the logarithm of a positive normal number m * 2**n, by atanh of (m - 1) / (m + 1); to 2 ulp."""
    shifted, shift, one = exponent(x), constant(x, SHIFT32, SHIFT64), number(x, 1.0)
    n = subtract(shifted, shift)
    m = multiply(x, two_to_the(subtract(shift, n)))
    s = divide(subtract(m, one), add(m, one))
    square = multiply(s, s)
    small = multiply_add(multiply(s, square), polynomial(square, L32, L64), add(s, s))
    return multiply_add(
        n, constant(n, UPPER32, UPPER64), multiply_add(n, constant(n, LOWER32, LOWER64), small)
    )


@inlined
def log(x: Any) -> Any:
    """Return the logarithm of x, to 2 ulp: -infinity of 0, NaN of what is below it."""
    zero, infinity, one = number(x, 0.0), number(x, math.inf), number(x, 1.0)
    small, large = constant(x, 2.0**-126, 2.0**-1022), number(x, 2.0**64)  # not normal; 2**-n is not
    factor = where_greater(small, x, large, where_greater(x, large, number(x, 2.0**-64), one))
    moved = where_greater(small, x, one, where_greater(x, large, number(x, -1.0), zero))
    result = multiply_add(moved, number(x, -64 * LOG_2), normal_log(multiply(x, factor)))
    result = where_equal(x, zero, negative(infinity), result)
    result = where_equal(x, infinity, infinity, result)
    return where_greater(zero, x, number(x, math.nan), where_equal(x, x, result, x))


@inlined
def log1p(x: Any) -> Any:
    """Return log(1 + x), to 2.5 ulp."""
    one = number(x, 1.0)
    whole = add(x, one)
    rounded = subtract(whole, one)
    # What rounding 1 + x lost; infinite and -1, nothing.
    rest = where_equal(rounded, x, number(x, 0.0), divide(subtract(x, rounded), whole))
    return add(log(whole), rest)


@inlined
def turned(x: Any, quarters: float) -> Any:
    """Return sin(x + quarters * pi / 2), to 2 ulp of 1 where |x| < 10000.

    Args:
        x: in radians.
        quarters: 0 or 1.
    """
    shift, one = constant(x, SHIFT32, SHIFT64), number(x, 1.0)
    n = subtract(multiply_add(x, number(x, 2 / math.pi), shift), shift)
    r = multiply_add(n, constant(n, -RIGHT_UPPER32, -RIGHT_UPPER64), x)
    r = multiply_add(n, constant(n, -RIGHT_LOWER32, -RIGHT_LOWER64), r)  # |r| <= pi / 4
    square = multiply(r, r)
    sine = multiply_add(multiply(r, square), polynomial(square, S32, S64), r)
    cosine = multiply_add(square, polynomial(square, C32, C64), one)
    quadrant = add(n, number(n, quarters))
    turns = subtract(multiply_add(quadrant, number(n, 0.25), shift), shift)
    quadrant = multiply_add(turns, number(n, -4.0), quadrant)  # -2 .. 2
    value = where_equal(absolute(quadrant), one, cosine, sine)
    minus = number(x, -1.0)
    sign = where_equal(absolute(quadrant), number(x, 2.0), minus, where_equal(quadrant, minus, minus, one))
    return multiply(value, sign)


@inlined
def sine(x: Any) -> Any:
    """Return the sine of x, see `turned`."""
    return turned(x, 0.0)


@inlined
def cosine(x: Any) -> Any:
    """Return the cosine of x, see `turned`."""
    return turned(x, 1.0)


@inlined
def clipped_line(x: Any) -> Any:
    """Return x + 3, at least 0 and at most 6, divided by 6."""
    zero, six = number(x, 0.0), number(x, 6.0)
    shifted = add(x, number(x, 3.0))
    shifted = where_greater(zero, shifted, zero, where_greater(shifted, six, six, shifted))
    return divide(shifted, six)
