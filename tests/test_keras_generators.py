"""Images in batches are those of Keras's ImageDataGenerator, number for number, with the same seed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tinynet import images, utils
from tinynet.generators import ImageDataGenerator
from tinynet.generators.transforming import FILL_MODES

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)
pytest.importorskip("scipy")  # Keras moves images with it
theirs = pytest.importorskip("keras.src.legacy.preprocessing.image").ImageDataGenerator

pytestmark = pytest.mark.filterwarnings("ignore")  # SciPy's old names, settings that imply others

SETTINGS = [
    {"rotation_range": 30},
    {"width_shift_range": 0.2, "height_shift_range": 0.3},
    {"width_shift_range": 4, "height_shift_range": [-2, 1, 3]},
    {"width_shift_range": [0.1, 0.2], "height_shift_range": 2.5},
    {"width_shift_range": 1, "height_shift_range": -3},
    {"shear_range": 20},
    {"zoom_range": 0.3},
    {"zoom_range": [0.5, 1.0]},
    {"horizontal_flip": True},
    {"horizontal_flip": True, "vertical_flip": True},
    {"brightness_range": (0.3, 1.8)},
    {"channel_shift_range": 60.0},
    {"rescale": 1 / 255, "samplewise_center": True},
    {"samplewise_std_normalization": True},
    {"preprocessing_function": lambda image: image * 2 + 1, "rotation_range": 5},
    {"rotation_range": 40, "interpolation_order": 0},
    *({"rotation_range": 90, "zoom_range": 0.5, "fill_mode": mode, "cval": 9.0} for mode in FILL_MODES),
    {
        "rotation_range": 20,
        "width_shift_range": 0.1,
        "height_shift_range": 0.1,
        "shear_range": 10,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "channel_shift_range": 20,
        "brightness_range": (0.5, 1.5),
        "fill_mode": "reflect",
    },
]


def pictures(shape, count=37):
    return (255 * np.random.default_rng(0).random((count, *shape))).astype(np.float32)


@pytest.mark.parametrize("shape", [(12, 12, 3), (9, 14, 1), (14, 9, 4)])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: " ".join(settings))
def test_batches_are_the_same(settings, shape):
    for x in (pictures(shape), pictures(shape) / 255 - 0.3):
        both = [
            generator(**settings).flow(x, np.arange(37), batch_size=16, seed=5)
            for generator in (theirs, ImageDataGenerator)
        ]
        for _ in range(5):
            (expected, labels), (made, numbers) = map(next, both)
            np.testing.assert_array_equal(numbers, labels)
            np.testing.assert_allclose(made, expected, atol=1e-4)
            assert made.dtype == expected.dtype


@pytest.mark.parametrize(
    "settings",
    [
        {"featurewise_center": True},
        {"featurewise_std_normalization": True, "rescale": 1 / 255},
        {"zca_whitening": True, "rescale": 1 / 255, "zca_epsilon": 1e-3},
    ],
    ids=str,
)
@pytest.mark.parametrize("fitting", [{}, {"augment": True, "rounds": 2, "seed": 3}], ids=str)
def test_what_is_found_in_the_data_is_the_same(settings, fitting):
    x, both = pictures((5, 6, 1)), []
    for generator in (theirs, ImageDataGenerator):
        found = generator(**settings, rotation_range=9)
        found.fit(x, **fitting)
        both.append(next(found.flow(x, seed=1)))
        both.append(found.standardize(x[:1].copy()))
    np.testing.assert_allclose(both[2], both[0], atol=1e-3)
    np.testing.assert_allclose(both[3], both[1], atol=1e-3)


def test_single_images_are_the_same():
    image = pictures((8, 8, 3))[0]
    settings = {"rotation_range": 20, "zoom_range": 0.3, "brightness_range": (0.5, 2), "vertical_flip": True}
    ours, other = ImageDataGenerator(**settings), theirs(**settings)
    for seed in range(10):
        drawn = ours.get_random_transform(image.shape, seed)
        assert drawn == other.get_random_transform(image.shape, seed)
        np.testing.assert_allclose(
            ours.apply_transform(image, drawn), other.apply_transform(image, drawn), atol=1e-4
        )
    for parameters in (
        {"theta": 30},
        {"tx": 2, "zx": 0.5},
        {"flip_horizontal": True},
        {"brightness": 0.5},
        {},
    ):
        np.testing.assert_allclose(
            ours.apply_transform(image, parameters), other.apply_transform(image, parameters), atol=1e-4
        )


def test_batches_by_number_and_epochs_are_the_same():
    x = pictures((6, 6, 1))
    both = [g(rotation_range=9).flow(x, seed=2, batch_size=10) for g in (theirs, ImageDataGenerator)]
    for _ in range(2):
        for index in (0, 3, 1):
            np.testing.assert_allclose(both[1][index], both[0][index], atol=1e-4)
        for batches in both:
            batches.on_epoch_end()


def test_without_a_seed_numbers_come_from_numpy():
    x, made = pictures((6, 6, 1)), []
    for generator in (theirs, ImageDataGenerator):
        np.random.seed(3)  # noqa: NPY002
        made.append(next(generator(rotation_range=9).flow(x)))
    np.testing.assert_allclose(made[1], made[0], atol=1e-4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of several kinds and sizes in the folders of two classes."""
    from PIL import Image

    root, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(13):
        size = (20 + number, 30 - number)
        pixels = random.integers(0, 256, (*size, 4), np.uint8)
        image = Image.fromarray(pixels)
        place = root / ["dogs", "cats"][number % 2] / f"{number}"
        place.parent.mkdir(exist_ok=True)
        if number % 4 == 0:
            image.convert("RGB").save(f"{place}.jpg")
        elif number % 4 == 1:
            image.convert("P").save(f"{place}.png")
        elif number % 4 == 2:
            image.save(f"{place}.png")
        else:
            Image.fromarray(pixels[..., 0].astype(np.uint16) * 200).save(f"{place}.png")
    return root


