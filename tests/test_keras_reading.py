"""Keras's files of all versions, as descriptions: which arrays belong to which layer."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from keras_files import archive, by_places, hdf5, layer, numbers, sequential
from mutations import check_harmless, mutated

from tinynet.files.keras.archive import read_keras_zip
from tinynet.files.keras.hdf5 import read_keras_hdf5, read_weights_hdf5, weights_for

pytest.importorskip("h5py")

DENSE = layer("Dense", "d", units=2, batch_input_shape=[None, 3])
ADAM = {"optimizer_config": {"class_name": "Adam", "config": {"lr": 0.1}}, "loss": "mse", "metrics": []}


def check_weights(found, **expected):
    """Check which layer has which arrays; names have __ for a slash."""
    wanted = {name.replace("__", "/"): arrays for name, arrays in expected.items()}
    assert {*found} == {*wanted}
    for path, arrays in wanted.items():
        assert [one.shape for one in found[path]] == [one.shape for one in arrays]
        for one, other in zip(found[path], arrays, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "names",
    [
        ("d/kernel:0", "d/bias:0"),
        ("dense_1_2/dense_1/kernel:0", "dense_1_2/dense_1/bias:0"),
        ("d/kernel_3:0", "d/bias_3:0"),
        ("sequential/d/kernel", "sequential/d/bias"),
        ("d_W", "d_b"),
        ("param_0", "param_1"),
    ],
)
def test_weights_are_found_whatever_they_are_called(names):
    kernel, bias = numbers(3, 2), numbers(2)
    data = hdf5(sequential(DENSE), [("d", [*zip(names, (kernel, bias), strict=True)])])
    found = read_keras_hdf5(data)
    check_weights(found.weights, d=[kernel, bias])
    assert found.config["layers"] == [{"class": "Dense", "units": 2}]


def as_fixed(texts):
    return np.array([text.encode() for text in texts], "S") if texts else np.zeros(0)


@pytest.mark.parametrize("names", [None, list, as_fixed])
@pytest.mark.parametrize("parts", [1, 3])
def test_names_may_be_texts_of_any_kind_and_in_parts(names, parts):
    kernel, bias = numbers(3, 2), numbers(2)
    groups = [("flatten", []), ("d", [("d/kernel:0", kernel), ("d/bias:0", bias)])]
    if names is list:
        groups = groups[1:]  # h5py cannot write an empty list of texts of any length
    data = hdf5(sequential(DENSE, layer("Flatten", "flatten")), groups, names=names, parts=parts)
    check_weights(read_keras_hdf5(data).weights, d=[kernel, bias])


def nested(trainable=True, inner_trainable=True):
    """A row in a row, with a normalization between two layers."""
    inner = sequential(
        layer("Dense", "a", units=3, trainable=inner_trainable),
        layer("BatchNormalization", "n"),
        layer("Dense", "b", units=2, use_bias=False),
        name="inner",
    )
    inner["config"]["trainable"] = trainable
    if not trainable:
        for one in inner["config"]["layers"]:
            one["config"]["trainable"] = False
    return sequential(
        layer("InputLayer", "i", batch_input_shape=[None, 3]),
        inner,
        layer("Dense", "d", units=1),
        name="outer",
    )


A, N, B, D = (
    [("a/kernel:0", numbers(3, 3)), ("a/bias:0", numbers(3))],
    [(f"n/{name}:0", numbers(3)) for name in ("gamma", "beta", "moving_mean", "moving_variance")],
    [("b/kernel:0", numbers(3, 2))],
    [("d/kernel:0", numbers(2, 1)), ("d/bias:0", numbers(1))],
)


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, A + N[:2] + B + N[2:]),
        ({}, A + N + B),  # layer by layer, as some versions did
        ({"trainable": False}, A + N + B),
        ({"inner_trainable": False}, N[:2] + B + A + N[2:]),
        ({"inner_trainable": False}, A + N[:2] + B + N[2:]),  # frozen after it was saved
    ],
)
def test_a_network_in_another_has_its_arrays_in_one_group(options, order):
    data = hdf5(nested(**options), [("inner", order), ("d", D)])
    a, n, b, d = ([array for _, array in some] for some in (A, N, B, D))
    check_weights(read_keras_hdf5(data).weights, inner__a=a, inner__n=n, inner__b=b, d=d)


def test_without_names_what_trains_comes_first():
    order = A + N[:2] + B + N[2:]
    groups = [("inner", [(f"param_{number}", array) for number, (_, array) in enumerate(order)]), ("d", D)]
    found = read_keras_hdf5(hdf5(nested(), groups)).weights
    check_weights({"n": found["inner/n"]}, n=[array for _, array in N])


def test_keras_1_gave_no_group_to_a_network_in_another():
    data = hdf5(nested(), [("a", A), ("n", N), ("b", B), ("d", D)], version="1.2.0")
    a, n, b, d = ([array for _, array in some] for some in (A, N, B, D))
    check_weights(read_keras_hdf5(data).weights, inner__a=a, inner__n=n, inner__b=b, d=d)


def convolution(order):
    return sequential(
        layer(
            "Convolution2D", "c", nb_filter=4, nb_row=3, nb_col=2, dim_ordering=order,
            batch_input_shape=[None, 5, 8, 8],
        )
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("order", ["th", "tf"])
def test_kernels_of_keras_1(order, backend):
    kernel = numbers(3, 2, 5, 4)
    written = kernel[::-1, ::-1] if backend == "theano" else kernel
    written = written.transpose(3, 2, 0, 1) if order == "th" else written
    suffix = "" if backend == "theano" else ":0"
    held = [(f"c_W{suffix}", written), (f"c_b{suffix}", numbers(4))]
    data = hdf5(convolution(order), [("c", held)], version="1.2.2", backend=None)
    check_weights(read_keras_hdf5(data).weights, c=[kernel, held[1][1]])


def test_kernels_of_one_axis_in_keras_1():
    given = {"nb_filter": 4, "filter_length": 3, "batch_input_shape": [None, 9, 5]}
    kernel, bias = numbers(3, 5, 4), numbers(4)
    for written in (kernel[:, None], kernel[:, None].transpose(3, 2, 0, 1)):
        held = [("c_W:0", written), ("c_b:0", bias)]
        data = hdf5(sequential(layer("Convolution1D", "c", **given)), [("c", held)], version="1.1.0")
        check_weights(read_keras_hdf5(data).weights, c=[kernel, bias])


def test_kernels_that_theano_computed_with_in_keras_2_go_backwards():
    given = {"filters": 4, "kernel_size": [3, 2], "use_bias": False, "batch_input_shape": [None, 8, 8, 5]}
    kernel = numbers(3, 2, 5, 4)
    for backend in ("theano", "tensorflow", None):
        written = kernel[::-1, ::-1] if backend == "theano" else kernel
        data = hdf5(
            sequential(layer("Conv2D", "c", **given)), [("c", [("c/kernel:0", written)])], "2.1.0", backend
        )
        check_weights(read_keras_hdf5(data).weights, c=[kernel])


def test_the_normalization_of_keras_1():
    held = [(f"n_{name}:0", numbers(3)) for name in ("gamma", "beta", "running_mean", "running_std")]
    norm = layer(
        "BatchNormalization", "n", epsilon=1e-5, mode=0, axis=1, momentum=0.9, batch_input_shape=[None, 3]
    )
    found = read_keras_hdf5(hdf5(sequential(norm), [("n", held)], "1.0.8", None))
    check_weights(found.weights, n=[array for _, array in held])


def test_the_same_array_twice_is_refused():
    held = [("a", numbers(3, 2)), ("b", numbers(2))]
    data = hdf5(sequential(DENSE), [("d", held)], names=lambda texts: as_fixed([texts[0]] * len(texts)))
    with pytest.raises(ValueError, match="the same array is there under several names"):
        read_keras_hdf5(data)


def test_states_of_random_generators_are_no_weights():
    flip = layer("RandomFlip", "flip", mode="horizontal", batch_input_shape=[None, 4, 4, 1])
    inner = sequential(flip, layer("Flatten", "f"), layer("Dense", "d", units=2), name="inner")
    state = ("inner/flip/StateVar:0", np.zeros(3, np.int64))
    kernel, bias = numbers(16, 2), numbers(2)
    groups = [("inner", [("d/kernel:0", kernel), ("d/bias:0", bias), state])]
    check_weights(read_keras_hdf5(hdf5(sequential(inner), groups)).weights, inner__d=[kernel, bias])
    groups = [("flip", [state]), ("d", [("d/kernel:0", kernel), ("d/bias:0", bias)])]
    row = sequential(flip, layer("Flatten", "f"), layer("Dense", "d", units=2))
    check_weights(read_keras_hdf5(data := hdf5(row, groups)).weights, d=[kernel, bias])
    check_weights(weights_for(read_keras_hdf5(data).config, data), d=[kernel, bias])
    assert [len(arrays) for _, arrays in read_weights_hdf5(data)] == [0, 2]


def test_names_with_slashes_and_numbers_of_other_types():
    dense = layer("Dense", "block/d", units=2, batch_input_shape=[None, 3])
    kernel, bias = numbers(3, 2), numbers(2)
    held = [("block/d/kernel:0", kernel.astype(np.float64)), ("block/d/bias:0", bias.astype(np.float16))]
    found = read_keras_hdf5(hdf5(sequential(dense), [("block/d", held)])).weights
    check_weights(found, block_d=[kernel, bias])
    assert [array.dtype for array in found["block_d"]] == [np.float32, np.float16]


def test_the_optimizer_goes_on():
    kernel, bias, m, v = numbers(3, 2), numbers(2), numbers(3, 2), numbers(3, 2)
    held = [("d/kernel:0", kernel), ("d/bias:0", bias)]
    slots = [("Adam/iter:0", np.int64(7)), ("m", m), ("mb", bias), ("v", v), ("vb", bias)]
    found = read_keras_hdf5(hdf5(sequential(DENSE), [("d", held)], training=ADAM, optimizer=slots))
    assert found.iterations == 7
    check_weights(found.slots, m=[m, bias], v=[v, bias])
    assert not found.notes
    assert not found.compile_notes
    # Of other shapes, or of too few weights: training begins anew.
    for wrong in ([*slots[:3], ("v", numbers(2, 3)), slots[4]], slots[:3], [slots[0], *slots[1::2]]):
        found = read_keras_hdf5(hdf5(sequential(DENSE), [("d", held)], training=ADAM, optimizer=wrong))
        assert (found.iterations, found.slots) == (0, {})
        assert "the optimizer begins anew" in found.compile_notes[-1]


def test_slots_of_kernels_turn_with_the_kernels():
    kernel, slot = numbers(3, 2, 5, 4), numbers(3, 2, 5, 4)
    held = [("c_W", kernel[::-1, ::-1].transpose(3, 2, 0, 1)), ("c_b", numbers(4))]
    v = [("param_0", slot[::-1, ::-1].transpose(3, 2, 0, 1)), ("param_1", numbers(4))]
    training = {"optimizer_config": {"class_name": "RMSprop", "config": {"lr": 0.1}}, "loss": "mse"}
    data = hdf5(convolution("th"), [("c", held)], "1.2.2", None, training, v)
    found = read_keras_hdf5(data)
    check_weights(found.weights, c=[kernel, held[1][1]])
    check_weights(found.slots, v=[slot, v[1][1]])


def test_weights_alone():
    groups = [("i", []), ("inner", A + N[:2] + B + N[2:]), ("d", D)]
    data = hdf5(None, groups)
    read = read_weights_hdf5(data)
    assert [name for name, _ in read] == ["i", "inner", "d"]
    assert [len(arrays) for _, arrays in read] == [0, 7, 2]
    with pytest.raises(ValueError, match=r"weights of a model alone.* model.load_weights"):
        read_keras_hdf5(data)
    config = read_keras_hdf5(hdf5(nested(), groups)).config
    a, n, b, d = ([array for _, array in some] for some in (A, N, B, D))
    check_weights(weights_for(config, data), inner__a=a, inner__n=n, inner__b=b, d=d)
    check_weights(weights_for(config, hdf5(nested(), groups)), inner__a=a, inner__n=n, inner__b=b, d=d)
    with pytest.raises(ValueError, match="weights of 1 layers, and the model 2 with weights"):
        weights_for(config, hdf5(None, groups[:2]))
    with pytest.raises(ValueError, match="2 arrays for layer 'inner', whose layers have 7"):
        weights_for(config, hdf5(None, [groups[2], groups[1]]))


def test_layers_without_names_have_those_that_keras_gives_them():
    dense = {"class": "Dense", "units": 2}
    inner = {"class": "Sequential", "layers": [dense, dense]}
    config = {"layers": [inner, dense], "dtype": "float32", "frozen": ["sequential"]}
    arrays = [[("kernel:0", numbers(2, 2)), ("bias:0", numbers(2))] for _ in range(3)]
    first, second, last = ([array for _, array in held] for held in arrays)
    twice = [(f"{number}/{name}", array) for number, held in enumerate(arrays[:2]) for name, array in held]
    alone = hdf5(None, [("x", twice), ("y", arrays[2])])
    of_keras_3 = by_places(
        in_places(
            {
                "layers/sequential/layers/dense": arrays[0],
                "layers/sequential/layers/dense_1": arrays[1],
                "layers/dense": arrays[2],
            }
        )
    )
    for data in (alone, of_keras_3):
        found = weights_for(config, data)
        check_weights(found, sequential__dense=first, sequential__dense_1=second, dense=last)


def file_before_1():
    """Weights as Keras wrote them before its version 1: the second of twelve layers has some."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["nb_layers"] = 12
        for number in range(12):
            file.create_group(f"layer_{number}").attrs["nb_params"] = 11 * (number == 2)
        for number in range(11):
            file[f"layer_2/param_{number}"] = np.full(3, number, np.float32)
    return buffer.getvalue()


