"""Values on their way from ONNX to layers: the same numbers, as ONNX sees them and as the network holds them.

Whatever only moves axes, such as a Transpose, a Reshape or a Flatten, changes how ONNX sees a value, and
nothing in the network. Only a layer that needs the axes in another order makes the network move them. So
images stay as they are, channels last, between the transpositions that other programs put around them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Groups = list[list[int]]

# Stands for the number of samples in shapes, and in what files compute from shapes: a prime that no other
# size has as a factor.
BATCH = 1_000_003


@dataclass(frozen=True)
class Value:
    """An array of ONNX's that the network computes.

    Args:
        number: of the value in the network.
        physical: the shape of a sample in the network.
        fine: the factors that its axes are cut into, in their order; none of them is 1.
        order: the numbers of these factors in the order that ONNX sees.
        shape: what ONNX sees: products of neighbouring factors in that order; BATCH stands for the samples.
        is_positive: whether no element can be below 0.
    """

    number: int
    physical: Shape
    fine: Shape
    order: tuple[int, ...]
    shape: Shape
    is_positive: bool = False

    @classmethod
    def of(
        cls, number: int, physical: Sequence[int], axes: Sequence[int] | None = None, batched: bool = True
    ) -> Self:
        """Return a value whose axes ONNX sees in the given order; default: in the network's.

        Args:
            number: of the value in the network.
            physical: the shape of a sample there.
            axes: ONNX's axes without the batch's, as places in `physical`.
            batched: whether ONNX sees the samples as its first axis.
        """
        axes = range(len(physical)) if axes is None else axes
        places = [place for place, size in enumerate(physical) if size > 1]
        fine = tuple(physical[place] for place in places)
        order = tuple(places.index(axis) for axis in axes if physical[axis] > 1)
        shape = (*([BATCH] if batched else []), *(physical[axis] for axis in axes))
        return cls(number, tuple(physical), fine, order, shape)

    @property
    def rank(self) -> int:
        """How many axes ONNX sees."""
        return len(self.shape)

    @property
    def batched(self) -> bool:
        """Whether the samples are the first of them, perhaps together with others."""
        return self.rank > 0 and self.shape[0] % BATCH == 0

    @property
    def samples(self) -> int:
        """How many elements a sample has."""
        return math.prod(self.physical)

    @property
    def groups(self) -> Groups:
        """Of each of ONNX's axes the factors; the batch's has some where others were merged with it."""
        left, found = [*self.order], []
        for size in self.shape:
            remaining, group = size // BATCH if size % BATCH == 0 else size, []
            while remaining > 1:
                group.append(left.pop(0))
                remaining //= self.fine[group[-1]]
            found.append(group)
        return found

    @property
    def physical_groups(self) -> Groups:
        """Of each of the network's axes the factors."""
        return replace(self, shape=self.physical, order=tuple(range(len(self.fine)))).groups

    def size_of(self, group: Iterable[int]) -> int:
        """Return how large an axis of these factors is."""
        return math.prod(self.fine[factor] for factor in group)

    def computed(self, number: int, physical: Shape | None = None, is_positive: bool = False) -> Self:
        """Return what a layer makes of the value element by element."""
        physical = self.physical if physical is None else physical
        return replace(self, number=number, physical=physical, is_positive=is_positive)

    def transposed(self, axes: Sequence[int]) -> Self:
        """Return the value with ONNX's axes in another order, the batch's before all others."""
        groups = self.groups
        order = tuple(factor for axis in axes for factor in groups[axis])
        return replace(self, order=order, shape=tuple(self.shape[axis] for axis in axes))

    def reshaped(self, shape: Sequence[int]) -> Self | None:
        """Return the value in another shape; None where the network would have to move elements before."""
        have = [self.fine[factor] for factor in self.order]
        parts = splits(have, [size // BATCH if size % BATCH == 0 else size for size in shape])
        if parts is None:
            return None
        cut = dict(zip(self.order, parts, strict=True))
        starts = np.cumsum([0, *(len(cut[factor]) for factor in range(len(self.fine)))]).tolist()
        fine = tuple(size for factor in range(len(self.fine)) for size in cut[factor])
        order = tuple(starts[factor] + part for factor in self.order for part in range(len(cut[factor])))
        return replace(self, fine=fine, order=order, shape=tuple(shape))

    def ordered(self, axes: Groups) -> Self:
        """Return the value as it is once the network has moved these factors into this order."""
        flat = [factor for axis in axes for factor in axis]
        return replace(
            self,
            physical=tuple(self.size_of(axis) for axis in axes),
            fine=tuple(self.fine[factor] for factor in flat),
            order=tuple(flat.index(factor) for factor in self.order),
        )

    def places_in(self, group: Sequence[int]) -> Array:
        """Return for each index along an axis of these factors its place when they lie as in the network."""
        laid = sorted(group)
        places = np.arange(self.size_of(group)).reshape([self.fine[factor] for factor in laid])
        return places.transpose([laid.index(factor) for factor in group]).reshape(-1)

    def spread(self, constant: Array) -> Array:
        """Return a constant that ONNX broadcasts to the value, to be broadcast to a sample in the network.

        Raises:
            ValueError: it has more axes or other sizes.
        """
        sizes = (1,) * (self.rank - constant.ndim) + constant.shape
        fits = len(sizes) == self.rank and all(
            size in (1, whole) for size, whole in zip(sizes, self.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"a constant of shape {constant.shape} does not fit a value {shown(self.shape)}")
        cut = [
            self.fine[factor] if size > 1 else 1
            for size, group in zip(sizes, self.groups, strict=True)
            for factor in group
        ]
        found = constant.reshape(cut).transpose([self.order.index(factor) for factor in range(len(cut))])
        wholes = [
            [self.fine[f] if any(found.shape[f] > 1 for f in group) else 1 for f in group]
            for group in self.physical_groups
        ]
        spread = np.broadcast_to(found, [size for whole in wholes for size in whole])
        return spread.reshape([math.prod(whole) for whole in wholes])


def splits(have: Sequence[int], want: Sequence[int]) -> Groups | None:
    """Return how axes have to be cut so that others can be made of the parts, or None."""
    wanted = [size for size in want if size > 1]
    found, rest = [], 1
    for size in have:
        parts = []
        while size > 1:
            if rest == 1:
                rest = wanted.pop(0)
            part = min(size, rest)
            if size % part or rest % part:
                return None
            parts.append(part)
            size, rest = size // part, rest // part
        found.append(parts)
    return found


def shown(shape: Sequence[int]) -> str:
    """Return a shape for messages, with N for the samples."""
    sizes = [
        str(size) if size % BATCH else ("N" if size == BATCH else f"N*{size // BATCH}") for size in shape
    ]
    return f"({', '.join(sizes)})"
