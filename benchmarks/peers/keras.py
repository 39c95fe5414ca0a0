"""Keras, on TensorFlow and on JAX."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
from common import Array, available_cores
from networks import Network

from peers.peer import USUAL, Peer, Training, in_batches, layers_of


class Keras(Peer):
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
        made = [self.keras.layers.Input(network.input_shape), *layers_of(network, self.layers())]
        self.model = self.keras.Sequential(made)
        self.model.set_weights(weights)
        adam = self.keras.optimizers.Adam(0.001 if training.rates is None else self.schedule(training.rates))
        loss: Any = "sparse_categorical_crossentropy"
        if training.smoothing:  # which Keras offers for one-hot targets only
            loss = self.smoothed(training.smoothing)
        self.model.compile(adam, loss, steps_per_execution=self.steps_per_execution)
        self.forward = self.compiled()

    def layers(self) -> Any:
        """Return what has the layers' classes."""
        return self.keras.layers

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
        return in_batches(lambda batch: np.asarray(self.forward(batch)), x, batch_size)

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

    def train(self, x: Array, y: Array, batch_size: int, epochs: int = 1, shuffle: bool = False) -> float:
        """Train on every image once an epoch, and return the last epoch's mean loss.

        `fit` puts arrays into a `tf.data.Dataset` that tunes itself, and often waits for a third of a CNN's
        time while it does. One that does not is faster, and as fast in every call.
        """
        tensorflow = self.tensorflow
        images, labels = tensorflow.constant(x), tensorflow.constant(y)
        places = tensorflow.data.Dataset.range(len(x))
        places = places.shuffle(len(x)) if shuffle else places
        settings = tensorflow.data.Options()
        settings.autotune.enabled = False
        batches = places.batch(batch_size).map(
            lambda i: (tensorflow.gather(images, i), tensorflow.gather(labels, i))
        )
        dataset = batches.prefetch(2).with_options(settings)
        history = self.model.fit(dataset, epochs=epochs, shuffle=False, verbose=0)
        return float(history.history["loss"][-1])


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

    def layers(self) -> Any:
        """Return what has the layers' classes, but for scaling, which in Keras imports TensorFlow."""
        layers, ops = self.keras.layers, self.keras.ops

        def rescaling(scale: float) -> Any:
            return layers.Lambda(lambda x: ops.cast(x, "float32") * scale)

        return SimpleNamespace(**vars(layers) | {"Rescaling": rescaling})

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
