"""The command line: what it prints, and the statuses that scripts rely on."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from keras_files import hdf5
from PIL import Image

import tinynet
from tinynet import Input, Model, Sequential, conversion, data, doctor, layers
from tinynet.__main__ import main
from tinynet.commands.parsing import WRONG_USE
from tinynet.files.kinds import kind_of_file
from tinynet.images import drawn_digits
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


def test_predict_goes_on_after_names_that_cannot_be_read(folder, capsys, monkeypatch):
    def refuse(path):
        yield str(path), PermissionError(13, "Permission denied", str(path))

    good, locked = str(folder / "a.jpg"), str(folder / "sub")
    monkeypatch.setattr("tinynet.commands.named.pictures_in", refuse)
    assert main(["predict", "x" * 300, "nul\0.png", locked, good]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{good}: 1 ")
    assert len(out.splitlines()) == 1
    assert "Permission denied" in err
    assert err.splitlines()[-1] == "3 of 4 pictures could not be read."


def test_a_name_forges_no_line_and_no_console_is_too_small_for_it(tmp_path):
    names = ["a\nb.png: 7  100.0%", "Ж.png", "\x1b[2J.png"]
    for name in names:
        one().save(tmp_path / name, "PNG")
    command = [sys.executable, "-m", "tinynet", "predict", *names]
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "PYTHONPATH": str(Path(tinynet.__file__).parents[1]),
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert [line.split(": 1 ")[0] for line in done.stdout.splitlines()] == [
        "a\\nb.png: 7  100.0%",
        "\\u0416.png",
        "\\x1b[2J.png",
    ]


def test_predict_prints_the_digit_and_its_confidence(folder, capsys):
    path = str(folder / "b one.png")
    assert main(["predict", path]) == 0
    printed = capsys.readouterr()
    reading = tinynet.predict_image(path)
    assert printed.out == f"{path}: 1  {reading.confidence:.1%}\n"
    assert printed.err == ""


def test_a_folder_is_read_past_its_bad_pictures(folder, capsys):
    (folder / "worse.jpg").write_bytes(b"\xff\xd8\xff")
    assert main(["predict", str(folder)]) == 1
    printed = capsys.readouterr()
    names = [line.split(": ")[0] for line in printed.out.splitlines()]
    assert names == [str(folder / "a.jpg"), str(folder / "b one.png")]
    errors = printed.err.splitlines()
    assert errors[0].startswith(f"{folder / 'bad.png'}: The picture")
    assert errors[-1] == "2 of 4 pictures could not be read."


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
    assert second == f"{blank}: no digit  There is no digit in the picture."
    assert main(["predict", "--number", "--json", str(tmp_path / "eleven.png")]) == 0
    number = json.loads(capsys.readouterr().out)
    assert number["number"] == "11"
    assert [digit["digit"] for digit in number["digits"]] == [1, 1]
    assert all(len(digit["box"]) == 4 for digit in number["digits"])


def test_a_line_of_output_holds_several_lines_of_numbers_and_what_is_not_sure(tmp_path, capsys):
    page = np.full((200, 160), 255, np.uint8)
    for top, left in ((20, 30), (20, 70), (120, 70), (120, 110)):
        page[top : top + 60, left : left + 6] = 0
    page[45:50, 92:112] = 0  # a dash
    page[20:80, 130:136] = 0
    path = str(tmp_path / "page.png")
    Image.fromarray(page).save(path)
    assert main(["predict", "--number", path]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{path}: 11-1 / 11  ")
    assert line.endswith("  Line 1: There is more than one number: - stands among the digits.")


def colour_model():
    """A model that tells which colour there is most of."""
    model = Sequential([layers.GlobalAveragePool2D(), layers.Dense(3, use_bias=False)], (32, 32, 3))
    model.set_weights([9 * np.eye(3)])
    return model


def test_predict_takes_models_of_other_things(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (60, 40), (200, 0, 0)).save("wall.png")
    colour_model().save("colours.safetensors")
    told = ["predict", "wall.png", "--model", "colours.safetensors", "--labels", "red,green,blue"]
    assert main(told) == 0
    assert capsys.readouterr().out == "wall.png: red  99.8%\n"
    assert main([*told, "--json", "--inverted", "--value-range", "0", "255"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["label"], line["number"]) == ("green", 1)
    assert [*line["probabilities"]] == ["red", "green", "blue"]
    assert main([*told, "--kind", "ink"]) == 0
    assert capsys.readouterr().out.startswith("wall.png: nothing  There is no ink")
    with pytest.raises(SystemExit, match=f"{WRONG_USE}"):
        main([*told, "--number"])
    assert "classes are the ten digits; these are red, green, blue" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "gives 3 numbers, and so no ten digits"),
        (["--labels", "a,b"], "needs 3 names; got 2: a, b"),
        (["--labels", "a,b,c", "--value-range", "1", "0"], "value_range is what black and white are"),
    ],
)
def test_a_model_that_cannot_be_meant_is_one_line_and_no_picture_is_read(options, message, tmp_path, capsys):
    colour_model().save(tmp_path / "colours.safetensors")
    command = ["predict", "a.png", "b.png", "--model", str(tmp_path / "colours.safetensors"), *options]
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tinynet predict: ")
    assert message in line


def small_network():
    model = Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)], (6, 6, 1), name="small")
    model.class_names = ["a", "b", "c"]
    return model


@pytest.mark.parametrize("target", ["b.safetensors", "b.keras", "b.h5", "B.HDF5", "b.onnx", "b.tflite"])
def test_convert_writes_another_format_and_checks_it(target, tmp_path, capsys, monkeypatch):
    if target.endswith("onnx"):
        pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    model = small_network()
    model.save("a.safetensors")
    (tmp_path / target).write_text("what was there before")
    assert main(["convert", "a.safetensors", target]) == 0
    first, second = capsys.readouterr().out.splitlines()
    size = (tmp_path / target).stat().st_size
    assert first.startswith("a.safetensors (safetensors of tinynet, ")
    assert f" -> {target} (" in first
    assert first.endswith(f", {size:,} bytes)")
    if target.endswith("tflite"):
        assert "(TensorFlow Lite, " in first
        assert second == "Not checked: tinynet does not read TensorFlow Lite files."
        return
    said = "Checked: on 8 random samples the predictions of both files differ by "
    assert re.fullmatch(said + r"\S+ at most \(the largest is \S+\)\.", second)
    x = np.random.default_rng(0).random((4, 6, 6, 1), np.float32)
    np.testing.assert_allclose(tinynet.load_model(target).predict(x), model.predict(x), atol=1e-5)


def test_convert_takes_several_inputs_and_outputs(tmp_path):
    one, other = Input((3,)), Input((None, None, 1))
    x = layers.GlobalAveragePool2D()(other)
    Model([one, other], [layers.Dense(2)(one), layers.Dense(4)(x)]).save(tmp_path / "a.safetensors")
    _, check = conversion.convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert check.startswith("Checked: on 8 random samples the predictions of both files differ by 0.0e+00")


def test_convert_tells_of_a_file_that_predicts_something_else(tmp_path, monkeypatch, capsys):
    small_network().save(tmp_path / "a.safetensors")
    real = Sequential.save

    def wrong(model, path):
        model.flat.value[0] += 0.1
        real(model, path)
        model.flat.value[0] -= 0.1

    monkeypatch.setattr(Sequential, "save", wrong)
    assert main(["convert", str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors")]) == 1
    assert "is not to be trusted: on 8 random samples" in capsys.readouterr().err


def test_convert_says_why_it_did_not_check(tmp_path, monkeypatch):
    small_network().save(tmp_path / "a.safetensors")
    real = conversion.load_model

    def load_model(path, **how):
        if str(path).endswith("b.safetensors"):
            raise ValueError("there is a layer that is not there")
        return real(path)

    monkeypatch.setattr(conversion, "load_model", load_model)
    _, check = conversion.convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert check == "Not checked: there is a layer that is not there"


@pytest.mark.filterwarnings("default")
def test_warnings_name_the_command_and_no_line_of_a_program(tmp_path, capsys):
    path = str(tmp_path / "a.h5")
    layer = {"class_name": "Dense", "config": {"units": 2, "name": "d", "activity_regularizer": "l2"}}
    layer["config"]["batch_input_shape"] = [None, 3]
    weights = [("d/kernel:0", np.ones((3, 2))), ("d/bias:0", np.ones(2))]
    training = {"optimizer_config": {"class_name": "Adam", "config": {}}, "loss": "of_my_own"}
    config = {"class_name": "Sequential", "config": {"name": "row", "layers": [layer]}}
    (tmp_path / "a.h5").write_bytes(hdf5(config, [("d", weights)], training=training))
    assert main(["summary", path]) == 0  # for which it is not compiled
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"tinynet summary: '{path}': training differs from Keras's")


def test_summary_says_what_a_file_is_and_what_is_in_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Sequential([layers.Reshape((6, 6, 1)), small_network()], (36,))
    model.save("a.safetensors")
    assert main(["summary", "a.safetensors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    size = (tmp_path / "a.safetensors").stat().st_size
    assert lines[0] == f"a.safetensors: safetensors of tinynet, {size:,} bytes"
    expected = []
    model.summary(print_fn=expected.append)
    assert lines[1:] == expected
    assert main(["summary", "a.safetensors", "--nested"]) == 0
    assert "conv2d (Conv2D)" in capsys.readouterr().out
    assert main(["summary", "mnist_mlp"]) == 0
    assert capsys.readouterr().out.startswith('Model: "')


KERAS_ZIP = {"metadata.json": json.dumps({"keras_version": "3.8.0"}), "config.json": "{}"}


def zip_of(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def hdf5_of(attributes):
    h5py = pytest.importorskip("h5py")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs.update(attributes)
    return content.getvalue()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: zip_of(KERAS_ZIP), "zip as of Keras 3.8.0"),
        (lambda: zip_of({"other": ""}), "zip"),
        (lambda: zip_of(KERAS_ZIP)[:40], "zip"),
        (lambda: hdf5_of({"keras_version": "2.4.0"}), "HDF5 as of Keras 2.4.0"),
        (lambda: hdf5_of({"keras_version": np.bytes_(b"1.2.0")}), "HDF5 as of Keras 1.2.0"),
        (lambda: hdf5_of({}), "HDF5"),
        (lambda: b"\x89HDF\r\n\x1a\n", "HDF5"),
        (lambda: b"\x08\x07\x12\x07pytorch\x1a\x041.10:\x00", "ONNX of pytorch 1.10"),
        (lambda: b"\x08\x87\x01\x1a\x01\x1bx", "ONNX of ?"),
        (lambda: b"\x08", "ONNX"),
        (lambda: b"\x08\x07\x12\x7f" + b"a" * 30, f"ONNX of {'a' * 30}"),
        (lambda: b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        (lambda: b"\x02\0\0\0\0\0\0\0{}", "safetensors"),
        (lambda: b"\xff" * 8 + b"{" * 5000, "safetensors"),
        (lambda: b"", "unknown format"),
    ],
)
def test_what_a_file_is(make, kind, tmp_path):
    content = make()
    (tmp_path / "file").write_bytes(content)
    assert kind_of_file(tmp_path / "file") == f"{kind}, {len(content):,} bytes"


def test_evaluate_measures_a_model_in_the_form_that_it_takes(tmp_path, capsys, monkeypatch):
    x = np.uint8(255 * drawn_digits().reshape(30, 28, 28, 1))
    monkeypatch.setattr(data, "load_mnist", lambda *_: (None, (x, np.tile(np.arange(10), 3))))
    network = tinynet.pretrained("mnist_mlp")
    reshape = [layers.Permute((2, 3, 1)), layers.Reshape((28, 28, 1))]
    bytes_first = Sequential([layers.Rescaling(1 / 255), *reshape, network], (1, 28, 28))
    accuracies = []
    for model, name in ((network, "a.h5"), (bytes_first, "b.safetensors")):
        model.save(tmp_path / name)
        assert main(["evaluate", str(tmp_path / name), "--json"]) == 0
        accuracies.append(json.loads(capsys.readouterr().out)["accuracy"])
    assert accuracies[0] == accuracies[1] > 0.8
    network.class_names = list("abcdefghij")
    network.save(tmp_path / "c.safetensors")
    with pytest.raises(SystemExit, match=f"{WRONG_USE}"):
        main(["evaluate", str(tmp_path / "c.safetensors")])
    assert "and no ten digits" in capsys.readouterr().err


def test_train_saves_a_model_that_evaluate_and_predict_take(small_mnist, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["train", "--network", "mlp", "--epochs", "1", "--seed", "3"]) == 0
    *_, result, last = capsys.readouterr().out.splitlines()
    assert last == "Saved mnist_mlp.safetensors"
    model = tinynet.load_model("mnist_mlp.safetensors")
    assert (model.seed, model.epochs_trained) == (3, 1)
    x, y = small_mnist
    right = np.mean(model.predict(data.scale_pixels(x)).argmax(axis=1) == y)
    assert result.endswith(f"test accuracy: {right:.2%} of 50 images")
    assert main(["evaluate", "mnist_mlp.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == pytest.approx(right)
    assert main(["evaluate", "mnist_mlp.safetensors"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"mnist_mlp.safetensors: {right:.2%} of 50 test images"
    assert main(["predict", "a.jpg", "--model", "mnist_mlp.safetensors"]) == 0


def test_train_takes_every_recipe_name(monkeypatch, small_mnist, tmp_path):
    trained = []

    def train(recipe, x, y, seed, validation_data, callbacks):
        trained.append(recipe)
        model = recipe.build(seed)
        model.history = tinynet.History()
        callbacks[0].set_model(model)

    monkeypatch.setattr(type(RECIPES["cnn"]["quick"]), "train", train)
    monkeypatch.setattr(tinynet.Sequential, "evaluate", lambda *_: [0.0, 0.5])
    for network, recipes in RECIPES.items():
        for name, recipe in recipes.items():
            path = str(tmp_path / "model.safetensors")
            assert main(["train", "--network", network, "--recipe", name, "--save", path, "--overwrite"]) == 0
            assert trained[-1] == recipe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--save", "nowhere/model"], "a folder, or in a folder that cannot be written"),
        (["train", "pets"], "There is no folder 'pets'"),
        (["evaluate", "mnist_cnn", "pets"], "There is no folder 'pets'"),
        (["plot", "history.csv"], "No such file"),
        (["predict", "--model", "nothing.safetensors", "x.png"], "There is no model file"),
        (["evaluate", "nothing.safetensors"], "There is no model file"),
        (["summary", "nothing.h5"], "There is no model file"),
        (["convert", "nothing.h5", "b.onnx"], "There is no model file"),
        (["convert", "nothing.h5", "b.pb"], "'b.pb' ends in none of .safetensors, .keras,"),
        (["convert", "one.h5", "./one.h5"], "'./one.h5' is the file to convert"),
        (["summary", "one.h5"], "'one.h5': it is"),
        (["data", "verify", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(
    arguments, message, capsys, small_mnist, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.h5").write_text("no model")
    assert main(arguments) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith(f"tinynet {arguments[0]}: ")
    assert message in errors[0]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["convert", "a.h5"],
        ["summary"],
        ["predict", "a.png", "--kind", "oil"],
        ["paint"],
        ["predict"],
        ["predict", "--colour", "x"],
        ["predict", "a.png", "--json", "--csv"],
        ["data", "x"],
        ["train", "--epochs", "0"],
        ["train", "--recipe", "best"],
        ["train", "--validation", "1"],
        ["train", "--history", "history.txt"],
        ["train", "--plot", "x.txt"],
        ["train", "--save", "z.json"],
        ["train", "--save", "a.onnx"],
        ["evaluate", "mnist_cnn", "--plot", "x.txt"],
        ["evaluate", "mnist_cnn", "--mistakes", "x.pgf"],
        ["plot", "pyproject.toml", "--output", "x.pgf"],
        ["serve", "--port", "99999"],
        ["serve", "--port", "-1"],
        ["train", "pets", "--recipe", "quick"],
        ["train", "pets", "--size", "4"],
        ["train", "pets", "--learning-rate", "nan"],
    ],
)
def test_wrong_use_has_a_status_of_its_own(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == WRONG_USE == 2
    said = capsys.readouterr().err
    assert f"usage: tinynet{f' {arguments[0]}' if arguments and arguments[0] != 'paint' else ''} " in said
    assert "error:" in said


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