@pytest.mark.parametrize("class_mode", ["categorical", "binary", "sparse", "input", None])
@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
def test_folders_are_read_the_same(folder, class_mode, color_mode, capsys):
    settings = {
        "target_size": (10, 12), "class_mode": class_mode, "color_mode": color_mode, "seed": 1,
        "batch_size": 4, "interpolation": "bilinear", "subset": "training",
    }  # fmt: skip
    both = [
        generator(rotation_range=8, validation_split=0.3).flow_from_directory(folder, **settings)
        for generator in (theirs, ImageDataGenerator)
    ]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == printed[1] == "Found 10 images belonging to 2 classes."
    for name in ("class_indices", "filenames", "samples", "n", "batch_size", "num_classes", "image_shape"):
        assert getattr(both[1], name) == getattr(both[0], name), name
    np.testing.assert_array_equal(both[1].classes, both[0].classes)
    for _ in range(4):
        made, expected = (batch if isinstance(batch, tuple) else (batch,) for batch in map(next, both[::-1]))
        for ours, other in zip(made, expected, strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-6, atol=1e-4)
            assert ours.dtype == other.dtype


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("target_size", [None, (7, 9)])
@pytest.mark.parametrize("keep", [False, True])
def test_pictures_are_loaded_the_same(folder, color_mode, target_size, keep):
    for file in sorted(folder.rglob("*.*")):
        for how in images.loading.INTERPOLATIONS:
            expected, made = (
                module.img_to_array(module.load_img(file, color_mode, target_size, how, keep))
                for module in (keras.utils, utils)
            )
            np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_are_made_and_saved_the_same(tmp_path, channels, scale):
    for shift in (0, 200 if scale or channels == 1 else 0):
        pixels = pictures((5, 4, channels))[0] + shift
        expected, made = (module.array_to_img(pixels, scale=scale) for module in (keras.utils, utils))
        assert made.mode == expected.mode
        np.testing.assert_array_equal(np.asarray(made), np.asarray(expected))
        for kind in ("jpg", "png"):
            if not shift:
                paths = [tmp_path / f"{module.__name__}.{kind}" for module in (keras.utils, utils)]
                for module, path in zip((keras.utils, utils), paths, strict=True):
                    module.save_img(path, pixels, scale=scale)
                assert paths[0].read_bytes() == paths[1].read_bytes()