def test_weights_of_versions_before_1():
    read = read_weights_hdf5(file_before_1())
    assert [name for name, _ in read] == [f"layer_{number}" for number in range(12)]
    assert [len(arrays) for _, arrays in read] == [0, 0, 11, *[0] * 9]
    assert [array[0] for array in read[2][1]] == [*range(11)]
    config = {"names": ["d"], "layers": [{"class": "Own"}], "dtype": "float32"}
    assert len(weights_for(config, file_before_1())["d"]) == 11


PLACES = {
    "layers/sequential/layers/dense": A, "layers/sequential/layers/batch_normalization": N,
    "layers/sequential/layers/dense_1": B, "layers/dense": D,
}  # fmt: skip


def in_places(places, join="/"):
    """The arrays of layers by the places of files."""
    return {
        join.join([*place.split("/"), "vars"]).replace(f"{join}vars", "/vars") + f"/{number}": array
        for place, held in places.items()
        for number, (_, array) in enumerate(held)
    }


def renamed(places):
    """The places as versions 2.12 and 2.13 had them, which counted layers with weights twice."""
    twice = {"dense_1": "dense_2", "layers": "_layer_checkpoint_dependencies"}
    return {
        "/".join(twice.get(part, part) for part in place.split("/")): held for place, held in places.items()
    }


