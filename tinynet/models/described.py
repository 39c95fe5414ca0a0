"""What people ask a model for: a layer, its description, its weights in a file of their own."""

from __future__ import annotations

import json
import os
from typing import Any

from ..files.atomic import write_new
from ..files.model_file import file_in
from ..layers import Layer
from .description import keras_config
from .former import Former
from .storage.saving import warn_of_nan, weights_content
from .storage.weights_file import read_weights
from .trainable import Trainable


class Described(Trainable, Former, only_kernels=True):
    """What `Model` and `Sequential` tell about themselves, under Keras's names."""

    def config(self) -> dict[str, Any]:
        """Return what rebuilds the model, without its weights; see `Model.config`."""
        raise NotImplementedError

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` measures, in order: the loss and the metrics given to `compile`.

        Returns:
            A list; empty as long as the model is not compiled.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Softmax()], 2)
            >>> model.compile(metrics=["accuracy"])
            >>> model.metrics_names
            ['loss', 'accuracy']
        """
        return [] if self._compiled is None else ["loss", *self._compiled[2]]

    @property
    def metrics(self) -> list[Any]:
        """The metrics given to `compile`, as objects, in the order of `metrics_names` after the loss.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Softmax()], 2)
            >>> model.compile(metrics=["accuracy"])
            >>> [metric.name for metric in model.metrics]
            ['accuracy']
        """
        chosen = None if self._compiled is None else self._compiled[2]
        return [] if chosen is None else [*chosen.plain.values(), *chosen.weighted.values()]

    def predict_on_batch(self, x: Any) -> Any:
        """Compute the output for one batch: what `predict` does.

        Args:
            x: (N, *input_shape).

        Returns:
            (N, *output_shape); a list, if there are several outputs.

        Raises:
            TypeError, ValueError: as `predict`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.ReLU()], 2).predict_on_batch([[-1.0, 2.0]])
            array([[0., 2.]], dtype=float32)
        """
        return self.predict(x)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return one of the model's layers.

        Args:
            name: its name, as `summary` prints it; default: by index.
            index: its place in `layers`, also from the end, as -1; default: by name.

        Returns:
            The layer itself: what is changed on it, is changed in the model.

        Raises:
            ValueError: there is no such layer, or not exactly one of name and index is given.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(5), layers.Dense(2, name="logits")], 3)
            >>> model.get_layer("logits"), model.get_layer(index=0)
            (Dense(units=2), Dense(units=5))
        """
        named = self.find_sublayers()
        if name is not None and index is not None:
            raise ValueError(
                f"get_layer: provide only a layer name or a layer index; got name={name!r}, index={index!r}."
            )
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"get_layer: was asked for the layer at index {index}, but the model only has "
                    f"{len(self.layers)} layers, from index 0."
                )
            return self.layers[index]
        if name is None:
            raise ValueError("get_layer: provide either a layer name or a layer index.")
        if name not in named:
            raise ValueError(f"get_layer: no such layer: {name!r}. Existing layers are: {[*named]}.")
        found: Layer = named[name]
        return found

    def get_config(self) -> dict[str, Any]:
        """Return the model's layers and how they are joined, as Keras 3's models do.

        Returns:
            A dictionary that JSON can hold, for `from_config`; without weights, and without what `compile`
            was given. (`config` returns tinynet's description.)

        Raises:
            TypeError, ValueError: as `config`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(2)], 3)
            >>> [layer["class_name"] for layer in model.get_config()["layers"]]
            ['InputLayer', 'Dense']
            >>> Sequential.from_config(model.get_config()).output_shape
            (2,)
        """
        found: dict[str, Any] = keras_config(self)["config"]
        return found

    def to_json(self, **keywords: Any) -> str:
        """Return what rebuilds the model, without its weights, as text for `models.model_from_json`.

        Args:
            keywords: of `json.dumps`, such as indent=2.

        Returns:
            JSON as Keras 3 writes it, and reads it: the model's class, what `get_config` returns, and what
            `compile` was given. (Keras needs those classes that it has not, such as your own, and passes over
            `class_names`.)

        Raises:
            TypeError, ValueError: as `config`.

        Example:
            >>> from tinynet import Sequential, layers, models
            >>> text = Sequential([layers.Dense(2)], 3).to_json()
            >>> models.model_from_json(text).count_params()
            8
        """
        return json.dumps(keras_config(self), **keywords)

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002  (as in Keras)
        verbose: Any = None,
        input_signature: Any = None,
        *,
        opset_version: int | None = None,
        data_format: str | None = None,
    ) -> None:
        """Write what computes predictions to one file that other programs run, whole or not at all.

        .onnx files are for ONNX Runtime and many others; .tflite files for TensorFlow Lite's interpreters, on
        phones and of the package ai-edge-litert (`lite` has settings for them). All make what `predict`
        returns, to rounding, for batches of any size. All numbers in the files are float32.

        Args:
            filepath: the file; its ending, ".onnx" or ".tflite", says the format. Missing folders are made.
            format: "onnx", or "litert" for .tflite, which are Keras's names; default None, as the file ends.
            verbose: taken as in Keras; nothing is printed.
            input_signature: sizes for what the model takes in any size (and in .onnx files for the samples of
                a batch), and names: a list of objects with a shape, such as `keras.InputSpec`, one for each
                input; default None, for what the model says.
            opset_version: of ONNX's operators, at least 13; default 17, which ONNX Runtime knows since 1.12.
            data_format: where images have their channels as they go into an .onnx file's network and come
                out of it, "channels_last" or "channels_first"; default None, as in the model.

        Raises:
            ImportError: the format is ONNX, and the package onnx is not installed.
            ValueError: the format is another one, or an argument is not for it; the model is not built; a
                layer of it is not there in the format, which the error names; or, for .tflite, it takes
                inputs of any size, and no signature says which.
            OSError: the file cannot be written; what was there before is unchanged.

        Example:
            >>> import os, tempfile
            >>> from tinynet import Sequential, layers
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Sequential([layers.Dense(2)], 3).export(f"{folder}/model.tflite")
            ...     os.listdir(folder)
            ['model.tflite']
        """
        from .. import exporting  # on first use, so that `import tinynet` does not wait for it

        if exporting.format_of(filepath, format) == "onnx":
            content = exporting.to_onnx(self, opset_version, data_format, input_signature)
        elif opset_version is None and data_format is None:
            content = exporting.to_tflite(self, signature=input_signature)
        else:
            raise ValueError(
                "export: opset_version and data_format are for .onnx files alone; leave them out."
            )
        write_new(filepath, content)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone to one file, whole or not at all; `load_weights` reads it.

        Args:
            filepath: the file, whose ending says the format: ".weights.h5", ".h5" or ".hdf5" are Keras's;
                ".safetensors", and any other ending that is no other program's, or none, is tinynet's.
            overwrite: whether an existing file is replaced; default True.

        Raises:
            ValueError: the model is not built, and has no weights yet, or the ending is that of another
                format, such as ".keras", which is for whole models.
            FileExistsError: overwrite is False, and the file exists.
            OSError: the file cannot be written; what was there before is unchanged.

        Example:
            >>> import tempfile
            >>> from tinynet import Sequential, layers
            >>> first, second = (Sequential([layers.Dense(2)], 3) for _ in range(2))
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     first.save_weights(f"{folder}/model.weights.h5")
            ...     second.load_weights(f"{folder}/model.weights.h5")
            >>> bool((first.flat.value == second.flat.value).all())
            True
        """
        self._check_has_weights("save_weights")
        path = file_in(filepath)
        content = weights_content(self, path)
        warn_of_nan("save_weights", self)
        write_new(path, content, overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Read weights from a file of tinynet, Keras or PyTorch: all or none. The next prediction uses them.

        What `save_weights` or `save` wrote in a .safetensors file is found by the layers' names.

        Of Keras's .h5 files, of weights alone or of whole models, of all its versions, the layers that have
        weights are taken in their order, as in Keras; of .keras files by their names, if they are the
        model's, else in their order.

        A state dict, as PyTorch's `torch.save(net.state_dict(), path)` writes it, alone or in a checkpoint,
        or as .safetensors, goes to the layers of a model of the same network. If the names of its modules
        are exactly those of the model's layers, they say which is which; else each layer takes the first
        module whose tensors have its weights' shapes, so that modules of equal shapes are taken in their
        order. Kernels are turned, and where the model flattens images, which in PyTorch have their channels
        first, the order of what follows. What a state dict does not say is the model's own affair: epsilon
        (in PyTorch mostly 1e-5; a warning says so), padding, strides, activations. Nothing in the file is
        executed.

        Args:
            filepath: the file, whose content tells of what kind it is, whatever its name ends in.
            skip_mismatch: for HDF5 files of Keras's, whether weights that have other shapes than the model's
                are passed over, with a warning; default False.
            by_name: for these, whether layers of equal names belong together, and others are passed over;
                default False: all layers, in their order.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged or of another program, its weights are not those of this model, or
                the model is not built; then nothing is changed.

        Example:
            See `save_weights`.
        """
        self._check_has_weights("load_weights")
        for parameter, value in read_weights(filepath, self, skip_mismatch, by_name):
            parameter.value = value

    def _check_has_weights(self, what: str) -> None:
        """Raise if the model is not built."""
        if self.output_shape is None:
            raise ValueError(
                f"{what}: {self.title} is not built, and has no weights yet: an Input, "
                "model.build((None, ...)) or its first data builds it."
            )
