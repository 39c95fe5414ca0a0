"""tinynet and its peers behind one interface, each in a process of its own.

A peer builds a `Network` with given weights, predicts, and trains with cross-entropy and Adam, in the way
that is fastest for it among those that its documentation shows. Nothing here imports a framework before
the process that uses it has begun.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from common import KEEP_FREED, Array, available_cores, environment, use_threads
from networks import Conv, Drop, Flat, Full, Network, Pool


@dataclass(frozen=True)
class Training:
    """How a network is trained, with Adam.

    Args:
        rates: the learning rates step by step; default: always Adam's usual 0.001.
        seed: of what is random.
        smoothing: the share of each label that is spread over all classes.
    """

    rates: Array | None = None
    seed: int = 0
    smoothing: float = 0.0


USUAL = Training()


def layers_of(network: Network, layers: Any) -> list[Any]:
    """Return the network's layers, made from a module in which they have Keras's names."""
    made: list[Any] = []
    for layer in network.layers:
        match layer:
            case Conv(filters, size, strides):
                made.append(layers.Conv2D(filters, size, strides, padding="same", activation="relu"))
            case Pool():
                made.append(layers.MaxPool2D())
            case Drop(rate):
                made.append(layers.Dropout(rate))
            case Flat():
                made.append(layers.Flatten())
            case Full(units, activation):
                made.append(layers.Dense(units, activation=activation))
    return made


class Tinynet:
    """tinynet, through `fit` and `predict`."""

    def __init__(self) -> None:
        self.tinynet: Any = import_module("tinynet")
        self.version = self.tinynet.__version__

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""
        made = layers_of(network, self.tinynet.layers)
        self.model = self.tinynet.Sequential(made, network.input_shape, training.seed)
        for parameter, value in zip(self.model.parameters, weights, strict=True):
            parameter.value = value
        adam = self.tinynet.optim.Adam(0.001 if training.rates is None else training.rates.__getitem__)
        loss = self.tinynet.losses.SparseCategoricalCrossentropy(label_smoothing=training.smoothing)
        self.model.compile(adam, loss)

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        return np.concatenate(
            [self.model.predict(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        )

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        history = self.model.fit(x, y, batch_size, epochs, shuffle=shuffle, verbose=0)
        return float(history.history["loss"][-1])


class PyTorch:
    """PyTorch in eager mode, with its fused Adam."""

    channels_last = False

    def __init__(self) -> None:
        self.torch: Any = import_module("torch")
        self.version = self.torch.__version__
        self.torch.set_num_threads(available_cores())

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""
        torch, nn = self.torch, self.torch.nn
        torch.manual_seed(training.seed)
        made: list[Any] = []
        values = iter(weights)
        shape: tuple[int, ...] = network.input_shape
        for layer in network.layers:
            match layer:
                case Conv(filters, strides=strides):
                    output = -(-shape[0] // strides), -(-shape[1] // strides)
                    made += self.same_convolution(next(values), next(values), strides, shape, output)
                    shape = *output, filters
                case Pool():
                    made.append(nn.MaxPool2d(2))
                    shape = shape[0] // 2, shape[1] // 2, shape[2]
                case Drop(rate):
                    made.append(nn.Dropout(rate))
                case Flat():
                    made.append(nn.Flatten())
                case Full(units, activation):
                    made.append(self.dense(next(values), next(values), shape))
                    made += [nn.ReLU()] if activation == "relu" else []  # softmax is part of the loss
                    shape = (units,)
        self.images = isinstance(network.layers[0], Conv)
        self.model = nn.Sequential(*made)
        if self.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)
        self.loss = nn.CrossEntropyLoss(label_smoothing=training.smoothing)
        self.rates = None if training.rates is None else iter(training.rates.tolist())

    def same_convolution(
        self, kernel: Array, bias: Array, strides: int, shape: tuple[int, ...], output: tuple[int, int]
    ) -> list[Any]:
        """Return a convolution with ReLU, padded as Keras pads."""
        nn, size = self.torch.nn, kernel.shape[0]
        missing = [max((n - 1) * strides + size - m, 0) for n, m in zip(output, shape, strict=False)]
        (top, bottom), (left, right) = ((m // 2, m - m // 2) for m in missing)
        even = top == bottom and left == right
        layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], size, strides, padding=(top, left) if even else 0)
        layer.weight.data = self.torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        layer.bias.data = self.torch.from_numpy(bias.copy())
        pad = [] if even else [nn.ZeroPad2d((left, right, top, bottom))]
        return [*pad, layer, nn.ReLU()]

    def dense(self, kernel: Array, bias: Array, shape: tuple[int, ...]) -> Any:
        """Return a dense layer for an input whose images, if it has them, are flattened channels first."""
        if len(shape) == 3:
            kernel = kernel.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        layer = self.torch.nn.Linear(*kernel.shape)
        layer.weight.data = self.torch.from_numpy(kernel.T.copy())
        layer.bias.data = self.torch.from_numpy(bias.copy())
        return layer

    def take(self, x: Any) -> Any:
        """Return NHWC images as the network takes them."""
        if not self.images:
            return x
        x = x.permute(0, 3, 1, 2)
        return x.contiguous(memory_format=self.torch.channels_last) if self.channels_last else x.contiguous()

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        torch, images = self.torch, self.torch.from_numpy(x)
        self.model.eval()
        with torch.inference_mode():
            outputs = [
                torch.softmax(self.model(self.take(images[i : i + batch_size])), 1)
                for i in range(0, len(x), batch_size)
            ]
            return np.asarray(torch.cat(outputs))

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        torch = self.torch
        images, labels = torch.from_numpy(x), torch.from_numpy(y)
        self.model.train()
        for _ in range(epochs):
            order, total = torch.randperm(len(x)) if shuffle else None, 0.0
            for i in range(0, len(x), batch_size):
                batch = slice(i, i + batch_size) if order is None else order[i : i + batch_size]
                total += self.step(self.take(images[batch]), labels[batch]) * len(labels[batch])
        return total / len(x)

    def step(self, images: Any, labels: Any) -> float:
        """Train on a batch, and return its loss."""
        if self.rates is not None:
            self.optimizer.param_groups[0]["lr"] = next(self.rates)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return float(loss.item())


class PyTorchChannelsLast(PyTorch):
    """PyTorch with its images and kernels in the channels_last memory format."""

    channels_last = True


class PyTorchCompiled(PyTorch):
    """PyTorch with `torch.compile`, which needs a C++ compiler and compiles for every shape of batch."""

    def __init__(self) -> None:
        if not shutil.which("c++"):
            raise ImportError("torch.compile needs a C++ compiler")
        super().__init__()

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be compiled when it is first used."""
        super().build(network, weights, training)
        self.model = self.torch.compile(self.model, dynamic=False)