@pytest.mark.parametrize("join", ["/", "\\"])
@pytest.mark.parametrize("places", [PLACES, renamed(PLACES)], ids=["layers", "twice"])
def test_places_in_zips(places, join):
    extra = {
        "layers/dropout/seed_generator/vars/0": np.zeros(2, np.uint32),
        f"metrics{join}mean/vars/0": np.zeros(()),
        "optimizer/vars/0": np.int64(3),
    }
    weights = by_places({**in_places(places, join), **extra})
    found = read_keras_zip(archive(nested(), weights)).weights
    a, n, b, d = ([array for _, array in some] for some in (A, N, B, D))
    check_weights(found, inner__a=a, inner__n=n, inner__b=b, d=d)
    config = read_keras_zip(archive(nested(), weights)).config
    check_weights(weights_for(config, weights), inner__a=a, inner__n=n, inner__b=b, d=d)
    names = [name for name, _ in read_weights_hdf5(weights)]
    assert len(names) == 4
    assert names[0] == "dense"


def test_numbers_in_zips_are_no_texts():
    layers = [layer("Dense", f"d{number}", units=2, batch_input_shape=[None, 2]) for number in range(12)]
    arrays = [[("0", numbers(2, 2)), ("1", numbers(2))] for _ in layers]
    places = {
        f"layers/dense_{number}" if number else "layers/dense": held for number, held in enumerate(arrays)
    }
    weights = by_places(in_places(places))
    found = read_keras_zip(archive(sequential(*layers), weights)).weights
    expected = {f"d{number}": [array for _, array in held] for number, held in enumerate(arrays)}
    check_weights(found, **expected)
    assert [name for name, _ in read_weights_hdf5(weights)][8:] == [
        "dense_8",
        "dense_9",
        "dense_10",
        "dense_11",
    ]


