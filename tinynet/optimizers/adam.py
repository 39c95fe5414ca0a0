"""Adam, and Adam with weight decay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .. import kernels
from ..arguments import is_fraction, is_positive, require
from .base import Optimizer
from .parameters import Array


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam: momentum, and for each element a step size of its own.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: the decay of the mean of the gradients, in [0, 1). Default 0.9.
        beta_2: the decay of the mean of their squares, in [0, 1). Default 0.999.
        epsilon: added to the square root of the bias-corrected mean square (as in the paper's Algorithm 1
            and PyTorch; Keras adds it before the correction). Default 1e-7.
        weight_decay: each step first shrinks the values by learning_rate × weight_decay. Default 0.
        clipnorm: the largest joint L2 norm of all gradients, which are scaled down to it; Keras calls this
            global_clipnorm. Default None: no limit.

    Raises:
        TypeError: an unknown argument (lr, for example).
        ValueError: an invalid value.

    Example:
        >>> from tinynet.optim import CosineDecay
        >>> Adam(CosineDecay(1e-3, decay_steps=5000)).current_learning_rate
        0.001

    Source:
        D. Kingma, J. Ba: Adam: A Method for Stochastic Optimization, 2015, Algorithm 1; weight decay:
        I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    learning_rate: float | Callable[[int], float] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        super()._check()
        require(self, beta_1=is_fraction, beta_2=is_fraction, epsilon=is_positive)

    def _state_names(self) -> tuple[str, ...]:
        return ("m", "v")

    def _numbers(self) -> tuple[float, ...]:
        return self.beta_1, self.beta_2, self.epsilon

    def _update(self, value: Array, gradient: Array, *state: Array) -> None:
        m, v = state
        kernels.update.adam(value, gradient, m, v, self._settings)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with weight decay by default; every optimizer here decays weights in this decoupled way.

    Args:
        learning_rate: a float or a schedule. Default 0.001.
        beta_1: as for `Adam`. Default 0.9.
        beta_2: as for `Adam`. Default 0.999.
        epsilon: as for `Adam`. Default 1e-7.
        weight_decay: each step first shrinks the values by learning_rate × weight_decay. Default 0.004.
        clipnorm: as for `Adam`. Default None.

    Raises:
        TypeError: an unknown argument (lr, for example).
        ValueError: an invalid value.

    Example:
        >>> AdamW().weight_decay
        0.004

    Source:
        I. Loshchilov, F. Hutter: Decoupled Weight Decay Regularization, 2019.
    """

    weight_decay: float = field(default=0.004, kw_only=True)
