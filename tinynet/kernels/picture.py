"""Kernels for people's pictures: sliding maximum, connected components and their boxes, wider strokes."""

from __future__ import annotations

import math

from .jit import Array, kernel


@kernel
def window_maximum(x: Array, y: Array, radius: int) -> None:
    """Write to y[i, j] the largest of x[i - radius : i + radius + 1, j], of what there is of it.

    x and y are (rows, columns). Blocks of 2 · radius + 1 rows hold, each, the maximum of its rows so far
    from above and from below; a window is the end of one block and the start of the next. (van Herk, "A fast
    algorithm for local minimum and maximum filters on rectangular and octagonal kernels", 1992.)
    """
    rows, columns = x.shape
    width = 2 * radius + 1
    below = x.copy()  # the maximum from this row to its block's last
    above = x.copy()  # the maximum from its block's first row to this one
    for i in range(1, rows):
        if i % width != 0:
            for j in range(columns):
                above[i, j] = max(above[i, j], above[i - 1, j])
    for i in range(rows - 2, -1, -1):
        if (i + 1) % width != 0:
            for j in range(columns):
                below[i, j] = max(below[i, j], below[i + 1, j])
    for i in range(rows):
        first, last = max(i - radius, 0), min(i + radius, rows - 1)
        if first // width == last // width and i < radius:  # cut off above: the block's first row is row 0
            for j in range(columns):
                y[i, j] = above[last, j]
        elif first // width == last // width and last < first + 2 * radius:  # cut off below
            for j in range(columns):
                y[i, j] = below[first, j]
        else:
            for j in range(columns):
                y[i, j] = max(below[first, j], above[last, j])


@kernel
def label(mask: Array, labels: Array, parents: Array) -> int:
    """Give the connected parts of a mask numbers, and return how many there are.

    mask is (H, W) of bool; labels (H, W) of int32 gets 0 outside the mask, and 1, 2, ... for the parts in the
    order of their first pixels; pixels that touch at a corner are connected. parents is an int32 workspace of
    ⌈H / 2⌉ · ⌈W / 2⌉ + 1 elements. (Rosenfeld and Pfaltz, "Sequential operations in digital picture
    processing", 1966.)
    """
    height, width = mask.shape
    count = 0
    parents[0] = 0
    for i in range(height):
        for j in range(width):
            labels[i, j] = 0
            if not mask[i, j]:
                continue
            root = 0
            for step in range(4):  # the neighbours that have been seen
                y = i if step == 0 else i - 1
                x = j - 1 if step == 0 else j + step - 2
                if y < 0 or x < 0 or x >= width or labels[y, x] == 0:
                    continue
                other = labels[y, x]
                while parents[other] != other:
                    other = parents[other]
                if root == 0:
                    root = other
                else:  # the smaller is the one of the earlier pixel
                    parents[max(root, other)] = min(root, other)
                    root = min(root, other)
            if root == 0:
                count += 1
                parents[count] = count
                root = count
            labels[i, j] = root
    found = 0
    for number in range(1, count + 1):  # a part's root is its smallest number, so it comes first
        if parents[number] == number:
            found += 1
            parents[number] = -found
        else:
            parents[number] = parents[parents[number]]  # a smaller number, so it has its root's already
    for i in range(height):
        for j in range(width):
            labels[i, j] = -parents[labels[i, j]]
    return found


@kernel
def boxes(labels: Array, found: Array) -> None:
    """Write to found the box of each connected part.

    labels is (H, W) of int32 from `label`; found (parts + 1, 4) of int32 gets each number's first row, the
    row after its last, its first column and the column after its last. Number 0, the background, is left out:
    its box is (H, 0, W, 0).
    """
    height, width = labels.shape
    found[:, 0] = height
    found[:, 1] = 0
    found[:, 2] = width
    found[:, 3] = 0
    for i in range(height):
        for j in range(width):
            number = labels[i, j]
            if number:
                found[number, 0] = min(found[number, 0], i)
                found[number, 1] = i + 1
                found[number, 2] = min(found[number, 2], j)
                found[number, 3] = max(found[number, 3], j + 1)


@kernel
def widen(x: Array, y: Array, radius: float) -> None:
    """Write to y the image x with its strokes wider by radius pixels on each side.

    x and y are (H, W): y[p] is the largest x[q] · clip(radius + 1 - |p - q|, 0, 1), the grey dilation by a
    disc with a soft edge. Applied to 1 - x, it makes strokes narrower.
    """
    height, width = x.shape
    reach = int(radius + 1)
    y[:] = x
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            weight = radius + 1 - math.sqrt(down * down + right * right)
            if weight <= 0:
                continue
            weight = x.dtype.type(min(weight, 1.0))
            for i in range(max(0, -down), min(height, height - down)):
                for j in range(max(0, -right), min(width, width - right)):
                    y[i, j] = max(y[i, j], x[i + down, j + right] * weight)
