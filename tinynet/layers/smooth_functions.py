"""Smooth activations as functions; see functions.py."""

from __future__ import annotations

from typing import Any

from .activation import FUNCTIONS, Activation
from .elementwise import ELU
from .functions import apply


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, else alpha * (exp(x) - 1); see `layers.ELU`.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.
        alpha: minus the least value; default 1.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> elu([-1000.0, 0.0, 2.0])
        array([-1.,  0.,  2.], dtype=float32)
    """
    return apply(ELU(alpha), x)


def selu(x: Any) -> Any:
    """Return 1.0507 * x where x is positive, else 1.7581 * (exp(x) - 1).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> selu([-1000.0, 0.0, 1.0])
        array([-1.7580993,  0.       ,  1.050701 ], dtype=float32)
    """
    return apply(Activation("selu"), x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Return x * P(X <= x) for a standard normal X.

    Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)" (2016).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.
        approximate: whether to return x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2, whose name
            for layers is "gelu_approximate"; default False.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> gelu([-1.0, 0.0, 1.0])
        array([-0.15865526,  0.        ,  0.8413447 ], dtype=float32)
    """
    return apply(Activation("gelu_approximate" if approximate else "gelu"), x)


def silu(x: Any) -> Any:
    """Return x * sigmoid(x), which is called `swish`, too.

    Ramachandran, Zoph and Le, "Searching for Activation Functions" (2017).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> silu([-1.0, 0.0, 1.0])
        array([-0.26894143,  0.        ,  0.7310586 ], dtype=float32)
    """
    return apply(Activation("silu"), x)


def mish(x: Any) -> Any:
    """Return x * tanh(softplus(x)).

    Misra, "Mish: A Self Regularized Non-Monotonic Activation Function" (2019).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> mish([-1.0, 0.0, 1.0])
        array([-0.30340147,  0.        ,  0.86509836], dtype=float32)
    """
    return apply(Activation("mish"), x)


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> softplus([-1000.0, 0.0, 1000.0])
        array([0.000000e+00, 6.931472e-01, 1.000000e+03], dtype=float32)
    """
    return apply(Activation("softplus"), x)


def softsign(x: Any) -> Any:
    """Return x / (1 + abs(x)).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> softsign([-1.0, 0.0, 3.0])
        array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    return apply(Activation("softsign"), x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> sigmoid([-1000.0, 0.0])
        array([0. , 0.5], dtype=float32)
    """
    return apply(Activation("sigmoid"), x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> tanh([0.0, 1000.0])
        array([0., 1.], dtype=float32)
    """
    return apply(Activation("tanh"), x)


def exponential(x: Any) -> Any:
    """Return exp(x).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> exponential([-1000.0, 0.0, 1.0])
        array([0.       , 1.       , 2.7182817], dtype=float32)
    """
    return apply(Activation("exponential"), x)


FUNCTIONS.update(
    {
        function: function.__name__
        for function in (elu, selu, gelu, silu, mish, softplus, softsign, sigmoid, tanh, exponential)
    }
)