def test_the_optimizer_in_zips_goes_on_in_the_order_of_numbers():
    kernels = [numbers(3, 2), numbers(2), *(numbers(3, 2) for _ in range(2)), *(numbers(2) for _ in range(2))]
    kernel, bias, m, v, m_bias, v_bias = kernels
    variables = [np.int64(7), np.float32(0.1), m, v, m_bias, v_bias]
    arrays = in_places({"layers/dense": [("0", kernel), ("1", bias)]})
    arrays |= {f"optimizer/vars/{number}": array for number, array in enumerate(variables)}
    model = sequential(DENSE)
    optimizer = {"class_name": "Adam", "config": {"learning_rate": 0.1}}
    model["compile_config"] = {"optimizer": optimizer, "loss": "mse", "metrics": None}
    found = read_keras_zip(archive(model, by_places(arrays)))
    assert found.iterations == 7
    check_weights(found.slots, m=[m, m_bias], v=[v, v_bias])


def whole():
    return by_places(in_places({"layers/dense": [("0", numbers(3, 2)), ("1", numbers(2))]}))


def test_what_does_not_belong_in_zips_is_left_alone():
    others = {"../../evil": b"x", "/etc/evil": b"x", "assets/layers/x": b"x", "a/b/c/model.weights.h5": b"x"}
    found = read_keras_zip(archive(sequential(DENSE), whole(), **others))
    assert [*found.weights] == ["d"]
    packed = archive(sequential(DENSE), whole(), compression=zipfile.ZIP_DEFLATED)
    assert [*read_keras_zip(packed).weights] == ["d"]


