"""Measure a step of each optimizer on 1.2 million weights, beside PyTorch's fastest implementation of it.

python benchmarks/optimizers.py --rounds 40 --threads 1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
from common import interleave

import tinynet
from tinynet import optim
from tinynet.execution.recording import each

SHAPES = [(784, 1024), (1024,), (1024, 384), (384,), (384, 10), (10,)]
STEPS = 5

# By name: tinynet's, PyTorch's, and how that is called: "fused" where PyTorch has it for CPUs.
OPTIMIZERS: dict[str, tuple[Callable[[], optim.Optimizer], str, dict[str, Any]]] = {
    "SGD": (lambda: optim.SGD(1e-3), "SGD", {"fused": True}),
    "SGD, momentum": (lambda: optim.SGD(1e-3, 0.9), "SGD", {"momentum": 0.9, "fused": True}),
    "Adam": (lambda: optim.Adam(1e-3), "Adam", {"fused": True}),
    "Adam, AMSGrad": (lambda: optim.Adam(1e-3, amsgrad=True), "Adam", {"amsgrad": True, "fused": True}),
    "AdamW": (lambda: optim.AdamW(1e-3), "AdamW", {"weight_decay": 0.004, "fused": True}),
    "RMSprop": (lambda: optim.RMSprop(1e-3), "RMSprop", {"alpha": 0.9, "foreach": True}),
    "RMSprop, momentum, centered": (
        lambda: optim.RMSprop(1e-3, momentum=0.9, centered=True),
        "RMSprop",
        {"alpha": 0.9, "momentum": 0.9, "centered": True, "foreach": True},
    ),
    "Adagrad": (lambda: optim.Adagrad(1e-3), "Adagrad", {"fused": True}),
    "Adadelta": (lambda: optim.Adadelta(1e-3), "Adadelta", {"rho": 0.95, "foreach": True}),
    "Adamax": (lambda: optim.Adamax(1e-3), "Adamax", {"foreach": True}),
    "Nadam": (lambda: optim.Nadam(1e-3), "NAdam", {"foreach": True}),
    "SGD, clipnorm": (lambda: optim.SGD(1e-3, clipnorm=1.0), "", {}),
    "SGD, clipvalue": (lambda: optim.SGD(1e-3, clipvalue=1.0), "", {}),
}


def timed(step: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that makes some steps, and returns the milliseconds that each took."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        return (time.perf_counter() - start) / STEPS * 1000

    measure()
    return measure


def of_tinynet(optimizer: optim.Optimizer) -> Callable[[], float]:
    """Return what measures steps on one vector, as which a model gives its weights to an optimizer."""
    rng = np.random.default_rng(0)
    sizes = [int(np.prod(shape)) for shape in SHAPES]
    value, grad = (rng.normal(size=sum(sizes)).astype(np.float32) for _ in range(2))
    run = [SimpleNamespace(value=value, grad=grad, sizes=sizes)]
    return timed(lambda: optimizer.step(run, each))


def of_torch(name: str, arguments: dict[str, Any]) -> Callable[[], float]:
    """Return what measures steps of PyTorch's optimizer of this name."""
    import torch

    weights = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    for weight in weights:
        weight.grad = torch.randn(weight.shape)
    return timed(getattr(torch.optim, name)(weights, lr=1e-3, **arguments).step)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40, help="default: 40")
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    options = parser.parse_args()
    import torch

    tinynet.set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    for name, (make, theirs, arguments) in OPTIMIZERS.items():
        contestants = {"tinynet": of_tinynet(make())}
        if theirs:
            contestants["PyTorch"] = of_torch(theirs, arguments)
        results = interleave(contestants, options.rounds)
        taken = {who: f"{median(ms):6.2f} ms, least {min(ms):6.2f}" for who, ms in results.items()}
        line = f"{name:29}tinynet {taken['tinynet']}"
        if theirs:
            ratio = min(results["PyTorch"]) / min(results["tinynet"])
            how = "fused" if "fused" in arguments else "foreach"
            line += f"; PyTorch ({how}) {taken['PyTorch']}; ratio of the least {ratio:.2f}"
        print(line)


if __name__ == "__main__":
    main()
