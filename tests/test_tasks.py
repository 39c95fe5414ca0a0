"""The programs in docs/tasks.md run as they stand, are short, and learn."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tinynet.data import write_idx

PAGE = (Path(__file__).parent.parent / "docs" / "tasks.md").read_text("utf-8")
PROGRAMS = dict(re.findall(r"^## (.*?)\n.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))
LIMIT = 96  # MiB of memory that a program may have for 256 MiB of pixels


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(title):
    """Run a program and return its names."""
    known = {}
    exec(PROGRAMS[title], known)
    return known


def shape(kind, random):
    """A picture (20, 20) of a circle, a cross or a square, somewhere."""
    picture = Image.new("L", (20, 20))
    draw = ImageDraw.Draw(picture)
    x, y = random.integers(0, 7, 2).tolist()
    if kind == "cross":
        draw.line((x, y, x + 12, y + 12), 255, 2)
        draw.line((x, y + 12, x + 12, y), 255, 2)
    elif kind == "circle":
        draw.ellipse((x, y, x + 12, y + 12), None, 255, 2)
    else:
        draw.rectangle((x, y, x + 12, y + 12), None, 255, 2)
    return picture


def letter(text, size, ink=255, paper=0, edge=28):
    """A picture of a letter in Pillow's own font, centred."""
    picture = Image.new("L", (edge, edge), paper)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text((edge / 2, edge / 2), text, ink, font, anchor="mm")
    return picture


def test_programs_are_short():
    assert len(PROGRAMS) == PAGE.count("```python")
    for title, program in PROGRAMS.items():
        assert sum(bool(line.strip()) for line in program.splitlines()) <= 10, title


def test_a_table():
    pytest.importorskip("sklearn")
    assert run("Yes or no, from a table")["accuracy"] > 0.93


def test_a_number():
    pytest.importorskip("sklearn")
    assert run("A number, from a table")["scores"].mean() > 0.42  # linear regression: 0.48


def test_small_images():
    pytest.importorskip("sklearn")
    assert run("Small images")["accuracy"] > 0.95


def test_a_folder_of_idx_files():
    random = np.random.default_rng(0)
    kinds = ["circle", "cross", "square"] * 100
    Path("shapes").mkdir()
    write_idx("shapes/images-idx3-ubyte.gz", np.stack([np.asarray(shape(kind, random)) for kind in kinds]))
    write_idx("shapes/labels-idx1-ubyte.gz", (np.arange(300) % 3).astype(np.uint8))
    assert run("A folder of idx files")["history"]["val_accuracy"][-1] > 0.9


def test_a_folder_of_pictures():
    random = np.random.default_rng(0)
    for i in range(300):
        kind = ("circle", "cross", "square")[i % 3]
        folder = Path("pics", kind)
        folder.mkdir(parents=True, exist_ok=True)
        shape(kind, random).convert("RGB").save(folder / f"{i}.png")
    known = run("A folder of pictures")
    assert known["history"]["val_accuracy"][-1] > 0.9
    assert known["model"].class_names == ["circle", "cross", "square"]


def test_letters_are_read_in_pictures():
    for text in "ABCDEFGH":
        Path("letters", text).mkdir(parents=True)
        for i in range(20):
            letter(text, 22 + i % 8).save(Path("letters", text, f"{i}.png"))
    letter("B", 150, 40, 220, 300).save("B.jpg")
    known = run("Letters, read in pictures")
    assert known["reading"].label == "B"
    read = []
    for text in "ABCDEFGH":
        letter(text, 90, 20, 240, 200).save(f"{text}.png")
        read.append(known["tinynet"].predict_image(f"{text}.png", known["model"]).label)
    assert sum(one == text for one, text in zip(read, "ABCDEFGH", strict=True)) >= 7


def test_images_out_of_images():
    pytest.importorskip("sklearn")
    known = run("Images out of images")
    images, drawn = known["images"][1500:], known["drawn"]
    assert drawn.shape == images.shape
    assert np.mean((drawn - images) ** 2) < 0.3 * np.mean((images - images.mean(axis=0)) ** 2)


def test_xor():
    assert run("XOR")["answers"].tolist() == [0, 1, 1, 0]


def test_several_labels():
    known = run("Several labels a sample")
    assert 0.05 < known["y"].mean() < 0.1
    assert known["f1"] > 0.8
    assert known["accuracy"] > known["f1"]


def test_a_rare_class():
    known = run("One class is rare")
    assert known["y"].sum() == 61
    assert known["recall"] > 0.8
    model, x, y = known["model"], known["x"], known["y"]
    model.fit(x, y, epochs=10, verbose=0)
    assert model.evaluate(x, y)[1] < 0.5 * known["recall"]  # without weights


@pytest.mark.slow
def test_more_than_fits_into_memory(run_python):
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "RLIMIT_DATA") or not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's limit of private memory")
    size = (4096, 256, 256, 1)
    pixels = np.memmap("pixels.uint8", np.uint8, "w+", shape=size)  # of 0, which takes no room on the disk
    pixels[1::2, :64] = 255
    pixels.flush()
    np.save("labels.npy", np.arange(4096) % 2)
    limited = f"""
import re, resource
import numpy as np
from tinynet import Sequential, layers

def used():
    return int(re.search(r"VmData:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

row = [layers.Rescaling(1.0), layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(2, "softmax")]
warm = Sequential(row, (4, 4, 1))
warm.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
warm.fit(np.zeros((64, 4, 4, 1), np.uint8), np.zeros(64, int), verbose=0)
limit = used() + {LIMIT} * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.memmap("pixels.uint8", np.uint8, "r").copy()
except MemoryError:
    print("limited")
"""
    printed = run_python(
        textwrap.dedent(limited) + PROGRAMS["More than fits into memory"] + "print(history['accuracy'][-1])"
    )
    limited, accuracy = printed.split()
    assert limited == "limited"
    assert float(accuracy) > 0.9
