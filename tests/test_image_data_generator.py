"""Batches of images that are transformed at random: what they hold, and in what order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tinynet
from tinynet import layers, utils
from tinynet.generators import ImageDataGenerator

RAMP = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
ALL = {
    "rotation_range": 20, "width_shift_range": 0.1, "height_shift_range": 2.0, "shear_range": 10,
    "zoom_range": 0.2, "horizontal_flip": True, "vertical_flip": True, "channel_shift_range": 0.2,
    "brightness_range": (0.5, 1.5), "rescale": 2.0,
}  # fmt: skip


def numbered(count, height=4, width=4):
    """Images that hold their number."""
    return np.broadcast_to(np.arange(count).reshape(-1, 1, 1, 1), (count, height, width, 1)).astype(np.uint8)


def applied(parameters, **settings_):
    return ImageDataGenerator(**settings_).apply_transform(RAMP, parameters)[..., 0].tolist()


def test_transformations_worked_by_hand():
    assert applied({}) == RAMP[..., 0].tolist()
    assert applied({"ty": 1}) == [[4, 5, 6, 7], [8, 9, 10, 11], [8, 9, 10, 11]]
    assert applied({"ty": 1}, fill_mode="constant", cval=-1)[2] == [-1, -1, -1, -1]
    assert applied({"tx": -0.5}) == [[0, 0.5, 1.5, 2.5], [4, 4.5, 5.5, 6.5], [8, 8.5, 9.5, 10.5]]
    assert applied({"tx": 1}, fill_mode="wrap")[0] == [1, 2, 3, 1]
    assert applied({"tx": 1}, fill_mode="reflect")[0] == [1, 2, 3, 3]
    assert applied({"flip_horizontal": True}) == [[3, 2, 1, 0], [7, 6, 5, 4], [11, 10, 9, 8]]
    assert applied({"flip_vertical": True}) == [[8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3]]
    assert applied({"channel_shift_intensity": 3}) == [[3, 4, 5, 6], [7, 8, 9, 10], [11, 11, 11, 11]]
    assert applied({"brightness": 1.5}) == [[0, 1, 3, 4], [6, 7, 9, 10], [12, 13, 15, 16]]
    square = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    turned = ImageDataGenerator().apply_transform(square, {"theta": 90})[..., 0]
    np.testing.assert_allclose(turned, [[2, 5, 8], [1, 4, 7], [0, 3, 6]], atol=1e-5)
    zoomed = ImageDataGenerator().apply_transform(square, {"zx": 0.5, "zy": 2})[..., 0]
    assert zoomed.tolist() == [[0.5, 1, 1.5], [3.5, 4, 4.5], [6.5, 7, 7.5]]


def test_the_shifts_have_keras_names():
    dot = np.zeros((1, 9, 9, 1), np.float32)
    dot[0, 4, 4] = 1
    for name, still in (("width_shift_range", 1), ("height_shift_range", 0)):
        batches = ImageDataGenerator(**{name: [2]}).flow(dot, seed=0)
        places = {tuple(np.argwhere(next(batches)[0, ..., 0])[0].tolist()) for _ in range(20)}
        assert places == {(4 - 2 * still, 4 - 2 * (1 - still)), (4 + 2 * still, 4 + 2 * (1 - still))}


def test_alpha_stays_as_bright_as_it_is():
    image = np.full((2, 2, 4), 100, np.float32)
    made = ImageDataGenerator().apply_transform(image, {"brightness": 0.5})
    assert made[0, 0].tolist() == [50, 50, 50, 100]


def test_what_is_drawn_stays_in_its_range():
    generator = ImageDataGenerator(**{**ALL, "width_shift_range": [-2, 1]})
    drawn = [generator.get_random_transform((10, 20, 3), seed) for seed in range(300)]
    of = {name: [one[name] for one in drawn] for name in drawn[0]}
    for name, low, high in (
        ("theta", -20, 20), ("tx", -2, 2), ("shear", -10, 10), ("zx", 0.8, 1.2), ("zy", 0.8, 1.2),
        ("channel_shift_intensity", -0.2, 0.2), ("brightness", 0.5, 1.5),
    ):  # fmt: skip
        assert low <= min(of[name]) < low + 0.1 * (high - low), name
        assert high - 0.1 * (high - low) < max(of[name]) <= high, name
    assert set(of["ty"]) == {-2, -1, 1, 2}
    assert 100 < sum(of["flip_horizontal"]) < 200
    fractions = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1)
    most = np.abs(
        [(t["tx"], t["ty"]) for t in (fractions.get_random_transform((10, 20, 3)) for _ in range(99))]
    )
    assert 0.8 < most[:, 0].max() <= 1 < most[:, 1].max() <= 2


def test_order_and_length_of_batches():
    x, y, weights = numbered(10), np.arange(10) * 2, np.arange(10) / 10
    batches = ImageDataGenerator().flow(x, y, batch_size=4, shuffle=False, sample_weight=weights)
    assert isinstance(batches, utils.PyDataset)
    assert (len(batches), batches.num_batches, batches.n, batches.batch_size) == (3, 3, 10, 4)
    for _ in range(2):  # without end
        found = [next(batches) for _ in range(3)]
        assert [images[:, 0, 0, 0].tolist() for images, _, _ in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert found[2][1].tolist() == [16, 18]
        assert found[2][2].tolist() == [0.8, 0.9]
    assert found[0][0].dtype == np.float32
    assert batches[2][1].tolist() == [16, 18]
    for wrong in (3, -1):
        with pytest.raises(IndexError, match=f"batches 0 to 2; got {wrong}"):
            batches[wrong]
    next(batches)
    batches.reset()
    assert next(batches)[1].tolist() == [0, 2, 4, 6]


def test_inputs_alone_and_with_others():
    x, other = numbered(5), np.arange(5)
    assert next(ImageDataGenerator().flow(x, shuffle=False)).shape == (5, 4, 4, 1)
    (images, more), y = next(ImageDataGenerator().flow((x, [other]), other, seed=1))
    assert images[:, 0, 0, 0].tolist() == more.tolist() == y.tolist()


def test_each_epoch_has_all_samples_in_another_order():
    batches = ImageDataGenerator().flow(numbered(10), np.arange(10), batch_size=4, seed=1)
    epochs = [np.concatenate([next(batches)[1] for _ in range(3)]).tolist() for _ in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    by_number = ImageDataGenerator().flow(numbered(10), np.arange(10), batch_size=4, seed=1)
    first = np.concatenate([by_number[i][1] for i in range(3)]).tolist()
    by_number.on_epoch_end()
    second = np.concatenate([by_number[i][1] for i in range(3)]).tolist()
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


@pytest.mark.parametrize("threads", [1, 3])
def test_the_seed_fixes_all_on_any_number_of_threads(set_threads, threads):
    x = (255 * np.random.default_rng(0).random((20, 9, 9, 3))).astype(np.float32)
    set_threads(1)
    expected = [next(ImageDataGenerator(**ALL).flow(x, seed=3, batch_size=8)) for _ in range(3)]
    set_threads(threads)
    np.testing.assert_array_equal(expected[0], expected[1])
    np.testing.assert_array_equal(next(ImageDataGenerator(**ALL).flow(x, seed=3, batch_size=8)), expected[0])
    assert (next(ImageDataGenerator(**ALL).flow(x, seed=4, batch_size=8)) != expected[0]).any()
    made = []
    for _ in range(2):
        utils.set_random_seed(5)
        made.append(next(ImageDataGenerator(**ALL).flow(x)))
    np.testing.assert_array_equal(*made)


@settings(max_examples=30)
@given(
    st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in ALL.items()}),
    st.integers(1, 7),
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3, 4])),
    st.integers(0, 2**31 - 1),
)
def test_an_even_image_stays_even(chosen, count, shape, seed):
    chosen = {name: value for name, value in chosen.items() if name != "brightness_range"}
    x = np.full((count, *shape), 7, np.float32)
    before = x.copy()
    made = next(ImageDataGenerator(**chosen).flow(x, seed=seed))
    np.testing.assert_allclose(made, 7 * chosen.get("rescale", 1), rtol=1e-6)
    np.testing.assert_array_equal(x, before)


def test_standardization():
    x = np.random.default_rng(0).normal(5, 3, (50, 4, 4, 3)).astype(np.float32)
    own = next(ImageDataGenerator(samplewise_std_normalization=True).flow(x))
    np.testing.assert_allclose(own.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(own.std((1, 2, 3)), 1, rtol=1e-4)
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    generator.fit(x)
    made = next(generator.flow(x, batch_size=50))
    np.testing.assert_allclose(made.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(made.std((0, 1, 2)), 1, rtol=1e-4)
    white = ImageDataGenerator(zca_whitening=True)
    small = x[:, :2, :2, :1]
    white.fit(small)
    flat = next(white.flow(small, batch_size=50)).reshape(50, -1)
    np.testing.assert_allclose(flat.T @ flat / 50, np.eye(4), atol=1e-4)


def test_mean_and_deviation_can_be_given():
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    generator.mean, generator.std = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])
    made = generator.standardize(np.full((1, 2, 2, 3), 5, np.float32))
    np.testing.assert_allclose(made[0, 0, 0], [4, 1.5, 0.5], rtol=1e-5)


def test_a_function_is_called_for_each_image_after_its_transformation():
    seen = []

    def function(image):
        seen.append(image.copy())
        return image + 1

    generator = ImageDataGenerator(horizontal_flip=True, rescale=0.5, preprocessing_function=function)
    x = np.tile(RAMP, (6, 1, 1, 1))
    made = next(generator.flow(x, seed=1))
    np.testing.assert_allclose(made, (np.array(seen) + 1) / 2)
    flipped = (made[:, 0, 0, 0] > 1).sum()
    assert 0 < flipped < 6


def test_standardize_changes_floats_in_place_and_no_integers():
    generator = ImageDataGenerator(rescale=0.5)
    x = np.full((1, 2, 2, 1), 4.0)
    assert generator.standardize(x) is x
    assert x.max() == 2
    pixels = np.full((1, 2, 2, 1), 4, np.uint8)
    assert generator.standardize(pixels).max() == 2
    assert pixels.max() == 4


def test_warns_of_what_was_not_fitted():
    for name in ("featurewise_center", "featurewise_std_normalization", "zca_whitening"):
        batches = ImageDataGenerator(**{name: True}).flow(numbered(3))
        with pytest.warns(UserWarning, match=f"{name} left out"):
            next(batches)
    with pytest.warns(UserWarning, match="switched off"):
        ImageDataGenerator(zca_whitening=True, featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="brightness_range is for pixels from 0 to 255"):
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(np.ones((2, 3, 4, 1)))
    with pytest.warns(UserWarning, match="1, 3 or 4 channels"):
        ImageDataGenerator().flow(np.zeros((2, 3, 4, 5)))


def test_subsets_share_no_image():
    generator, x, y = ImageDataGenerator(validation_split=0.3), numbered(10), np.tile([0, 1], 5)
    parts = {
        name: next(generator.flow(x, y, subset=name, shuffle=False))[0][:, 0, 0, 0].tolist()
        for name in ("validation", "training")
    }
    assert parts == {"validation": [0, 1, 2], "training": [3, 4, 5, 6, 7, 8, 9]}
    with pytest.raises(ValueError, match="has other classes in y"):
        generator.flow(x, np.arange(10), subset="training")
    assert generator.flow(x, np.arange(10), subset="training", ignore_class_split=True).n == 7


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fill_mode": "near"}, "Unknown fill_mode 'near'. Did you mean 'nearest'"),
        ({"data_format": "channels_first"}, r"x\.transpose\(0, 2, 3, 1\)"),
        ({"zoom_range": [1, 2, 3]}, "zoom_range must be a pair"),
        ({"brightness_range": 0.5}, "brightness_range must be a pair"),
        ({"rotation_range": "10"}, "rotation_range must be a finite number"),
        ({"shear_range": np.nan}, "shear_range must be a finite number"),
        ({"width_shift_range": []}, "width_shift_range must be a number or a list"),
        ({"validation_split": 1.0}, "validation_split must be 0, or between 0 and 1"),
        ({"interpolation_order": 3}, "interpolation_order must be 0 or 1"),
        ({"dtype": "float16"}, "dtype must be float32 or float64"),
    ],
    ids=str,
)
def test_wrong_settings(wrong, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(**wrong)


def test_wrong_data():
    flow = ImageDataGenerator().flow
    with pytest.raises(ValueError, match=r"expected images \(N, height, width, channels\)"):
        flow(np.zeros((5, 28, 28)))
    with pytest.raises(ValueError, match="as many rows of y as images"):
        flow(numbered(5), np.zeros(4))
    with pytest.raises(ValueError, match="as many rows of sample_weight"):
        flow(numbered(5), np.zeros(5), sample_weight=np.zeros(4))
    with pytest.raises(ValueError, match="there are no images"):
        flow(numbered(5)[:0])
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        flow(numbered(5), batch_size=0)
    with pytest.raises(ValueError, match="Unknown subset 'test'"):
        flow(numbered(5), subset="test")
    with pytest.raises(ValueError, match="Unknown parameter 'angle'"):
        ImageDataGenerator().apply_transform(RAMP, {"angle": 3})
    with pytest.raises(ValueError, match="expected one image"):
        ImageDataGenerator().apply_transform(RAMP[0], {})


def test_images_are_saved_for_people(tmp_path):
    batches = ImageDataGenerator().flow(
        np.stack([RAMP, RAMP * 2]), save_to_dir=tmp_path, save_prefix="a", save_format="png", shuffle=False
    )
    next(batches)
    files = sorted(tmp_path.iterdir())
    assert [file.name.split("_")[:2] for file in files] == [["a", "0"], ["a", "1"]]
    assert np.asarray(Image.open(files[0])).max() == 255


@pytest.fixture
def folder(tmp_path):
    for number in range(10):
        place = tmp_path / ("dogs", "cats")[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(np.full((5, 7, 3), 10 * number, np.uint8)).save(place / f"{number}.png")
    return tmp_path


def test_from_a_folder(folder, capsys):
    generator = ImageDataGenerator(rescale=1 / 10, validation_split=0.4)
    batches = generator.flow_from_directory(folder, target_size=(6, 8), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 images belonging to 2 classes.\n"
    assert batches.class_indices == {"cats": 0, "dogs": 1}
    assert batches.classes.tolist() == [0] * 5 + [1] * 5
    assert [name.replace("\\", "/") for name in batches.filenames[4:6]] == ["cats/9.png", "dogs/0.png"]
    images, rows = next(batches)
    assert images.shape == (4, 6, 8, 3)
    np.testing.assert_allclose(images[:, 0, 0, 0], [1, 3, 5, 7], rtol=1e-6)
    assert rows.tolist() == [[1, 0]] * 4
    held_out = generator.flow_from_directory(folder, subset="validation", class_mode="sparse", shuffle=False)
    images, labels = next(held_out)
    np.testing.assert_allclose(images[:, 0, 0, 0], [1, 3, 0, 2], rtol=1e-6)
    assert (labels.tolist(), labels.dtype) == ([0, 0, 1, 1], np.float32)


def test_a_damaged_file_is_named(folder):
    (folder / "cats" / "3.png").write_bytes(b"nothing")
    with pytest.raises(tinynet.ImageError, match=r"3\.png.* is not in a known format, or damaged"):
        next(ImageDataGenerator().flow_from_directory(folder))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"class_mode": "int"}, "Unknown class_mode 'int'"),
        ({"color_mode": "gray"}, "Unknown color_mode 'gray'. Did you mean 'grayscale'"),
        ({"classes": ["cat"]}, "Unknown class 'cat'. Did you mean 'cats'"),
        ({"target_size": (5,)}, r"target_size must be \(height, width\)"),
        ({"interpolation": "area"}, "Unknown interpolation 'area'"),
        ({"subset": "validation"}, "found no pictures in .* for the subset 'validation'"),
    ],
    ids=str,
)
def test_wrong_settings_for_a_folder(folder, wrong, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator().flow_from_directory(folder, **wrong)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        ImageDataGenerator().flow_from_directory(folder / "none")


def test_from_a_table(folder):
    table = {
        "filename": ["cats/1.png", "dogs/2.png", "cats/none.png", "cats/3.png"],
        "class": ["cat", "dog", "cat", "cat"],
        "both": [["cat", "pet"], "dog", "cat", ["pet"]],
        "size": [1.5, 2.5, 3.5, 4.5],
    }

    def flow(**settings_):
        how = {"directory": folder, "target_size": (2, 2), "shuffle": False, **settings_}
        with pytest.warns(UserWarning, match="1 of 4 file names in the column 'filename' are left out"):
            return ImageDataGenerator().flow_from_dataframe(table, **how)

    batches = flow()
    assert batches.class_indices == {"cat": 0, "dog": 1}
    images, rows = next(batches)
    assert images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert rows.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert next(flow(y_col="both"))[1].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert next(flow(class_mode="binary"))[1].tolist() == [0, 1, 0]
    assert next(flow(y_col="size", class_mode="raw"))[1].tolist() == [1.5, 2.5, 4.5]
    many = next(flow(y_col=["size", "size"], class_mode="multi_output", weight_col="size"))
    assert [column.tolist() for column in many[1]] == [[1.5, 2.5, 4.5]] * 2
    assert many[2].tolist() == [1.5, 2.5, 4.5]
    assert next(flow(class_mode=None)).shape == (3, 2, 2, 3)
    assert flow(classes=["dog"]).filenames == ["dogs/2.png"]
    with pytest.raises(ValueError, match=r"Unknown column 'name'\. Did you mean 'filename'"):
        ImageDataGenerator().flow_from_dataframe(table, x_col="name")
    with pytest.raises(TypeError, match="classes must be strings"):
        flow(y_col="size")


def test_a_model_learns_from_batches():
    x, y = numbered(40, 6, 6) * np.uint8(6), np.arange(40) >= 20
    batches = ImageDataGenerator(horizontal_flip=True, rescale=1 / 240).flow(x, y, seed=1)
    model = tinynet.Sequential([layers.Flatten(), layers.Dense(1, activation="sigmoid")], (6, 6, 1), seed=0)
    model.compile("adam", "binary_crossentropy")
    losses = [model.train_on_batch(*next(batches)) for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
