"""What was chosen for a model's training: optimizer, loss, metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import losses, optim
from ..metrics import Metrics, together
from ..training.trainer import Trainer
from .placed import Placed
from .refusal import check_compile


class Compiled(Placed, only_kernels=True):
    """Models that can be compiled.

    Attributes:
        optimizer, loss: as given to `compile`.
        trainable: whether training changes the parameters; read by `compile`. Each layer has its own, too.
    """

    warned_of_pixels: bool = False  # whether `fit` has said that its inputs should be scaled
    _compiled: tuple[optim.Optimizer, losses.Loss, Metrics] | None = None
    _trainer: Trainer | None = None

    def _take(self, parts: Iterable[Any]) -> None:
        """Note that these are parts of a model; how it trained before is over."""
        super()._take(parts)
        self.remember(_trainer=None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle, which goes on training where the original was."""
        super().__setstate__(state)
        trainer: Trainer | None = state.get("_trainer")
        if trainer is not None:
            self.remember(_trainer=trainer)
            trainer.rejoin(self.infer)

    def compile(
        self,
        optimizer: str | optim.Optimizer = "adam",
        loss: Any = "sparse_categorical_crossentropy",
        metrics: Any = (),
        *others: Any,
        weighted_metrics: Any = None,
        **keywords: Any,
    ) -> None:
        """Choose how to train. Compiling again starts with a fresh optimizer.

        Args:
            optimizer: a name ("sgd", "adam", "adamw") or an optimizer; default "adam".
            loss: a name, a `Loss`, or a function of `losses`; default "sparse_categorical_crossentropy".
            metrics: a list of names (such as "accuracy"), metrics (such as `metrics.AUC()`) and functions of
                (y_true, y_pred); one alone is taken, too.
            others: nothing: what stands third and fourth has changed between versions of Keras.
            weighted_metrics: those that samples' weights are given to.
            keywords: what else Keras takes. run_eagerly, jit_compile, steps_per_execution and
                auto_scale_loss have no meaning here, and no effect; loss_weights must be None.

        Raises:
            TypeError: an argument is unknown, or of the wrong kind, such as a metric that takes the
                predictions first.
            ValueError: a name is unknown, an argument is not there, or the model has several outputs.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1)], 3)
            >>> model.compile(optimizer=optim.SGD(0.1), loss="mse")
            >>> model.train_on_batch([[1.0, 2.0, 3.0]], [[0.0]], return_dict=True).keys()
            dict_keys(['loss'])
        """
        if others:
            raise TypeError(
                "compile: give what comes after the loss by name, such as metrics=[...]: its places differ "
                "between versions of Keras."
            )
        check_compile(keywords)
        compiled = optim.get(optimizer), losses.get(loss), together(metrics, weighted_metrics)
        if self.output_shape is None:
            self.remember(_compiled=compiled)
            return
        with self.alone:
            self.check_unchanged()
            before, self._compiled, self._trainer = (self._compiled, self._trainer), compiled, None
            try:
                _ = self.trainer
            except BaseException:
                self._compiled, self._trainer = before
                raise

    @property
    def _chosen(self) -> tuple[optim.Optimizer, losses.Loss, Metrics]:
        """What `compile` chose: optimizer, loss, metrics."""
        if self._compiled is None:
            raise RuntimeError(
                "The model has no loss and optimizer yet: call "
                'model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", '
                'metrics=["accuracy"]) first.'
            )
        return self._compiled

    @property
    def trainer(self) -> Trainer:
        """What makes the steps that `compile` chose."""
        chosen = self._chosen
        if self._trainer is None:
            count = len(self.flow().outputs)
            if count > 1:
                raise ValueError(
                    f"{self.title} has {count} outputs, which are for prediction: to train, make a "
                    "model of one of them, such as Model(model.input, model.outputs[0]), of the same layers."
                )
            self._trainer = Trainer(self, self.infer, *chosen)
        return self._trainer

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called, or the model was loaded as it was compiled.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1)], 3)
            >>> model.compiled
            False
            >>> model.compile("sgd", "mse")
            >>> model.compiled
            True
        """
        return self._compiled is not None

    @property
    def optimizer(self) -> optim.Optimizer:
        """The optimizer given to `compile`."""
        return self._chosen[0]

    @property
    def loss(self) -> losses.Loss:
        """The loss given to `compile`."""
        return self._chosen[1]

    def first_title(self) -> str:
        """Return what takes the only input, in error messages."""
        first = next((layer for layer in self.layers if layer.wiring is None), self)
        return f"Layer {first.name!r} ({type(first).__name__}), the model's first,"