def changed(data, member, content):
    """A zip with another content of a member; without it for None."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != member or content is not None:
                new.writestr(name, content if name == member else old.read(name))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("config.json", None, "a zip without config.json"),
        ("config.json", b"{", "config.json in the .keras file is damaged"),
        ("config.json", b"[" * 20_000, "config.json in the .keras file is damaged"),
        ("config.json", b"[]", "is no dictionary"),
        ("model.weights.h5", None, "no model.weights.h5"),
        ("model.weights.h5", b"x", "no HDF5 file"),
        ("model.weights.h5", bytes(2_000_000), "unreasonably compressed"),
    ],
)
def test_bad_zips_are_refused(member, content, message):
    data = changed(archive(sequential(DENSE), whole()), member, content)
    with pytest.raises(ValueError, match=message):
        read_keras_zip(data)


def test_encrypted_doubled_and_endless_zips_are_refused():
    data = archive(sequential(DENSE), whole())
    encrypted = bytearray(data)
    encrypted[data.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ValueError, match="is encrypted"):
        read_keras_zip(bytes(encrypted))
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = archive(sequential(DENSE), whole(), **{"config.json": b"{}"})
    with pytest.raises(ValueError, match="twice"):
        read_keras_zip(doubled)
    with pytest.raises(ValueError, match="has 10003 members"):
        read_keras_zip(archive(sequential(DENSE), whole(), **{f"{number}": b"" for number in range(10_000)}))
    with pytest.raises(ValueError, match="damaged or truncated zip"):
        read_keras_zip(data[:-30])


def hdf5_file():
    """A file of everything that is read."""
    slots = [("Adam/iter:0", np.int64(7)), ("m", numbers(2, 1)), ("mb", numbers(1)), ("v", numbers(2, 1))]
    groups = [("inner", A + N[:2] + B + N[2:]), ("d", D)]
    return hdf5(nested(trainable=False), groups, training=ADAM, optimizer=[*slots, ("vb", numbers(1))])


NETWORK = {**nested(), "compile_config": {"optimizer": ADAM["optimizer_config"], "loss": "mse"}}


def weights_file():
    extra = {f"optimizer/vars/{number}": numbers(number + 1) for number in range(4)}
    return by_places({**in_places(PLACES), **extra})


def zip_file():
    return archive(NETWORK, weights_file())


def with_config(text):
    """Read a whole zip but for its config."""
    return read_keras_zip(changed(zip_file(), "config.json", text))


FILES = {
    "hdf5": (read_keras_hdf5, hdf5_file),
    "zip": (read_keras_zip, zip_file),
    "zip's config": (with_config, lambda: json.dumps(NETWORK).encode()),
    "zip's weights": (lambda data: read_keras_zip(archive(NETWORK, data)), weights_file),
    "weights": (read_weights_hdf5, weights_file),
    "weights before 1": (read_weights_hdf5, file_before_1),
}
MARKS = [b"TREE", b"SNOD", b"HEAP", b"GCOL", b"class_name", b"config", b"name", b"PK", b"kernel"]


@pytest.mark.parametrize("kind", FILES)
def test_damaged_files_are_refused(kind):
    read, make = FILES[kind]
    read(make())
    fine, refused = check_harmless(read, mutated(make(), 60, marks=MARKS))
    assert fine + refused == 60
    assert refused > 2
