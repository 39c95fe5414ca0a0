"""Write docs/keras.md: which names of Keras 3.15 tinynet has, which do something else, and which it has not.

python docs/keras_table.py
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path

from tinynet.keras.absent import reason_of
from tinynet.keras.names import NAMES

SAME = "the same"  # where all others of a place differ
PAGE = Path(__file__).parent / "keras.md"

DATASET = "returns a `PyDataset` with `cache`, `shuffle`, `prefetch` and `take`; `map` and others of `tf.data` are not there"

# What differs, by place and name. What is not here, and is in tinynet.keras, is the same as in Keras.
DIFFERS = {
    "": {
        "Layer": "see `layers`",
        "Loss": "see `losses`",
        "Model": "see `models`",
        "Optimizer": "see `optimizers`",
    },
    "activations": {
        "*": "functions of arrays; in a graph of symbols, layers take their place",
        "deserialize get serialize": "of names alone",
    },
    "backend": {
        "backend": "returns `\"tinynet\"`",
        "clear_session": "does nothing: there is no state that all models share",
        "set_epsilon set_floatx": "take the value that there is, and refuse others",
        "set_image_data_format": "`Conv2D`, `MaxPooling2D`, `AveragePooling2D` and `Flatten` can have channels first; others then refuse to be made",
    },
    "callbacks": {
        "ModelCheckpoint": "writes .safetensors, too: the format of every file that is not called .keras, .h5 or .hdf5",
    },
    "config": {
        "backend": "returns `\"tinynet\"`",
        "set_epsilon set_floatx": "take the value that there is, and refuse others",
        "set_image_data_format": "`Conv2D`, `MaxPooling2D`, `AveragePooling2D` and `Flatten` can have channels first; others then refuse to be made",
    },
    "constraints": {},
    "datasets": {},
    "initializers": {
        "Initializer": "called with a shape, a source of random numbers and a dtype",
        "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform VarianceScaling glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform variance_scaling": "`input_axes` and `output_axes` are not there: the last two axes are those",
    },
    "layers": {
        "BatchNormalization LayerNormalization": "scales begin at 1 and offsets at 0; other initializers, regularizers and constraints are refused",
        "Resizing": "`interpolation` is `\"bilinear\"` or `\"nearest\"`, images are stretched, and not smoothed before they become smaller: `crop_to_aspect_ratio`, `pad_to_aspect_ratio` and `antialias` are refused",
        "PReLU": "`alpha_regularizer` and `alpha_constraint` are not there",
        "Convolution2D": "`Convolution2D(32, 3, 3)` has a window of 3 × 3, as in Keras 1; in Keras 3 the third number is the strides",
        "Input InputLayer": "`batch_size` has no effect: models take batches of any size",
        "Layer": "a class of one's own is a dataclass with `declare`, `forward` and `backward`, in the place of `build` and `call`",
    },
    "losses": {
        "BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy": "`axis` must be -1, `ignore_class` None",
        "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy": "`axis` and `ignore_class` are not there: the last axis is the one",
        "Loss": "a class of one's own defines `_value` and `_gradient`",
    },
    "metrics": {
        "CategoricalCrossentropy SparseCategoricalCrossentropy binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy": "`axis` and `ignore_class` are not there: the last axis is the one",
        "SparseTopKCategoricalAccuracy sparse_top_k_categorical_accuracy": "`from_sorted_ids` is not there",
        "Metric": "a class of one's own assigns what it counts to itself, in the place of `add_variable`",
    },
    "models": {
        "Model": "of symbols, or `Sequential`: it is not derived from to define `call`",
        "load_model": "reads .safetensors and .onnx, too; classes of one's own are found by their names, without `custom_objects`; Lambda layers are refused",
        "clone_model": "`call_function` and `recursive` are not there",
        "save_model": "writes .safetensors, too: the format of every file that is not called .keras, .h5 or .hdf5; `zipped` is not there",
    },
    "optimizers": {
        "Optimizer": "a class of one's own defines `_update`",
    },
    "optimizers.schedules": {
        "LearningRateSchedule": "a class of one's own is a frozen dataclass with `__call__`",
    },
    "preprocessing": {"image_dataset_from_directory": DATASET},
    "preprocessing.image": {},
    "regularizers": {},
    "saving": {
        "load_model": "reads .safetensors and .onnx, too; classes of one's own are found by their names, without `custom_objects`; Lambda layers are refused",
        "save_model": "writes .safetensors, too: the format of every file that is not called .keras, .h5 or .hdf5; `zipped` is not there",
    },
    "utils": {
        "image_dataset_from_directory": DATASET,
        "clear_session": "does nothing: there is no state that all models share",
        "plot_model": "draws with matplotlib",
        "to_categorical": "refuses negative labels, which Keras counts from the end",
    },
}  # fmt: skip

TEXT = """# Keras's names in tinynet

*(`python docs/keras_table.py` writes this page; `tests/test_keras_table.py` checks it against Keras 3.15.1.)*

A script for a small network, written for Keras, needs other imports, and nothing else:

| in the script | with tinynet |
| --- | --- |
| `import keras` | `import tinynet.keras as keras` |
| `from keras.layers import Dense` | `from tinynet.keras.layers import Dense` |
| `from tensorflow.keras.layers import Dense` | `from tinynet.keras.layers import Dense` |
| `from tensorflow.python.keras.layers import Dense` | `from tinynet.keras.layers import Dense` |
| `import tensorflow as tf` | `import tinynet as tf` |

`tinynet.keras.layers.Dense` is `tinynet.layers.Dense`: one class, under two names. In the tables below, "same" is what has
Keras's arguments, defaults and results.

