"""TensorFlow Lite under TensorFlow's names: `tf.lite.TFLiteConverter`, for `import tinynet as tf`."""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import Any

import numpy as np

from .models import Model
from .names import unknown

__all__ = ["Interpreter", "OpsSet", "Optimize", "TFLiteConverter", "TargetSpec"]


class Optimize(enum.Enum):
    """What `TFLiteConverter.optimizations` may hold: all but the last one round the weights to 8 bits.

    Example:
        >>> Optimize.DEFAULT.value
        'DEFAULT'
    """

    DEFAULT = "DEFAULT"
    OPTIMIZE_FOR_SIZE = "OPTIMIZE_FOR_SIZE"
    OPTIMIZE_FOR_LATENCY = "OPTIMIZE_FOR_LATENCY"
    EXPERIMENTAL_SPARSITY = "EXPERIMENTAL_SPARSITY"


class OpsSet(enum.Enum):
    """What `TargetSpec.supported_ops` may hold: of these, only the first one is used.

    Example:
        >>> OpsSet.TFLITE_BUILTINS.value
        'TFLITE_BUILTINS'
    """

    TFLITE_BUILTINS = "TFLITE_BUILTINS"
    SELECT_TF_OPS = "SELECT_TF_OPS"
    TFLITE_BUILTINS_INT8 = "TFLITE_BUILTINS_INT8"


class TargetSpec:
    """Where a converted model is to run.

    Args:
        supported_ops: `OpsSet.TFLITE_BUILTINS` is among them; default that alone.
        supported_types: [float16] or [int8]: what `Optimize.DEFAULT` rounds weights to; default [], int8.

    Example:
        >>> TargetSpec().supported_ops
        {<OpsSet.TFLITE_BUILTINS: 'TFLITE_BUILTINS'>}
    """

    def __init__(
        self, supported_ops: Collection[Any] | None = None, supported_types: Collection[Any] | None = None
    ) -> None:
        self.supported_ops = {OpsSet.TFLITE_BUILTINS} if supported_ops is None else supported_ops
        self.supported_types = set() if supported_types is None else supported_types

    def weights(self) -> str:
        """Return the type to round weights to, or raise if models cannot be made as is wanted."""
        if OpsSet.TFLITE_BUILTINS not in self.supported_ops:
            raise ValueError(
                "TFLiteConverter: target_spec.supported_ops must hold OpsSet.TFLITE_BUILTINS, because models "
                f"compute with floats here, and not with integers alone; got {self.supported_ops}."
            )
        types = {np.dtype(one).name for one in self.supported_types}
        if types not in ({"float32"}, {"float16"}, {"int8"}, set()):
            raise ValueError(
                "TFLiteConverter: target_spec.supported_types must be [], [float32], [float16] or [int8], "
                f"what optimizations round weights to; got {[*self.supported_types]}."
            )
        return types.pop() if types else "int8"


