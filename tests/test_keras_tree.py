"""The module tree of Keras: `tinynet.keras`, and `import tinynet as tf`."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

import tinynet
import tinynet as tf
from tinynet.keras import absent, former, names

PLACES = [
    "activations", "backend", "callbacks", "config", "constraints", "datasets", "initializers", "layers",
    "losses", "metrics", "models", "optimizers", "optimizers.schedules", "preprocessing",
    "preprocessing.image", "regularizers", "saving", "utils", "wrappers",
]  # fmt: skip


def module(place):
    return importlib.import_module(f"tinynet.keras.{place}".rstrip("."))


def run(code):
    """Run the lines of a script, and return its names."""
    found = {}
    exec(code, found)
    return found


def test_importing_keras_loads_nothing_heavy(run_python):
    printed = run_python("""
import sys
import tinynet.keras
heavy = ["numba", "matplotlib", "PIL", "scipy", "h5py", "torch", "tinynet.datasets.mnist"]
print([name for name in heavy if name in sys.modules])
""")
    assert printed == "[]\n"


def test_classes_are_the_core_s():
    from tinynet.keras import Input, Model, Sequential
    from tinynet.keras.layers import Dense
    from tinynet.keras.optimizers import Adam

    assert Dense is tinynet.layers.Dense
    assert (Input, Model, Sequential) == (tinynet.Input, tinynet.Model, tinynet.Sequential)
    assert Adam is tinynet.optim.Adam is tf.optimizers.Adam is tf.keras.optimizers.Adam
    assert tf.keras.models.load_model is tinynet.load_model
    assert tf.keras.callbacks.History is tinynet.History
    assert tf.keras.utils.to_categorical is tinynet.utils.to_categorical


@pytest.mark.parametrize(
    "code",
    [
        "import tinynet.keras as keras; keras.layers.Dense; keras.utils.np_utils.to_categorical",
        "import tinynet.keras.layers as L; L.Conv2D",
        "import tinynet.keras; tinynet.keras.layers.Dense",
        "from tinynet import keras; keras.datasets.fashion_mnist.load_data",
        "from tinynet.keras import backend as K; assert K.image_data_format() == 'channels_last'",
        "from tinynet.keras import layers, callbacks, optimizers, initializers, utils, losses",
        "from tinynet.keras.datasets import mnist; mnist.load_data",
        "from tinynet.keras.datasets.mnist import load_data",
        "from tinynet.keras.layers import *; Dense; Flatten",
        "from tinynet.keras.layers.convolutional import Conv2D, MaxPooling2D",
        "from tinynet.keras.layers.core import Dense, Dropout, Activation, Flatten",
        "from tinynet.keras.models import Sequential, load_model, model_from_json",
        "from tinynet.keras.optimizers.legacy import Adam",
        "from tinynet.keras.optimizer_v2.adam import Adam",
        "from tinynet.keras.optimizers import schedules; schedules.ExponentialDecay",
        "from tinynet.keras.preprocessing import image",
        "from tinynet.keras.src.utils import to_categorical",
        "from tinynet.keras.utils import np_utils; np_utils.to_categorical",
        "from tinynet.keras.utils.np_utils import to_categorical",
        "from tinynet.keras.utils.vis_utils import plot_model",
        "from tinynet.random import set_seed; set_seed(1)",
        "import tinynet as tf; tf.keras.layers.Dense(2, activation=tf.nn.relu)",
        "import tinynet as tf; tf.random.set_seed(1); tf.compat.v1.set_random_seed(1)",
        "import tinynet as tf\nwith tf.device('/GPU:0'): pass",
        "import tinynet as tf; assert tf.config.list_physical_devices('GPU') == []",
        "import tinynet as tf; tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)",
        "import tinynet.keras as keras; assert keras.__version__ >= '3'",
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_scripts_import_is_there(code, run_python):
    run(code)
    run_python(code)  # in a process that has loaded nothing yet


@pytest.mark.parametrize("old", [old for places in former.PLACES.values() for old in places])
def test_each_place_of_old_is_one_of_today(old):
    new = next(new for new, places in former.PLACES.items() if old in places)
    assert module(old) is module(new)


def test_there_is_a_file_for_each_place_of_today():
    assert {*PLACES} == {*names.NAMES} - {""} == {*former.PLACES} - {""}
    for place in PLACES:
        assert module(place).__name__ == f"tinynet.keras.{place}"
        assert module(f"src.{place}") is module(place)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_place_lists_is_there(place):
    here = module(place)
    if place == "wrappers":
        pytest.importorskip("sklearn")
    for name in here.__all__:
        assert getattr(here, name) is not None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import tinynet.keras as k; k.layers.LSTM", "tinynet.keras.layers has no LSTM: recurrent layers"),
        ("import tinynet.keras as k; k.layers.Densee", "has no Densee. Did you mean Dense?"),
        ("import tinynet.keras as k; k.callbacks.TensorBoard", "has no TensorBoard: callbacks.CSVLogger"),
        ("import tinynet.keras as k; k.layers.MultiHeadAttention", "attention"),
        ("import tinynet.keras as k; k.layers.Conv2DTranspose", "transposed convolutions"),
        ("import tinynet.keras as k; k.applications.vgg16.VGG16", "no networks trained on photographs"),
        ("import tinynet.keras as k; k.ops.mean", "operations on tensors are not there"),
        ("import tinynet.keras as k; k.backend.mean", "operations on tensors"),
        ("import tinynet.keras as k; k.datasets.imdb.load_data", "the datasets are mnist"),
        ("import tinynet.keras as k; k.nonsense", "tinynet.keras has no nonsense"),
        ("import tinynet as tf; tf.GradientTape", "gradients come from layers' backward"),
        ("import tinynet as tf; tf.saved_model.save", "model.save writes .safetensors"),
        ("import tinynet as tf; tf.data.Dataset", "generators and PyDatasets"),
        ("import tinynet as tf; tf.Session", "no sessions"),
        ("import tinynet as tf; tf.reduce_mean", "operations on tensors"),
        ("import tinynet as tf; tf.config.nonsense", "tinynet.config has no nonsense"),
        ("import tinynet as tf; tf.optimizers.Adamm", "Did you mean 'Adam'"),
        ("import tinynet as tf; tf.nonsense", "tinynet has no nonsense"),
    ],
)
def test_what_is_not_there_says_so(code, message):
    with pytest.raises(AttributeError) as caught:
        run(code)
    assert message in str(caught.value)


def test_what_is_imported_and_never_used_may_be_absent():
    with pytest.warns(UserWarning, match="has no LSTM: recurrent.*raises where it is used"):
        lstm = run("from tinynet.keras.layers import Dense, LSTM")["LSTM"]
    with pytest.raises(NotImplementedError, match="recurrent layers"):
        lstm(32)
    with pytest.raises(AttributeError, match="recurrent layers"):
        lstm.from_config({})
    with pytest.raises(NotImplementedError, match="recurrent layers"):
        type("Mine", (lstm,), {})
    assert not isinstance(tinynet.layers.ReLU(), lstm)
    with pytest.warns(UserWarning, match="trained on photographs"):
        run("from tinynet.keras.applications.vgg16 import VGG16, preprocess_input")


def test_what_keras_does_not_have_cannot_be_imported():
    for line in ("from tinynet.keras.layers import Densee", "from tinynet.keras import layrs"):
        with pytest.raises(ImportError, match="Did you mean"):
            run(line)
    assert not hasattr(tinynet.keras.layers, "Densee")


def test_former_names_are_today_s_with_a_warning():
    with pytest.warns(DeprecationWarning, match="optimizers.sgd is called SGD today"):
        assert tinynet.keras.optimizers.sgd is tinynet.optim.SGD
    assert tinynet.keras.initializers.he_normal is tinynet.initializers.HeNormal


def test_settings_are_what_they_are():
    backend = tinynet.keras.backend
    for setter, value in [
        (backend.set_floatx, "float32"), (backend.set_epsilon, 1e-7),
    ]:  # fmt: skip
        setter(value)
    with pytest.raises(ValueError, match='give the model, or its Input, dtype="float64"'):
        backend.set_floatx("float64")
    with pytest.raises(ValueError, match="data_format must be 'channels_last' or 'channels_first'"):
        backend.set_image_data_format("channels_middle")
    assert (backend.floatx(), backend.epsilon(), backend.backend()) == ("float32", 1e-7, "tinynet")
    assert backend.int_shape(tinynet.Input((3, None))) == (None, 3, None)
    with pytest.raises(TypeError, match=r"model\.optimizer\.learning_rate = value"):
        backend.set_value(0.1, 0.2)


def test_simple_arrays_of_tf():
    np.testing.assert_array_equal(tf.one_hot([0, 2, 5], 3), [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert tf.cast([1.5, 2.5], tf.int32).numpy().tolist() == [1, 2]
    assert tf.argmax([[1, 3, 2]], axis=1).numpy().tolist() == [1]
    assert tf.expand_dims(tf.constant([1.0, 2.0]), -1).shape == (2, 1)
    assert tf.reshape(tf.convert_to_tensor([1, 2, 3, 4]), [2, -1]).tolist() == [[1, 2], [3, 4]]
    assert tf.constant(0.5, shape=(2,)).tolist() == [0.5, 0.5]
    assert np.ones((2, 3))[..., tf.newaxis].shape == (2, 3, 1)


@pytest.mark.parametrize("name", sorted(absent.MODULES))
def test_absent_modules_can_be_imported_and_say_what_they_are(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(AttributeError, match="has no anything"):
            _ = module(name).anything
