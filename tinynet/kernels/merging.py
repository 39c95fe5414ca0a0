"""Several arrays into one, and back: element by element, where axes of size 1 are broadcast, or side by side.

All arrays are contiguous and of one type T, float32 or float64, but for the offsets r and s, which are int64.

Broadcasting: `whole` is (rows, size) and `part` is (rows, few). An element of the part belongs to all
those places of its row of the whole that lie at

    i = r[k] + s[j] + c      for all j < J, and c < width = size / (K * J)

with K = r.size and J = s.size. The part's element p is of one k, and either of one c, p = k * width + c (so
few = K * width), or of all of them, p = k (few = K). For example, to spread (N, 1, 1, C) over (N, H, W, C),
the rows are N, r = [0], and s are the places of the H * W pixels, each of which has C elements. A part as
large as the whole has r = s = [0].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import (
    PARTS,
    add,
    broadcast,
    broadcast_parts,
    divide,
    lane_sum,
    larger,
    load,
    load_parts,
    multiply,
    store,
    subtract,
    where_equal,
)

COPY, ADD, SUBTRACT, MULTIPLY, LARGER = range(5)  # what `combine` does
CHUNK = 128  # terms that are summed in T, before they are added in float64
# No vector has more lanes: as a count, it means all of them. Being a constant, it needs no mask, and without
# masks, stores to arrays that are not in the cache are twice as fast.
ALL = VECTOR_BYTES


@kernel
def apply(a: Any, b: Any, operation: int) -> Any:
    """Return a + b, a - b, a * b, the larger of both, or b, of two vectors."""
    if operation == ADD:
        return add(a, b)
    if operation == SUBTRACT:
        return subtract(a, b)
    if operation == MULTIPLY:
        return multiply(a, b)
    if operation == LARGER:
        return larger(a, b)
    return b


@kernel
def combine(whole: Array, part: Array, y: Array, r: Array, s: Array, operation: int, divisor: float) -> None:
    """Spread a part over the whole: y[n, i] = (whole[n, i] operation part[n, p]) / divisor.

    Args:
        whole: (rows, size); for COPY, which does not look at it, anything of that shape.
        part: (rows, few).
        y: (rows, size), written; it may be the whole itself.
        r, s: (K,) and (J,) offsets.
        operation: ADD, SUBTRACT, MULTIPLY, LARGER (NaN where there is one) or COPY, which takes the part's.
        divisor: what the result is divided by; 1 leaves it as it is.
    """
    rows, size = y.shape
    width = size // (r.size * s.size)
    lanes, keeps, divides = VECTOR_BYTES // y.itemsize, part.shape[1] == r.size * width, divisor != 1
    wholes, parts, results = whole.reshape(-1), part.reshape(-1), y.reshape(-1)
    quotient = broadcast(y.dtype.type(divisor))
    for n in range(rows):
        for k in range(r.size):
            place = (n * r.size + k) * (width if keeps else 1)
            b = quotient if keeps else broadcast(parts[place])
            for j in range(s.size):
                begin, c = n * size + r[k] + s[j], 0
                while c + lanes <= width:
                    if keeps:
                        b = load(parts, place + c, ALL)
                    value = apply(load(wholes, begin + c, ALL), b, operation)
                    if divides:
                        value = divide(value, quotient)
                    store(results, begin + c, ALL, value)
                    c += lanes
                if c < width:
                    count = width - c
                    if keeps:
                        b = load(parts, place + c, count)
                    value = apply(load(wholes, begin + c, count), b, operation)
                    if divides:
                        value = divide(value, quotient)
                    store(results, begin + c, count, value)


@kernel
def term(whole: Array, factors: Array, i: int, count: int) -> Any:
    """Return whole[i:][:count] * factors[i:][:count], or without factors whole[i:][:count], as a vector."""
    value = load(whole, i, count)
    return multiply(value, load(factors, i, count)) if factors.size else value


@kernel
def term_parts(whole: Array, factors: Array, i: int, count: int) -> Any:
    """Return the same as a vector of 16 lanes."""
    value = load_parts(whole, i, count)
    return multiply(value, load_parts(factors, i, count)) if factors.size else value


@kernel
def gather_sum(whole: Array, factors: Array, x: Array, r: Array, s: Array, divisor: float) -> None:
    """Sum over the places of each element of a part: the transpose of spreading it.

    x[n, p] = (the sum over j, and where p = k also over c, of whole[n, i] * factors[n, i]) / divisor. The
    order is fixed; up to CHUNK terms are summed in T, or in each of 16 parts, and these sums in float64.

    Args:
        whole: (rows, size).
        factors: (rows, size), or of size 0 if there are none.
        x: (rows, few), written.
        r, s: (K,) and (J,) offsets.
        divisor: what the result is divided by.
    """
    rows, size = whole.shape
    width = size // (r.size * s.size)
    lanes, zero = VECTOR_BYTES // x.itemsize, broadcast(x.dtype.type(0))
    nothing = broadcast_parts(x.dtype.type(0))
    keeps = x.shape[1] == r.size * width
    elements, weights, results = whole.reshape(-1), factors.reshape(-1), x.reshape(-1)
    chunk, totals = np.empty(width, x.dtype), np.empty(width, np.float64)
    for n in range(rows):
        for k in range(r.size):
            first = n * size + r[k]
            if keeps:
                for i in range(width):
                    totals[i] = 0.0
                start = 0
                while start < s.size:
                    end, c = min(start + CHUNK, s.size), 0
                    while c < width:
                        count, i, j = width - c, first + c, start
                        sum_0 = sum_1 = sum_2 = sum_3 = zero  # several sums hide the latency of each other
                        while j + 3 < end:
                            sum_0 = add(sum_0, term(elements, weights, i + s[j], count))
                            sum_1 = add(sum_1, term(elements, weights, i + s[j + 1], count))
                            sum_2 = add(sum_2, term(elements, weights, i + s[j + 2], count))
                            sum_3 = add(sum_3, term(elements, weights, i + s[j + 3], count))
                            j += 4
                        while j < end:
                            sum_0 = add(sum_0, term(elements, weights, i + s[j], count))
                            j += 1
                        store(chunk, c, count, add(add(sum_0, sum_1), add(sum_2, sum_3)))
                        c += lanes
                    start = end
                    for i in range(width):
                        totals[i] += chunk[i]
                place = (n * r.size + k) * width
                for i in range(width):
                    results[place + i] = totals[i] / divisor
            else:
                total = 0.0
                for j in range(s.size):
                    begin, stop = first + s[j], first + s[j] + width
                    while begin < stop:
                        end = min(begin + CHUNK * PARTS, stop)
                        part_0 = part_1 = nothing
                        while begin + 2 * PARTS <= end:
                            part_0 = add(part_0, term_parts(elements, weights, begin, ALL))
                            part_1 = add(part_1, term_parts(elements, weights, begin + PARTS, ALL))
                            begin += 2 * PARTS
                        while begin < end:
                            part_0 = add(part_0, term_parts(elements, weights, begin, end - begin))
                            begin += PARTS
                        begin = end
                        total += lane_sum(add(part_0, part_1))
                results[n * r.size + k] = total / divisor


@kernel
def largest_gradient(part: Array, y: Array, dy: Array, here: Array, rest: Array, r: Array, s: Array) -> None:
    """Give a part its share of the gradient of a maximum, and leave the rest for the parts after it.

    here[n, i] = dy[n, i] where part[n, p] = y[n, i], else 0, and rest[n, i] the other way around: so the
    first of equally large elements gets all, and where y is NaN, nobody gets anything.

    Args:
        part: (rows, few).
        y: (rows, size), the maximum of all parts.
        dy: (rows, size), what earlier parts left of the upstream gradient.
        here: (rows, size), written; `gather_sum` of it is the part's gradient.
        rest: (rows, size), written; it may be dy itself. Or of size 0 after the last part.
        r, s: (K,) and (J,) offsets.
    """
    rows, size = y.shape
    width = size // (r.size * s.size)
    lanes, keeps = VECTOR_BYTES // y.itemsize, part.shape[1] == r.size * width
    parts, maxima, upstream = part.reshape(-1), y.reshape(-1), dy.reshape(-1)
    mine, others, zero = here.reshape(-1), rest.reshape(-1), broadcast(y.dtype.type(0))
    for n in range(rows):
        for k in range(r.size):
            place = (n * r.size + k) * (width if keeps else 1)
            x = zero if keeps else broadcast(parts[place])
            for j in range(s.size):
                begin, c = n * size + r[k] + s[j], 0
                while c + lanes <= width:
                    i = begin + c
                    if keeps:
                        x = load(parts, place + c, ALL)
                    largest, slope = load(maxima, i, ALL), load(upstream, i, ALL)
                    store(mine, i, ALL, where_equal(x, largest, slope, zero))
                    if others.size:
                        store(others, i, ALL, where_equal(x, largest, zero, slope))
                    c += lanes
                if c < width:
                    i, count = begin + c, width - c
                    if keeps:
                        x = load(parts, place + c, count)
                    largest, slope = load(maxima, i, count), load(upstream, i, count)
                    store(mine, i, count, where_equal(x, largest, slope, zero))
                    if others.size:
                        store(others, i, count, where_equal(x, largest, zero, slope))


@kernel
def copy_columns(x: Array, first: int, y: Array, start: int, width: int) -> None:
    """Copy some columns of a matrix to another: y[r, start + c] = x[r, first + c] for c < width.

    Args:
        x: (rows, A) with A >= first + width.
        first: the first of the columns that are copied.
        y: (rows, B) with B >= start + width; its other columns stay as they are.
        start: where the first of them goes.
        width: how many there are.
    """
    source, target, lanes = x.reshape(-1), y.reshape(-1), VECTOR_BYTES // x.itemsize
    for row in range(x.shape[0]):
        i, k, c = row * x.shape[1] + first, row * y.shape[1] + start, 0
        while c + lanes <= width:
            store(target, k + c, ALL, load(source, i + c, ALL))
            c += lanes
        if c < width:
            store(target, k + c, width - c, load(source, i + c, width - c))