class TFLiteConverter:
    """Makes a TensorFlow Lite file of a model: `TFLiteConverter.from_keras_model(model).convert()`.

    The interpreters of TensorFlow Lite and LiteRT compute with it what `model.predict` does, to rounding,
    for batches of any size.

    Attributes:
        optimizations: a list; empty (default): weights as they are. `[Optimize.DEFAULT]`: TensorFlow's
            dynamic range quantization. Weights of convolutions and dense layers, where there are at least
            1024, are rounded to 8 bits, which makes the file almost a quarter as large, and the results less
            exact. With `target_spec.supported_types = [float16]`, all weights are rounded to 16 bits.
        target_spec: a `TargetSpec`.
        representative_dataset: None; models that compute with integers alone are not there.
        inference_input_type, inference_output_type: float32, for the same reason.

    Example:
        >>> from tinynet import Sequential, layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> converter = TFLiteConverter.from_keras_model(model)
        >>> converter.optimizations = [Optimize.DEFAULT]
        >>> converter.convert()[4:8]
        b'TFL3'
    """

    optimizations: Collection[Any]
    target_spec: TargetSpec
    representative_dataset: Any = None
    inference_input_type: Any = np.float32
    inference_output_type: Any = np.float32
    # TensorFlow's, and without effect here.
    allow_custom_ops: bool = False
    exclude_conversion_metadata: bool = False
    experimental_enable_resource_variables: bool = True
    experimental_new_converter: bool = True
    experimental_new_dynamic_range_quantizer: bool = True
    experimental_new_quantizer: bool = True
    legalize_custom_tensor_list_ops: bool = False
    unfold_batchmatmul: bool = False

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Model):
            raise TypeError(f"TFLiteConverter: expected a model of tinynet's; got {model!r}.")
        self._model = model
        self.optimizations, self.target_spec = [], TargetSpec()

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse settings that nothing reads."""
        known = [one for one in TFLiteConverter.__annotations__ if not one.startswith("_")]
        if name not in known and not name.startswith("_"):
            raise AttributeError(unknown("setting of TFLiteConverter", name, known))
        object.__setattr__(self, name, value)

    @classmethod
    def from_keras_model(cls, model: Model) -> TFLiteConverter:
        """Return a converter of a model.

        Args:
            model: built, of layers of tinynet's.

        Raises:
            TypeError: it is no model of tinynet's.

        Example:
            See `TFLiteConverter`.
        """
        return cls(model)

    @classmethod
    def from_saved_model(cls, *_: Any, **__: Any) -> TFLiteConverter:
        """Raise: there are no SavedModels here."""
        raise ValueError(
            "TFLiteConverter: tinynet reads no SavedModel folders: load the model by tinynet.load_model, and "
            "give it to TFLiteConverter.from_keras_model."
        )

    @classmethod
    def from_concrete_functions(cls, *_: Any, **__: Any) -> TFLiteConverter:
        """Raise: there are no functions of TensorFlow's here."""
        raise ValueError(
            "TFLiteConverter: there are no concrete functions in tinynet: give the model to "
            "TFLiteConverter.from_keras_model."
        )

    def convert(self) -> bytes:
        """Return the content of a .tflite file.

        Raises:
            ValueError: a setting asks for what is not there; the model is not built, or takes inputs of any
                size; or TensorFlow Lite's operators cannot do what one of its layers does.

        Example:
            See `TFLiteConverter`.
        """
        from .exporting import to_tflite  # on first use, so that `import tinynet` does not wait for it

        weights = self.target_spec.weights()
        if self.representative_dataset is not None:
            raise ValueError(
                "TFLiteConverter: representative_dataset must be None, because models that compute with "
                "integers are not there: optimizations=[Optimize.DEFAULT] alone rounds the weights."
            )
        for name in ("inference_input_type", "inference_output_type"):
            if np.dtype(getattr(self, name)) != np.float32:
                raise ValueError(f"TFLiteConverter: {name} must be float32; got {getattr(self, name)!r}.")
        rounds = (Optimize.DEFAULT, Optimize.OPTIMIZE_FOR_SIZE, Optimize.OPTIMIZE_FOR_LATENCY)
        if any(one not in rounds for one in self.optimizations):
            raise ValueError(
                "TFLiteConverter: optimizations must be [] or [Optimize.DEFAULT]; got "
                f"{[*self.optimizations]}."
            )
        return to_tflite(self._model, weights if self.optimizations else "float32")


def Interpreter(*arguments: Any, **keywords: Any) -> Any:  # noqa: N802  (as in TensorFlow)
    """Return an interpreter of the package ai-edge-litert, which is LiteRT, formerly TensorFlow Lite.

    Args:
        arguments, keywords: those of its `Interpreter`, such as model_path and model_content.

    Raises:
        ImportError: the package is not installed.

    Example:
        >>> from tinynet import lite
        >>> interpreter = lite.Interpreter("model.tflite")  # doctest: +SKIP
    """
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise ImportError(
            "tinynet writes TensorFlow Lite files, and does not run them: python -m pip install "
            "ai-edge-litert, whose ai_edge_litert.interpreter.Interpreter this is."
        ) from error
    return interpreter.Interpreter(*arguments, **keywords)


def __dir__() -> list[str]:
    return __all__
