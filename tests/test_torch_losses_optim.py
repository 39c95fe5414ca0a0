"""Losses, optimizers and schedules give the numbers of PyTorch, in float32 over random configurations."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tinynet import losses, optim

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SEEDS = range(8)


def compare_loss(loss, theirs, predictions, targets):
    tensor = torch.tensor(predictions, requires_grad=True)
    expected = theirs(tensor)
    expected.backward()
    assert loss(targets, predictions) == pytest.approx(expected.item(), rel=1e-5)
    gradient = loss.gradient(targets, predictions)
    assert gradient.dtype == np.float32
    largest = tensor.grad.abs().max().item()
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-5, atol=1e-5 * largest)


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy(seed):
    rng = np.random.default_rng(seed)
    rows, classes = rng.integers(1, 40), rng.integers(2, 20)
    smoothing = float(rng.choice([0.0, 0.1, 0.5]))
    logits = (rng.normal(size=(rows, classes)) * 3).astype(np.float32)
    labels, distributions = rng.integers(0, classes, rows), rng.dirichlet(np.ones(classes), rows)
    ours = losses.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    compare_loss(
        ours,
        lambda z: functional.cross_entropy(z, torch.tensor(labels), label_smoothing=smoothing),
        logits,
        labels,
    )
    compare_loss(
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
        lambda z: functional.cross_entropy(
            z, torch.tensor(distributions, dtype=torch.float32), label_smoothing=smoothing
        ),
        logits,
        distributions,
    )
    probabilities = functional.softmax(
        torch.tensor(logits / 3), dim=1
    ).numpy()  # none is so small as to be clipped
    compare_loss(
        losses.SparseCategoricalCrossentropy(),
        lambda p: functional.nll_loss(torch.log(p / p.sum(-1, keepdim=True)), torch.tensor(labels)),
        probabilities,
        labels,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy_of_several_answers_a_sample(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(3, 4, 5)).astype(np.float32)
    labels = rng.integers(0, 5, size=(3, 4))
    compare_loss(
        losses.SparseCategoricalCrossentropy(from_logits=True),
        lambda z: functional.cross_entropy(
            z.movedim(-1, 1), torch.tensor(labels)
        ),  # theirs has classes second
        logits,
        labels,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_binary_cross_entropy_and_squared_error(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, size=2))
    logits = (rng.normal(size=shape) * 5).astype(np.float32)
    targets = rng.uniform(size=shape).astype(np.float32)
    tensor = torch.tensor(targets)
    compare_loss(
        losses.BinaryCrossentropy(from_logits=True),
        lambda z: functional.binary_cross_entropy_with_logits(z, tensor),
        logits,
        targets,
    )
    probabilities = rng.uniform(0.01, 0.99, size=shape).astype(np.float32)
    compare_loss(
        losses.BinaryCrossentropy(),
        lambda p: functional.binary_cross_entropy(p, tensor),
        probabilities,
        targets,
    )
    compare_loss(losses.MeanSquaredError(), lambda x: functional.mse_loss(x, tensor), logits, targets)


def compare_steps(optimizer, make_theirs, seed, schedule=None, clipnorm=None):
    rng = np.random.default_rng(seed)
    start = rng.normal(size=50).astype(np.float32)
    ours = SimpleNamespace(value=start.copy(), grad=np.empty_like(start))
    theirs = torch.nn.Parameter(torch.tensor(start))
    their_optimizer = make_theirs([theirs])
    their_schedule = schedule(their_optimizer) if schedule else None
    for _ in range(20):
        ours.grad[:] = rng.normal(size=50) * 10.0 ** rng.uniform(-3, 1)
        theirs.grad = torch.tensor(ours.grad)
        if clipnorm:
            torch.nn.utils.clip_grad_norm_([theirs], clipnorm)
        assert optimizer.current_learning_rate == pytest.approx(
            their_optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-12
        )
        optimizer.step([ours])
        their_optimizer.step()
        if their_schedule:
            their_schedule.step()
    largest = np.abs(start).max()
    np.testing.assert_allclose(ours.value, theirs.detach().numpy(), rtol=1e-5, atol=1e-5 * largest)


@pytest.mark.parametrize("seed", SEEDS)
def test_sgd(seed):
    rng = np.random.default_rng(seed)
    rate, momentum = float(10 ** rng.uniform(-4, -1)), float(rng.choice([0.0, 0.5, 0.9]))
    nesterov = bool(momentum and rng.integers(2))
    clipnorm = [None, 1.0][rng.integers(2)]
    compare_steps(
        optim.SGD(rate, momentum, nesterov, global_clipnorm=clipnorm),
        lambda weights: torch.optim.SGD(weights, lr=rate, momentum=momentum, nesterov=nesterov),
        seed,
        clipnorm=clipnorm,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_adam_and_adamw(seed):
    rng = np.random.default_rng(seed)
    rate, decay = float(10 ** rng.uniform(-4, -1)), float(rng.choice([0.0, 0.01, 0.5]))
    betas = float(rng.choice([0.0, 0.8, 0.9])), float(rng.choice([0.9, 0.99, 0.999]))
    epsilon = 1e-30  # which PyTorch adds elsewhere, see design.md
    compare_steps(
        optim.Adam(rate, *betas, epsilon),
        lambda weights: torch.optim.Adam(weights, lr=rate, betas=betas, eps=epsilon),
        seed,
    )
    compare_steps(
        optim.AdamW(rate, decay, *betas, epsilon),
        lambda weights: torch.optim.AdamW(weights, lr=rate, betas=betas, eps=epsilon, weight_decay=decay),
        seed,
    )


SCHEDULERS = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (optim.StepDecay(0.1, 6, 0.5), lambda them: SCHEDULERS.StepLR(them, 6, 0.5)),
        (optim.ExponentialDecay(0.1, 1, 0.9), lambda them: SCHEDULERS.ExponentialLR(them, 0.9)),
        (optim.CosineDecay(0.1, 20, 0.1), lambda them: SCHEDULERS.CosineAnnealingLR(them, 20, 0.01)),
        (
            optim.OneCycle(0.1, 21, 0.4, 10, 100),
            lambda them: SCHEDULERS.OneCycleLR(
                them, 0.1, 21, pct_start=0.4, div_factor=10, final_div_factor=100, cycle_momentum=False
            ),
        ),
    ],
)
def test_schedules(ours, theirs):
    compare_steps(
        optim.SGD(ours),
        lambda weights: torch.optim.SGD(weights, lr=0.1),
        seed=0,
        schedule=theirs,
    )
