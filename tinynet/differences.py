"""Gradients against differences, element by element, also where kinks are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STEPS = (1e-5, 1e-6, 1e-7, 1e-4)  # smaller ones cross fewer kinks, larger ones suffer less from rounding
POINTS = 10  # beside the given one, at most, at which an element that is in dispute there is compared
ENOUGH = 3  # of them at which a gradient that is not 0 has to be right (behind a ReLU, a wrong one may be 0)


@dataclass
class Element:
    """An element of one of the arrays, and what differences say of its gradient.

    Attributes:
        array, index: the array's number, and the place in it.
        verdict: "right", "kink" (wrong at the given point and right beside it) or "wrong".
        error: the relative error.
        backward, differences: what each gives for the gradient, where they disagree.
        at_kink: whether they do at a kink; if it is wrong, the three above are from beside it.
        agreed, agreed_on_zero: the number of points beside it at which they agree.
        error_beside: the largest error there.
    """

    array: int
    index: tuple[int, ...]
    verdict: str = ""
    error: float = 0.0
    backward: float = np.nan
    differences: float = np.nan
    at_kink: bool = False
    agreed: int = 0
    agreed_on_zero: int = 0
    error_beside: float = 0.0


class Comparison:
    """The gradients of arrays against central differences, at the point that the arrays hold and beside it.

    Where the two disagree, backward is wrong, or the point is special: at a kink, as ReLU's at 0, there is no
    gradient. At random points there are no kinks, so they decide. (One-sided differences would not: several
    kinks in one element add up, with any signs, or hide each other behind a tie in max-pooling.)

    Args:
        parameters, inputs: the arrays; they are changed.
        terms: computes an array from them, of whose sum the gradients are.
        gradients: computes the gradient of each array.
        tolerance: the largest relative error that is right.
        random: chooses elements and points.

    Example:
        >>> x = np.array([-1.0, 0.0, 2.0])
        >>> relu, gradient, wrong = lambda: np.maximum(x, 0), lambda: [1.0 * (x > 0)], lambda: [2.0 * (x > 0)]
        >>> for slope in (gradient, wrong):
        ...     compared = Comparison([], [x], relu, slope, 1e-6, np.random.default_rng(0)).elements(3)
        ...     print([element.verdict for element in sorted(compared, key=lambda element: element.index)])
        ...     x[:] = -1.0, 0.0, 2.0
        ['right', 'kink', 'right']
        ['right', 'wrong', 'wrong']
    """

    def __init__(
        self,
        parameters: Sequence[Array],
        inputs: Sequence[Array],
        terms: Callable[[], Array],
        gradients: Callable[[], list[Array]],
        tolerance: float,
        random: np.random.Generator,
    ) -> None:
        self.arrays, self.parameters = [*parameters, *inputs], len(parameters)
        self.given = [array.copy() for array in self.arrays]
        self.terms, self.gradients, self.tolerance, self.random = terms, gradients, tolerance, random

    def elements(self, samples: int) -> list[Element]:
        """Return elements of each array, up to so many, with verdicts.

        The first points keep what may be special without a kink, such as zeros: for parameters, the inputs
        (given these, almost no parameters are at a kink); for an element of an input, its own value.
        """
        elements = self.choose(samples)
        disputed = self.judge(elements, beside=False)
        self.move(slice(self.parameters))
        self.judge([element for element in disputed if element.array < self.parameters])
        self.move(slice(self.parameters, None))
        for element in disputed:
            if element.array >= self.parameters:
                array, given = self.arrays[element.array], self.given[element.array]
                moved, array[element.index] = array[element.index], given[element.index]
                self.judge([element])
                array[element.index] = moved
        for _ in range(POINTS):
            disputed = [element for element in disputed if not element.verdict]
            if disputed:
                self.move(slice(None))
                self.judge(disputed)
        for element in elements:
            if not element.verdict:
                element.verdict = "kink" if element.agreed or element.agreed_on_zero else "wrong"
        return elements

    def choose(self, samples: int) -> list[Element]:
        """Return random elements of each array, those without a finite gradient first."""
        elements = []
        for number, gradient in enumerate(self.gradients()):
            places = self.random.permutation(gradient.size)
            places = places[np.argsort(np.isfinite(gradient.reshape(-1)[places]), kind="stable")][:samples]
            indices = zip(*np.unravel_index(places, gradient.shape), strict=True)
            elements += [Element(number, tuple(map(int, index))) for index in indices]
        return elements

    def move(self, which: slice) -> None:
        """Move arrays to a random point beside the given one, so far that a step hardly meets a kink."""
        for array, given in zip(self.arrays[which], self.given[which], strict=True):
            scale = 0.1 * max(0.1, float(np.mean(np.abs(given))))
            array[...] = given + scale * self.random.standard_normal(given.shape)

    def judge(self, elements: list[Element], beside: bool = True) -> list[Element]:
        """Compare elements at the point that the arrays hold, and return those in dispute."""
        with np.errstate(all="ignore"):
            gradients, middle = self.gradients(), self.terms()
            sizes = [float(np.abs(g[np.isfinite(g)]).max(initial=0.0)) for g in gradients]
            # Where a gradient is 0 by theory, as of a bias before a normalization, there is only rounding.
            rounding = max(1e-6 * max(sizes), 1e-5 * float(np.sqrt(middle.size) * np.abs(middle).mean()))
            for element in elements:
                gradient = float(gradients[element.array][element.index])
                floor = max(1e-3 * sizes[element.array], rounding)
                numeric, error, jump = self.differences(element, gradient, middle, floor)
                if beside:
                    self.decide(element, gradient, numeric, error, jump)
                elif error <= self.tolerance:
                    element.verdict, element.error = "right", error
                else:
                    element.backward, element.differences, element.error = gradient, numeric, error
                    element.at_kink = jump > 0.01
                    element.verdict = "" if np.isfinite(gradient) else "wrong"
        return [element for element in elements if not element.verdict]

    def decide(self, element: Element, gradient: float, numeric: float, error: float, jump: float) -> None:
        """Give a verdict on an element, if a point beside the given one suffices."""
        smooth = jump < 1e-6
        if error <= self.tolerance:
            element.agreed += gradient != 0
            element.agreed_on_zero += gradient == 0
            element.error_beside = max(element.error_beside, error)
            element.verdict = "kink" if element.agreed == ENOUGH else ""
        elif smooth:
            element.verdict = "wrong"
            if element.at_kink:
                element.backward, element.differences, element.error = gradient, numeric, error

    def differences(
        self, element: Element, gradient: float, middle: Array, floor: float
    ) -> tuple[float, float, float]:
        """Return the central difference nearest to a gradient, the relative error, and the jump.

        Args:
            element: whose gradient it is.
            gradient: by backward.
            middle: the terms at this point.
            floor: what the error is at least relative to.

        Returns:
            The jump is between the differences to both sides, in absolute errors: nearly 0 without a kink.
        """
        array, index = self.arrays[element.array], element.index
        original, found = array[index], (np.nan, np.inf)
        central, jumps = [], []
        for step in STEPS:
            array[index] = original + step
            above = self.terms()
            array[index] = original - step
            below = self.terms()
            array[index] = original
            numeric = float(np.sum(above - below)) / (2 * step)
            central.append(numeric)
            jumps.append(float(np.sum((above - middle) - (middle - below))) / step)
            scale = max(abs(numeric), abs(gradient), floor)
            error = abs(numeric - gradient) / scale if scale else 0.0
            if error < found[1] or np.isnan(found[0]):
                found = numeric, error if np.isfinite(error) else np.inf
            if found[1] <= self.tolerance:
                return *found, 0.0
        # Of a smooth function, the jump shrinks with the step: the first term is where the first two lead to.
        # The second term is there because rounding may hide a jump, but then shows in the differences, too.
        jump = abs(jumps[0] - 10 * jumps[1]) / 9 + 1e-5 * abs(central[0] - central[1])
        return *found, jump / abs(found[0] - gradient)
