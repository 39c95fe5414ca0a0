"""The command line: what it prints, and the statuses that scripts rely on."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image

import tinynet
from tinynet import data, doctor
from tinynet.__main__ import WRONG_USAGE, main
from tinynet.recipes import RECIPES


def one(height=90):
    """A picture of a 1."""
    picture = np.full((height, 60), 255, np.uint8)
    picture[height // 6 : -height // 6, 28:33] = 30
    return Image.fromarray(picture)


@pytest.fixture
def folder(tmp_path):
    one().save(tmp_path / "b one.png")
    one(120).save(tmp_path / "a.jpg")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not a picture, and not one by its name")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "sub").mkdir()
    return tmp_path


@pytest.fixture
def small_mnist(monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.integers(0, 255, (300, 28, 28, 1), np.uint8), np.arange(300).astype(np.uint8) % 10

    def load(folder=None):
        return (x, y), (x[:50], y[:50])

    monkeypatch.setattr(data, "load_mnist", load)
    return x[:50], y[:50]


def test_predict_prints_the_digit_and_its_confidence(folder, capsys):
    path = str(folder / "b one.png")
    assert main(["predict", path]) == 0
    printed = capsys.readouterr()
    reading = tinynet.predict_image(path)
    assert printed.out == f"{path}: 1  {reading.confidence:.1%}\n"
    assert printed.err == ""


def test_a_folder_is_read_past_its_bad_pictures_and_the_status_counts_them(folder, capsys):
    (folder / "worse.jpg").write_bytes(b"\xff\xd8\xff")
    assert main(["predict", str(folder)]) == 2
    printed = capsys.readouterr()
    names = [line.split(": ")[0] for line in printed.out.splitlines()]
    assert names == [str(folder / "a.jpg"), str(folder / "b one.png")]
    errors = printed.err.splitlines()
    assert errors[0].startswith(f"{folder / 'bad.png'}: The picture")
    assert errors[-1] == "2 of 4 pictures could not be read."


def test_the_status_stays_below_that_of_wrong_usage(folder, capsys):
    assert main(["predict", *[str(folder / "bad.png")] * (WRONG_USAGE + 10)]) == WRONG_USAGE - 1
    assert "74 of 74 pictures could not be read." in capsys.readouterr().err


def test_json_is_an_object_a_line_in_order_errors_included(folder, capsys):
    assert main(["predict", "--json", str(folder)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"].rsplit("/", 1)[-1] for line in lines] == ["a.jpg", "b one.png", "bad.png"]
    assert lines[0]["digit"] == 1
    assert sum(lines[0]["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert "not in a known format" in lines[2]["error"]


def test_an_empty_folder_is_not_a_success(tmp_path, capsys):
    assert main(["predict", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"There is no picture in {tmp_path}\n"


def test_a_picture_comes_from_the_input(monkeypatch, capsys):
    file = io.BytesIO()
    one().save(file, "PNG")
    file.seek(0)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=file))
    assert main(["predict", "-"]) == 0
    assert capsys.readouterr().out.startswith("-: 1  ")


def test_numbers(tmp_path, capsys):
    two = np.hstack([np.asarray(one()), np.asarray(one())])
    Image.fromarray(two).save(tmp_path / "eleven.png")
    blank = str(tmp_path / "blank.png")
    Image.new("L", (40, 40), 255).save(blank)
    assert main(["predict", "--number", str(tmp_path / "eleven.png"), blank]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{tmp_path / 'eleven.png'}: 11  ")
    assert second == f"{blank}: no digit  0.0%"
    assert main(["predict", "--number", "--json", str(tmp_path / "eleven.png")]) == 0
    number = json.loads(capsys.readouterr().out)
    assert number["number"] == "11"
    assert [digit["digit"] for digit in number["digits"]] == [1, 1]


def test_train_saves_a_model_that_evaluate_and_predict_take(small_mnist, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["train", "--network", "mlp", "--epochs", "1", "--seed", "3"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    model = tinynet.load_model("mnist_mlp.safetensors")
    assert (model.seed, model.epochs_trained) == (3, 1)
    x, y = small_mnist
    right = np.mean(model.predict(data.scale_pixels(x)).argmax(axis=1) == y)
    assert last.endswith(f"test accuracy: {right:.2%} of 50 images")
    assert main(["evaluate", "mnist_mlp.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(right)
    assert main(["evaluate", "mnist_mlp.safetensors"]) == 0
    assert capsys.readouterr().out == f"mnist_mlp.safetensors: {right:.2%} of 50 test images\n"
    assert main(["predict", "a.jpg", "--model", "mnist_mlp.safetensors"]) == 0


def test_train_takes_every_recipe_name(monkeypatch, small_mnist, tmp_path):
    trained = []

    def train(recipe, x, y, seed=0):
        trained.append(recipe)
        return recipe.build(seed), None

    monkeypatch.setattr(type(RECIPES["cnn"]["quick"]), "train", train)
    monkeypatch.setattr(tinynet.Sequential, "evaluate", lambda *_: [0.0, 0.5])
    for network, recipes in RECIPES.items():
        for name, recipe in recipes.items():
            path = str(tmp_path / "model.safetensors")
            assert main(["train", "--network", network, "--recipe", name, "--save", path]) == 0
            assert trained[-1] == recipe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--recipe", "best"], "--recipe is one of quick, fast, plain"),
        (["train", "--save", "nowhere/model"], "a folder, or in a folder that cannot be written"),
        (["train", "--epochs", "0"], "epochs must be a whole number"),
        (["predict", "--model", "nothing.safetensors", "x.png"], "There is no model file"),
        (["evaluate", "nothing.safetensors"], "There is no model file"),
        (["data", "verify", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(
    arguments, message, capsys, small_mnist, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith(f"tinynet {arguments[0]}: ")
    assert message in errors[0]


@pytest.mark.parametrize(
    "arguments", [[], ["paint"], ["predict"], ["predict", "--colour", "x"], ["data", "x"]]
)
def test_wrong_usage_has_a_status_of_its_own(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == WRONG_USAGE
    assert "error:" in capsys.readouterr().err


def test_data_says_where_mnist_is(tmp_path, capsys):
    assert main(["data", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"


def test_doctor_finds_what_is_there(capsys):
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert findings["tinynet"].startswith(tinynet.__version__)
    assert findings["numpy"] == np.__version__
    assert findings["threads"].startswith(str(tinynet.get_num_threads()))
    assert "rows of 2 vectors" in findings["register tile"]
    assert findings["pretrained"] == "mnist_cnn, mnist_mlp"
    assert main(["doctor"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(findings)


def test_doctor_tells_a_folder_that_cannot_be_written(tmp_path):
    assert doctor.writable(str(tmp_path / "new")) == "can be written"
    (tmp_path / "file").write_text("")
    assert doctor.writable(str(tmp_path / "file" / "folder")).startswith("cannot be written")


def test_doctor_tells_whether_mnist_is_there(tmp_path):
    assert "not there" in doctor.complete(tmp_path)
    for name in data.mnist.SHA256:
        (tmp_path / f"{name}.gz").write_bytes(b"")
    assert doctor.complete(tmp_path) == "there"


def test_warmup_compiles(capsys):
    assert main(["warmup"]) == 0
    assert capsys.readouterr().out == "All kernels are compiled.\n"


def test_as_a_process(folder):
    command = [sys.executable, "-m", "tinynet", "predict", "a.jpg", "bad.png"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stdout.startswith("a.jpg: 1  ")
    assert "1 of 2 pictures could not be read." in finished.stderr
    version = subprocess.run(
        [sys.executable, "-m", "tinynet", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout == f"tinynet {tinynet.__version__}\n"