class Keras(ABC):
    """Keras: training through `fit`, prediction through the backend's compiled function."""

    backend = ""
    steps_per_execution = 10  # batches from one return to Python to the next

    def __init__(self) -> None:
        os.environ["KERAS_BACKEND"] = self.backend
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        os.environ["JAX_PLATFORMS"] = "cpu"
        self.keras: Any = import_module("keras")
        self.version = f"{self.keras.__version__} on {self.backend} {self.prepare()}"

    @abstractmethod
    def prepare(self) -> str:
        """Set the number of threads, and return the backend's version."""

    @abstractmethod
    def compiled(self) -> Callable[[Array], Any]:
        """Return the model's forward pass as a compiled function."""

    def build(self, network: Network, weights: list[Array], training: Training = USUAL) -> None:
        """Make the network, to be trained so."""
        self.keras.utils.clear_session()
        self.keras.utils.set_random_seed(training.seed)
        layers = self.keras.layers
        made = [layers.Input(network.input_shape), *layers_of(network, layers)]
        self.model = self.keras.Sequential(made)
        self.model.set_weights(weights)
        adam = self.keras.optimizers.Adam(0.001 if training.rates is None else self.schedule(training.rates))
        loss: Any = "sparse_categorical_crossentropy"
        if training.smoothing:  # which Keras offers for one-hot targets only
            loss = self.smoothed(training.smoothing)
        self.model.compile(adam, loss, steps_per_execution=self.steps_per_execution)
        self.forward = self.compiled()

    def smoothed(self, smoothing: float) -> Callable[[Any, Any], Any]:
        """Return the cross-entropy of labels of which a share is spread over all ten classes."""
        ops, losses = self.keras.ops, self.keras.losses

        def loss(labels: Any, probabilities: Any) -> Any:
            targets = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), 10)
            return losses.categorical_crossentropy(targets, probabilities, label_smoothing=smoothing)

        return loss

    def schedule(self, rates: Array) -> Any:
        """Return learning rates step by step as Keras takes them."""
        ops: Any = self.keras.ops

        # The class to derive from is known only when Keras is loaded, for one of its backends.
        class ByStep(self.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[name-defined,misc]
            def __call__(self, step: Any) -> Any:
                return ops.take(ops.convert_to_tensor(rates, "float32"), ops.cast(step, "int32"))

        return ByStep()

    def predict(self, x: Array, batch_size: int) -> Array:
        """Return the probabilities."""
        outputs = [self.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        return np.concatenate([np.asarray(output) for output in outputs])

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        history = self.model.fit(x, y, batch_size, epochs, shuffle=shuffle, verbose=0)
        return float(history.history["loss"][-1])


class KerasTensorFlow(Keras):
    """Keras on TensorFlow."""

    backend = "tensorflow"

    def prepare(self) -> str:
        """Set the number of threads, and return the backend's version."""
        self.tensorflow: Any = import_module("tensorflow")
        self.tensorflow.config.threading.set_intra_op_parallelism_threads(available_cores())
        return str(self.tensorflow.__version__)

    def compiled(self) -> Callable[[Array], Any]:
        """Return the model's forward pass as a compiled function."""
        compiled: Callable[[Array], Any] = self.tensorflow.function(
            lambda x: self.model(x, training=False), reduce_retracing=True
        )
        return compiled


class KerasJax(Keras):
    """Keras on JAX, whose number of threads follows the process's CPU affinity."""

    backend = "jax"

    def __init__(self) -> None:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # if it is installed, `fit` imports it
        super().__init__()

    def prepare(self) -> str:
        """Return the backend's version."""
        self.jax: Any = import_module("jax")
        return str(self.jax.__version__)

    def compiled(self) -> Callable[[Array], Any]:
        """Return the model's forward pass as a compiled function."""
        function = self.jax.jit(
            lambda trained, others, x: self.model.stateless_call(trained, others, x, training=False)[0]
        )
        self.variables: Any = None

        def forward(x: Array) -> Any:
            if self.variables is None:
                model = self.model
                both = model.trainable_variables, model.non_trainable_variables
                self.variables = [[variable.value for variable in variables] for variables in both]
            return function(*self.variables, x)

        return forward

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss."""
        self.variables = None  # prediction has to fetch them anew
        return super().train(x, y, batch_size, epochs, shuffle)


TOLERANCE = 1e-4  # of probabilities
PEERS: dict[str, Callable[[], Any]] = {
    "tinynet": Tinynet,
    "PyTorch": PyTorch,
    "PyTorch channels_last": PyTorchChannelsLast,
    "PyTorch compiled": PyTorchCompiled,
    "Keras/TensorFlow": KerasTensorFlow,
    "Keras/JAX": KerasJax,
}


def serve(connection: Connection, name: str, threads: int) -> None:
    """Answer calls of a peer's methods with (result, seconds), until None comes; see `Worker`."""
    use_threads(threads)
    try:
        peer = PEERS[name]()
        connection.send(peer.version)
    except Exception as error:
        connection.send(error)
        return
    arrays: dict[str, Array] = {}
    while (call := connection.recv()) is not None:
        method, arguments, repeat = call
        try:
            if method == "give":
                arrays |= arguments[0]
                connection.send((None, 0.0))
                continue
            values = [arrays[value] if isinstance(value, str) else value for value in arguments]
            start = time.perf_counter()
            for _ in range(repeat):
                result = getattr(peer, method)(*values)
            connection.send((result, (time.perf_counter() - start) / repeat))
        except Exception as error:
            connection.send(RuntimeError(f"{name}, {method}: {error!r}"))


class Worker:
    """A peer in a process of its own.

    Args:
        name: of `PEERS`.
        threads: how many cores and threads it may use.

    Raises:
        ImportError: the peer is not installed.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, name, threads), daemon=True)
        with environment(KEEP_FREED):
            self.process.start()
        theirs.close()  # so that the process's end ends a wait for its answer
        self.version = self.receive()

    def receive(self) -> Any:
        """Return what the process sends, or raise if it is an error."""
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give(self, **arrays: Array) -> None:
        """Send arrays that the arguments of calls can then name."""
        self.call("give", arrays)

    def call(self, method: str, *arguments: Any, repeat: int = 1) -> tuple[Any, float]:
        """Call a method of the peer; return its (last) result, and the mean seconds that it took there."""
        self.connection.send((method, arguments, repeat))
        result, seconds = self.receive()
        return result, seconds

    def stop(self) -> None:
        """End the process."""
        self.connection.send(None)
        self.process.join()
        self.connection.close()


def start_workers(names: list[str], threads: int) -> tuple[dict[str, Worker], list[str]]:
    """Start the peers that are installed; return them by name, and the names of those missing."""
    workers, missing = {}, []
    for name in names:
        try:
            workers[name] = Worker(name, threads)
        except ImportError:
            missing.append(name)
    return workers, missing


def build_alike(workers: dict[str, Worker], network: Network, images: Array) -> dict[str, float]:
    """Build a network in every process; return by how much its probabilities differ from the first one's.

    Raises:
        RuntimeError: by more than rounding.
    """
    expected, differences = None, {}
    for name, worker in workers.items():
        worker.give(images=images)
        worker.call("build", network, network.weights())
        outputs, _ = worker.call("predict", "images", len(images))
        expected = outputs if expected is None else expected
        differences[name] = float(np.abs(outputs - expected).max())
        if not differences[name] <= TOLERANCE:
            raise RuntimeError(
                f"{name} computes another {network.name}: its probabilities differ by {differences[name]:g}."
            )
    return differences