- **Former words.** What Keras 1 and 2 called otherwise is translated, with a DeprecationWarning that names today's word:
  `lr`, `decay`, `nb_epoch`, `border_mode`, `output_dim`, `init`, `subsample`, `p`, `nb_filter`, `nb_row` and so on
  (`tinynet/words.py`); `fit_generator`, `predict_classes` and their like; `history["acc"]` for `"accuracy"`; modules such as
  `keras.layers.core` and `keras.utils.np_utils`, and names such as `optimizers.adam` (`tinynet/keras/former.py`).
- **Channels are last.** `data_format="channels_first"` (`dim_ordering="th"`, `set_image_dim_ordering("th")`) is taken by `Conv2D`,
  `MaxPooling2D`, `AveragePooling2D` and `Flatten`, and an error elsewhere.
- **What is not there** raises when it is used, and says why: an attribute an AttributeError, a keyword of Keras's a TypeError,
  where a value that has no effect, such as `dtype="float32"`, is taken. A name of Keras's may be imported: it warns, and
  raises when it is used, because many scripts import what they never use.
- **Versions.** `tinynet.keras.__version__` is `"{version}"`, the Keras whose words these are. `tf.__version__` is tinynet's own:
  a script that asks it for TensorFlow 2 will not find it.
- **`import tinynet as tf`** has besides `tf.keras`: `tf.nn` (activations), `tf.random.set_seed`, `tf.optimizers`, `tf.losses`,
  `tf.metrics`, `tf.device` (no effect), `tf.config.list_physical_devices` (no GPUs) and other settings without effect, and a
  few functions of NumPy arrays: `tf.constant`, `convert_to_tensor`, `cast`, `reshape`, `expand_dims`, `argmax`, `one_hot`.

## What is not there, and why

tinynet is for small networks on images and numbers, trained on a CPU, and is to be read. So it has one way of each thing:

- **Recurrent layers, attention, embeddings** (`LSTM`, `MultiHeadAttention`, `Embedding`, text): networks are feed-forward.
- **Transposed and three-dimensional convolutions**: `UpSampling2D` and a `Conv2D` do the like of `Conv2DTranspose`.
- **Functions that are differentiated** (`Lambda`, `keras.ops` in a graph, `tf.GradientTape`, a `Model` with a method `call`, a
  function of one's own as loss or activation): gradients are written, not recorded. What is one's own is a layer or a loss
  with a formula for its gradient, which `tinynet.gradcheck` checks. `train_on_batch` serves loops of one's own.
- **Penalties on outputs, several losses** (`activity_regularizer`, `loss_weights`), and losses that are sums (`reduction`
  other than the mean): a model trains on one number.
- **Networks trained on photographs** (`keras.applications`).
- **SavedModels**, which are programs that only TensorFlow runs: .keras and .h5 files of all versions are read and written,
  .onnx files, too, and .tflite files written.
- **TensorBoard, mixed precision, GPUs, `keras.distribution`**: `CSVLogger` and `plotting.plot_history` show a training;
  `fit(distribute=True)` trains with several processes of MPI.

## What Keras has not

- `seed=` of models, which fixes everything random; the same bits on any number of threads (`tinynet.set_num_threads`).
- `fit(augment=data.Augmentation())`, affine and elastic; `fit(ema_momentum=0.999)` averages the weights.
- The schedules `optim.StepDecay` and `optim.OneCycle`; label smoothing of `SparseCategoricalCrossentropy`.
- `layers.Chain`, a row of layers as a layer; `layers.im2col`; layers that share weights between models, and run alone, by
  `layer.forward` and `layer.backward`; `tinynet.gradcheck`.
- `tinynet.plotting` (the extra `plot`): `plot_history`, `plot_images`, `plot_mistakes`, `plot_confusion_matrix`,
  `plot_calibration`, `plot_filters`, `plot_activations`, `plot_occlusion`, `plot_learning_rates`, `plot_predictions`.
- `tinynet.predict_image`, `read_number`, `pretrained`, and the command `tinynet`: see [pictures.md](pictures.md).
"""


def differences(place: str) -> dict[str, str]:
    """Return how what is there differs, by name; "*" is for all others of a place."""
    return {name: how for names, how in DIFFERS.get(place, {}).items() for name in names.split()}


def status(name: str, here: list[str], differing: dict[str, str]) -> str:
    """Return "same", "differs" or "absent"."""
    if name not in here:
        return "absent"
    return "same" if differing.get(name, differing.get("*", SAME)) == SAME else "differs"


def statuses(place: str) -> dict[str, str]:
    """Return for each of Keras's names "same", "differs" or "absent"."""
    here = importlib.import_module(f"tinynet.keras.{place}".rstrip(".")).__all__
    differing = differences(place)
    return {name: status(name, here, differing) for name in NAMES[place].split()}


def rows(place: str) -> list[str]:
    """Return the rows of a place's table."""
    of = defaultdict(list)
    for name, status in statuses(place).items():
        of[status].append(name)
    found = [f"| same | {listed(of['same'])} | |"] if of["same"] else []
    by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
    how = differences(place)
    for name in of["differs"]:
        by_reason["differs", how.get(name) or how["*"]].append(name)
    for name in of["absent"]:
        by_reason["absent", reason_of(f"{place}.{name}".lstrip("."))].append(name)
    return found + [
        f"| {status} | {listed(names)} | {reason} |" for (status, reason), names in by_reason.items()
    ]


def listed(names: list[str]) -> str:
    """Return names in a row."""
    return ", ".join(f"`{name}`" for name in names)


def page() -> str:
    """Return the text of the page."""
    parts = [TEXT.format(version=importlib.import_module("tinynet.keras").__version__)]
    for place in NAMES:
        title = f"keras.{place}".rstrip(".")
        parts.append(
            "\n".join([f"## {title}\n", "| | names | |", "| --- | --- | --- |", *rows(place)]) + "\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
