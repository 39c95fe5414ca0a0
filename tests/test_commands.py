"""The commands, and what their help, the how-to page and the list of statuses promise of them."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import unicodedata
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinynet
from tinynet import Sequential, data, layers
from tinynet.__main__ import COMMANDS, EXAMPLES, main
from tinynet.callbacks import Callback
from tinynet.commands import console, folder_training, history_files, named, serve, train
from tinynet.commands.parsing import FAILED, INTERRUPTED, WELL, WRONG_USE
from tinynet.commands.report import Report

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "command_line.md"
PARENT = str(Path(tinynet.__file__).parents[1])


def one(height=90):
    """A picture of a 1."""
    picture = np.full((height, 60), 255, np.uint8)
    picture[height // 6 : -height // 6, 28:33] = 30
    return Image.fromarray(picture)


def pets(folder, count=6):
    """A folder of red cats and blue dogs."""
    random = np.random.default_rng(0)
    for name, colour in (("cat", (220, 30, 30)), ("dog", (30, 30, 220))):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            noise = random.integers(-20, 20, (20, 24, 3))
            Image.fromarray(np.uint8(colour + noise)).save(folder / name / f"{number}.png")
    return folder


def pet_model():
    """A model that says red is a cat and blue a dog."""
    model = Sequential([layers.GlobalAveragePool2D(), layers.Dense(2, use_bias=False)], (16, 16, 3))
    model.set_weights([np.array([[6, -6], [0, 0], [-6, 6]])])
    model.class_names = ["cat", "dog"]
    return model


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_mnist(monkeypatch):
    x, y = np.random.default_rng(0).integers(0, 255, (300, 28, 28, 1), np.uint8), np.arange(300) % 10
    monkeypatch.setattr(data, "load_mnist", lambda *_: ((x, y), (x[:50], y[:50])))
    monkeypatch.setattr(data, "fetch_mnist", lambda *_: "there")
    monkeypatch.setattr(data, "verify_mnist", lambda *_: "there")


# The examples


def examples():
    """The command lines in the helps, and on the how-to page."""
    helps = "\n".join([EXAMPLES, *(command.EXAMPLES for command in COMMANDS.values())])
    page = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE))
    lines = [line for line in f"{helps}\n{page}".splitlines() if line.strip()]
    return [*dict.fromkeys(re.split(r"\s{2,}", line)[0] for line in lines)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with all that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("my_seven.jpg", "price.png", "scans/a.png", "scans/new/b.png", "more/c/d.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        one().save(folder / name)
    for name in ("0", "1"):
        (folder / "digits" / name).mkdir(parents=True)
        one().save(folder / "digits" / name / "1.png")
    shutil.copytree(pets(folder / "pets"), folder / "more_pets")
    shutil.copytree(folder / "pets" / "dog", folder / "photos")
    shutil.copy(folder / "photos" / "0.png", folder / "dog.jpg")
    for letters in ("letters", "letters_2"):
        for name in ("A", "1"):
            (folder / letters / name).mkdir(parents=True)
            for number in range(3):
                one(80 + 10 * number).save(folder / letters / name / f"{number}.png")
    for name in ("pets.safetensors", "pets.keras"):
        pet_model().save(folder / name)
    for name in ("digits.h5", "digits.safetensors"):
        tinynet.pretrained("mnist_mlp").save(folder / name)
    (folder / "history.csv").write_text("epoch,accuracy,loss\n0,0.5,0.9\n1,0.75,0.5\n")
    (folder / "pets.json").write_text(json.dumps({"confusion": [[2, 1], [0, 3]], "labels": ["cat", "dog"]}))
    return folder


@pytest.mark.parametrize("example", [line for line in examples() if "warmup" not in line])
def test_an_example_runs(example, prepared, tmp_path, monkeypatch, small_mnist, capsys):
    line, _, into = example.partition(" > ")
    program, name, *arguments = shlex.split(line)
    assert program == "tinynet"
    if {"--plot", "--mistakes"} & {*arguments} or name == "plot":
        pytest.importorskip("matplotlib")
    if ".onnx" in line:
        pytest.importorskip("onnx")
    folder = tmp_path / "copy"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    if name == "train":
        for path in [*folder.glob("*.safetensors"), folder / "history.csv"]:
            path.unlink()
    if name == "serve":
        monkeypatch.setattr(serve, "run", lambda options: WELL)
    assert main([name, *arguments]) == WELL
    assert capsys.readouterr().out or name == "serve" or into


def test_every_command_has_examples_and_the_page_names_it():
    page = PAGE.read_text("utf-8")
    for name, command in COMMANDS.items():
        assert f"tinynet {name}" in command.EXAMPLES
        assert f"`tinynet {name}`" in page
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])


def test_help_shows_examples_and_statuses_and_imports_nothing_heavy(run_python):
    printed = run_python("""
import sys
from tinynet.__main__ import main
try:
    main(["predict", "--help"])
except SystemExit as end:
    print("status", end.code)
heavy = ["numba", "llvmlite", "matplotlib", "PIL", "tqdm", "django", "tinynet.plotting", "tinynet.keras"]
print([name for name in heavy if name in sys.modules])
""")
    assert "examples:\n  tinynet predict my_seven.jpg  " in printed
    assert "exit status:\n  0  " in printed
    assert "\n  130  Ctrl-C" in printed
    assert printed.endswith("status 0\n[]\n")


# What the names on a command line stand for


def found(*arguments):
    return [name for name, _ in named.pictures_of([*arguments])]


def test_folders_and_patterns_stand_for_the_pictures_in_them(there):
    for name in ("b.png", "a.JPG", "notes.txt", "in/c.png", "in/deep/d.gif", ".hidden/e.png", "in/.f.png"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(b"")
    inside = [str(Path("in", "c.png")), str(Path("in", "deep", "d.gif"))]
    assert found("in") == inside
    assert found(".") == ["a.JPG", "b.png", *inside]
    assert found("*.png") == ["b.png"]
    assert found("*") == ["a.JPG", "b.png"]
    assert found("**/*.png") == ["b.png", inside[0]]
    assert found("in/**") == inside
    assert found("[ab].*", "b.png") == ["a.JPG", "b.png", "b.png"]


def test_a_file_whose_name_is_a_pattern_is_that_file(there):
    one().save(there / "a[1].png")
    one().save(there / "a1.png")
    assert found("a[1].png") == ["a[1].png"]
    assert found("a[0-9].png") == ["a1.png"]


def test_a_pattern_that_matches_nothing_is_a_picture_that_cannot_be_read(there, capsys):
    one().save(there / "a.png")
    assert main(["predict", "*.gif", "a.png"]) == FAILED
    out, err = capsys.readouterr()
    assert out.startswith("a.png: 1  ")
    assert err == "*.gif: there is no picture of such a name\n1 of 2 pictures could not be read.\n"


def test_a_folder_that_is_not_ours_to_read_stops_no_other(there, monkeypatch):
    for name in ("in/a.png", "in/locked/b.png"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(b"")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (_, picture), (name, error) = named.pictures_of(["in"])
    assert picture == Path("in", "a.png")
    assert name == str(Path("in", "locked"))
    assert isinstance(error, PermissionError)


# What is printed


class Terminal(io.StringIO):
    """An output that somebody looks at."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("count", [console.FEW, console.FEW + 1])
def test_many_pictures_have_a_summary_and_on_a_terminal_a_bar(count, there, monkeypatch, capsys):
    for number in range(count - 1):
        one(80 + number).save(there / f"{number:02}.png")
    Image.new("L", (40, 40), 255).save(there / "blank.png")
    assert main(["predict", "."]) == WELL
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == count
    many = count > console.FEW
    summary = r"11 pictures read in \S+ s: 1 \(10\), no digit \(1\); 1 with a warning\n"
    assert re.fullmatch(summary if many else "", err)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["predict", "."]) == WELL
    assert ("pictures/s" in sys.stderr.getvalue()) == many
    assert capsys.readouterr().out == out


def test_what_a_library_raises_on_a_picture_stops_no_other(there, monkeypatch, capsys):
    one().save(there / "a.png")
    one(100).save(there / "b.png")
    real = tinynet.recognition.reading_of

    def reading_of(reader, picture):
        if picture == Path("a.png"):
            raise MemoryError
        return real(reader, picture)

    monkeypatch.setattr("tinynet.commands.predict.reading_of", reading_of)
    assert main(["predict", "."]) == FAILED
    out, err = capsys.readouterr()
    assert out.startswith("b.png: 1  ")
    assert err == "a.png: MemoryError\n1 of 2 pictures could not be read.\n"


def test_csv_is_a_table_errors_included(there, capsys):
    one().save(there / "a, b.png")
    (there / "bad.png").write_bytes(b"no picture")
    Image.new("L", (40, 40), 255).save(there / "blank.png")
    assert main(["predict", ".", "--csv"]) == FAILED
    good, bad, blank = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (good["file"], good["reading"], good["error"]) == ("a, b.png", "1", "")
    assert 0.9 < float(good["confidence"]) <= 1
    assert (bad["file"], bad["reading"], bad["confidence"]) == ("bad.png", "", "")
    assert "not in a known format" in bad["error"]
    assert (blank["reading"], blank["warnings"]) == ("no digit", "There is no ink in the picture.")


@pytest.mark.skipif(sys.platform == "win32", reason="names of files on Windows have no line ends")
def test_csv_quotes_names_with_line_ends(there, capsys):
    names = ["a\nb.png", "a\rb.png", 'a"b.png']
    for name in names:
        one().save(there / name)
    assert main(["predict", *names, "--csv"]) == WELL
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert [(row["file"], row["reading"]) for row in rows] == [(name, "1") for name in names]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "\\u0416.png"), ("cp1252", "\\u0416.png"), ("utf-8", "Ж.png")]
)
def test_no_name_is_too_strange_for_a_console(encoding, shown, there):
    names = ["Ж.png", os.fsdecode(b"\xff.png")]
    for name in names:
        one().save(there / name, "PNG")
    (there / os.fsdecode(b"\xfe.png")).write_bytes(b"no picture")
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": PARENT}
    command = [sys.executable, "-m", "tinynet", "predict", "."]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == FAILED
    names = [line.split(": 1 ")[0] for line in done.stdout.decode(encoding).splitlines()]
    assert names == [shown, "\\udcff.png"]
    assert done.stderr.decode(encoding).startswith(
        "\\udcfe.png: The picture '\\udcfe.png' is not in a known format"
    )


def test_ctrl_c_is_a_line_and_status_130(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS["doctor"], "run", interrupted)
    assert main(["doctor"]) == INTERRUPTED == 130
    assert capsys.readouterr() == ("", "tinynet doctor: interrupted\n")


def test_who_reads_the_output_may_leave_early(there):
    one().save(there / "a.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "tinynet", "predict", "a.png"],
        env={**os.environ, "PYTHONPATH": PARENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == FAILED


# train


SMALL = ["--size", "16", "--epochs", "4", "--batch-size", "4"]


def test_train_on_a_folder_of_pictures_whose_names_predict_prints(there, capsys):
    pets(there / "pets")
    (there / "pets" / "dog" / "bad.png").write_bytes(b"no picture")
    assert main(["train", "pets/", *SMALL, "--history", "h.csv", "--seed", "3"]) == FAILED
    out, err = capsys.readouterr()
    bad, summary = err.splitlines()
    assert bad.startswith(f"{Path('pets/dog/bad.png')}: The picture")
    assert summary == "1 of 13 pictures could not be read, and are left out."
    lines = out.splitlines()
    assert lines[0] == "2 classes (photo): cat, dog"
    assert lines[1] == "10 pictures to train on, 2 for validation"
    assert lines[-2].startswith("Validation accuracy of the saved weights: ")
    assert lines[-1] == "Saved pets.safetensors: tinynet predict PICTURE --model pets.safetensors"
    model = tinynet.load_model("pets.safetensors")
    assert (model.class_names, model.input_shape, model.seed) == (["cat", "dog"], (16, 16, 3), 3)
    assert model.temperature >= 1
    rows = list(csv.DictReader(Path("h.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert {*rows[0]} == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    assert main(["predict", "pets/cat/0.png", "--model", "pets.safetensors"]) == WELL
    assert re.match(r"pets/cat/0.png: (cat|dog)  ", capsys.readouterr().out)


def test_train_learns(there, capsys):
    pets(there / "pets", 12)
    assert main(["train", "pets", "--size", "16", "--epochs", "12", "--save", "p.keras"]) == WELL
    capsys.readouterr()
    assert main(["evaluate", "p.keras", "pets", "--json"]) == WELL
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


def test_few_pictures_and_epochs_are_enough_for_what_is_easy(there, capsys):
    pets(there / "pets", 24)
    pets(there / "others", 10)
    for seed in "01":
        options = ["--epochs", "5", "--seed", seed, "--validation", "others", "--overwrite"]
        assert main(["train", "pets", "--size", "16", *options]) == WELL
        assert "Validation accuracy of the saved weights: 100" in capsys.readouterr().out


@pytest.mark.parametrize(("steps", "momentum"), [(1, 0.5), (10, 0.5), (40, 0.75), (100, 0.9), (5000, 0.9)])
def test_running_averages_follow_as_quickly_as_there_are_few_steps(steps, momentum):
    found = [layer for layer in folder_training.blocks(64, steps) if hasattr(layer, "momentum")]
    assert [layer.momentum for layer in found] == [momentum] * 4


def test_what_is_trained_on_is_what_predict_sees(there):
    pets(there / "pets")
    for name in "AB":
        (there / "letters" / name).mkdir(parents=True)
        one().save(there / "letters" / name / "0.jpg")
        Image.new("L", (30, 30), 255).save(there / "letters" / name / "blank.png")
    for folder, size, channels in (("pets", 16, 3), ("letters", 28, 1)):
        options = argparse.Namespace(
            folder=folder, validation=None, kind=None, network="mlp", size=size, color=None, seed=0,
            augment=True, recipe=None, data=None,
        )  # fmt: skip
        training = folder_training.on_folder(options, "m")
        training.load()
        x, y = training.train
        assert x.shape[1:] == (size, size, channels)
        reader = tinynet.reader.reader_of(training.model)
        first = named.labelled_pictures(folder)[0][1]
        seen = tinynet.recognition.reading_of(reader, first).pixels.reshape(size, size, channels)
        assert np.abs(x[y == 0].astype(float) / 255 - seen).max(axis=(1, 2, 3)).min() <= 0.5 / 255 + 1e-6
        assert training.failures == (0 if folder == "pets" else 2)  # no ink


def test_another_folder_is_for_validation(there, capsys):
    pets(there / "pets")
    pets(there / "others", 3)
    (there / "others" / "cow").mkdir()
    assert main(["train", "pets", *SMALL, "--validation", "others"]) == WELL
    assert "12 pictures to train on, 6 for validation" in capsys.readouterr().out
    shutil.copy("others/dog/0.png", "others/cow/0.png")
    assert main(["train", "pets", *SMALL, "--validation", "others", "--overwrite"]) == FAILED
    assert "Unknown class 'cow'" in capsys.readouterr().err


def test_a_class_of_damaged_pictures_alone_is_refused(there, capsys):
    (pets(there / "pets", 2) / "cow").mkdir()
    (there / "pets" / "cow" / "bad.png").write_bytes(b"no picture")
    assert main(["train", "pets", *SMALL]) == FAILED
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "tinynet train: pets: no picture of cow can be read: mend them, or leave out the class."
    assert [path.name for path in there.iterdir()] == ["pets"]


@pytest.mark.parametrize("row", ["1.png", "1.png,", "1.png, ", ",cat"])
def test_a_row_of_a_table_without_a_label_or_a_file_is_refused_by_its_line(row, there, capsys):
    pets(there / "pets", 2)
    table = there / "pets" / "manifest.csv"
    table.write_text(f"file,label\ncat/0.png,cat\ndog/0.png,dog\n{row}\n")
    assert main(["train", "pets", *SMALL]) == FAILED
    missing = "file" if row.startswith(",") else "label"
    assert f"manifest.csv', line 4: there is no {missing}" in capsys.readouterr().err


def test_one_class_is_enough_for_validation(there, capsys):
    pets(there / "pets", 2)
    shutil.copytree(there / "pets" / "dog", there / "val" / "dog")
    assert main(["train", "pets", *SMALL, "--validation", "val"]) == WELL
    assert "4 pictures to train on, 2 for validation" in capsys.readouterr().out
    for path in (there / "val" / "dog").iterdir():
        path.write_bytes(b"no picture")
    assert main(["train", "pets", *SMALL, "--validation", "val", "--overwrite"]) == FAILED
    assert "tinynet train: val: there is no picture that can be read" in capsys.readouterr().err


def test_each_class_has_its_share_of_the_pictures_for_validation():
    y = np.repeat([0, 1, 2], [10, 30, 1])
    inside, aside = folder_training.split(y, 0.2, np.random.default_rng(0))
    assert sorted([*inside, *aside]) == [*range(41)]
    assert np.bincount(y[aside], minlength=3).tolist() == [2, 6, 0]
    assert (np.diff(y[inside]) != 0).sum() > 5  # mixed
    assert len(folder_training.split(y, 0.0, np.random.default_rng(0))[1]) == 0


@pytest.mark.parametrize("answer", ["y\n", "\n", None])
def test_train_asks_before_it_overwrites(answer, there, monkeypatch, capsys):
    pets(there / "pets", 2)
    for name in ("pets.safetensors", "h.json"):
        Path(name).write_text("hours of work")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n") if answer is None else Terminal(answer))
    monkeypatch.setattr(sys, "stderr", Terminal())
    status = main(["train", "pets", *SMALL, "--history", "h.json", "--validation", "0"])
    said = sys.stderr.getvalue()
    assert "pets.safetensors, h.json are there already" in said
    assert status == (WELL if answer == "y\n" else FAILED)
    assert (Path("pets.safetensors").read_bytes() == b"hours of work") == (answer != "y\n")
    if answer is None:  # a script, which cannot answer
        assert "--overwrite replaces what is there" in said
        assert "[y/N]" not in said
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main(["train", "pets", *SMALL, "--history", "h.json", "--overwrite"]) == WELL
    if answer != "\n":
        assert json.loads(Path("h.json").read_text())["epoch"] == [1, 2, 3, 4]


class CtrlC(Callback):
    """Presses it in an epoch, or in the midst of the first."""

    def __init__(self, epoch):
        self.at = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.at == 0:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at > 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("epoch", "steps", "validation", "which"),
    [
        (2, 4, "0.4", "the weights of its best epoch"),
        (2, 6, "0", "its last weights"),
        (0, 1, "0.4", "its last weights"),
    ],
)
def test_ctrl_c_keeps_the_model_as_far_as_it_has_come(
    epoch, steps, validation, which, there, monkeypatch, capsys
):
    pets(there / "pets")
    monkeypatch.setattr(train, "logger", lambda path: CtrlC(epoch))
    arguments = ["train", "pets", *SMALL, "--validation", validation, "--history", "h.csv"]
    assert main(arguments) == INTERRUPTED
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"Stopped after {epoch} of 4 epochs; saved pets.safetensors, with {which}."
    model = tinynet.load_model("pets.safetensors")
    assert (model.class_names, model.steps_trained) == (["cat", "dog"], steps)


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, INTERRUPTED), (ValueError, FAILED)])
def test_what_comes_after_a_training_cannot_lose_it(error, status, there, monkeypatch, capsys):
    pets(there / "pets")

    def calibrate(model, x, y):
        raise error("in calibration")

    monkeypatch.setattr(folder_training, "calibrate", calibrate)
    assert main(["train", "pets", *SMALL]) == status
    assert capsys.readouterr().err.startswith("Saved pets.safetensors as it was trained")
    assert tinynet.load_model("pets.safetensors").epochs_trained == 4


def test_a_disk_that_is_full_for_the_history_keeps_what_was_learned(there, monkeypatch, capsys):
    pets(there / "pets")

    class Full(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise OSError(28, "No space left on device")

    monkeypatch.setattr(train, "logger", lambda path: Full())
    assert main(["train", "pets", *SMALL, "--history", "h.csv"]) == FAILED
    stopped, why = capsys.readouterr().err.splitlines()
    assert stopped.startswith("Stopped after ")
    assert why == "tinynet train: [Errno 28] No space left on device"
    assert tinynet.load_model("pets.safetensors").steps_trained == 6


def test_who_leaves_early_from_a_training_loses_no_model(there):
    pets(there / "pets")
    process = subprocess.Popen(
        [sys.executable, "-m", "tinynet", "train", "pets", *SMALL, "--epochs", "1000"],
        env={**os.environ, "PYTHONPATH": PARENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert [process.stdout.readline()[:5] for _ in range(3)][-1] == "Epoch"
    process.stdout.close()
    assert process.stderr.read().startswith("Stopped after ")
    process.stderr.close()
    assert process.wait(30) == FAILED
    assert tinynet.load_model("pets.safetensors").steps_trained > 0


@pytest.mark.parametrize("option", ["--plot", "--history"])
def test_no_file_of_a_training_replaces_another(option, there, capsys):
    pets(there / "pets", 2)
    name = "z.png" if option == "--plot" else "z.csv"
    with pytest.raises(SystemExit, match=f"{WRONG_USE}"):
        main(["train", "pets", *SMALL, "--save", name, option, f"./{name}"])
    assert f"--save and {option} are the same file" in capsys.readouterr().err
    assert [path.name for path in there.iterdir()] == ["pets"]


def test_ctrl_c_before_anything_is_learned_writes_nothing(there, monkeypatch, capsys):
    pets(there / "pets", 2)

    def fit(self, callbacks):
        callbacks[0].set_model(self.model)
        raise KeyboardInterrupt

    monkeypatch.setattr(folder_training.FolderTraining, "fit", fit)
    assert main(["train", "pets", *SMALL]) == INTERRUPTED
    assert capsys.readouterr().err == "tinynet train: interrupted\n"
    assert [path.name for path in there.iterdir()] == ["pets"]


def test_ctrl_c_keeps_what_was_learned_of_mnist(there, small_mnist, monkeypatch, capsys):
    monkeypatch.setattr(train, "logger", lambda path: CtrlC(1))
    assert main(["train", "--network", "mlp", "--epochs", "3", "--history", "h.csv"]) == INTERRUPTED
    assert "Stopped after 1 of 3 epochs; saved mnist_mlp.safetensors" in capsys.readouterr().err
    assert tinynet.load_model("mnist_mlp.safetensors").epochs_trained == 1


def test_train_holds_back_a_share_of_mnist(there, small_mnist, capsys):
    arguments = ["train", "--network", "mlp", "--epochs", "1", "--validation", "0.1", "--history", "h.json"]
    assert main(arguments) == WELL
    assert [*json.loads(Path("h.json").read_text())] == [
        "epoch",
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "one"], "there is one class alone, cat"),
        (["train", "one/cat"], "There are no folders with pictures in 'one/cat'"),
        (["train", "bad"], "bad: there is no picture that can be read"),
        (["evaluate", "pets.safetensors", "one"], "Unknown class 'bird'. The names are cat, dog."),
        (["evaluate", "pets.safetensors", "bad"], "there is no picture of a class that could be read"),
        (["evaluate", "pets.safetensors", "table"], "needs a line of names with `file` and `label`"),
        (["plot", "a.csv"], "'a.csv' holds no history of a training"),
        (["plot", "a.json"], "'a.json' holds no history of a training"),
    ],
)
def test_what_cannot_be_done_says_why(arguments, message, there, capsys):
    if arguments[0] == "plot" or "--plot" in arguments:
        pytest.importorskip("matplotlib")
    pets(there / "pets", 2)
    pet_model().save("pets.safetensors")
    (there / "one" / ("bird" if arguments[0] == "evaluate" else "cat")).mkdir(parents=True)
    one().save(next((there / "one").iterdir()) / "1.png")
    for name in ("cat", "dog"):
        (there / "bad" / name).mkdir(parents=True)
        (there / "bad" / name / "1.png").write_bytes(b"no picture")
    (there / "table").mkdir()
    (there / "table" / "manifest.csv").write_text("name,class\na.png,cat\n")
    Path("a.csv").write_text("no,table\nof,numbers\n")
    Path("a.json").write_text("[]")
    assert main(arguments) == FAILED
    out, err = capsys.readouterr()
    assert err.splitlines()[-1].startswith(f"tinynet {arguments[0]}: ")
    assert message in err.splitlines()[-1]
    assert out == ""  # and nothing was read before


# evaluate


def test_a_report_worked_by_hand():
    probabilities = np.array([[0.9, 0.1, 0], [0.35, 0.65, 0], [0.2, 0.8, 0], [0.05, 0.95, 0]])
    report = Report(
        "m",
        ["cat", "dog", "cow"],
        ["a", "b", "c", "d\n"],
        np.array([0, 0, 1, 0]),
        probabilities,
        [True, False],
    )
    assert report.accuracy == 0.5
    assert report.confusion.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert report.mistakes == [3, 1]  # the surest first
    bins = (0.9 - 1 + 0.95 - 0, 0.65 - 0, 0.8 - 1)  # surplus of confidence in each bin
    assert report.calibration_error == pytest.approx(sum(map(abs, bins)) / 4)
    assert report.classes() == {
        "cat": {"images": 3, "recall": pytest.approx(1 / 3), "precision": 1.0},
        "dog": {"images": 1, "recall": 1.0, "precision": pytest.approx(1 / 3)},
        "cow": {"images": 0, "recall": None, "precision": None},
    }
    found = report.as_dict()
    assert found["mistakes"][0] == {"file": "d\n", "label": "cat", "reading": "dog", "confidence": 0.95}
    assert found["no_class"] == {"images": 2, "flagged": 1}
    assert json.loads(json.dumps(found)) == found
    lines = report.lines()
    assert lines[0] == "m: 50.00% of 4 pictures"
    assert "Pictures of no class: 1 of 2 have a warning." in lines
    assert "cat                1    2    0" in lines
    assert lines[-3:] == [
        "2 mistakes, the surest first:",
        "d\\n: cat, read as dog  95.0%",
        "b: cat, read as dog  65.0%",
    ]


def test_a_report_of_many_classes_and_mistakes_is_short():
    labels = [str(number) for number in range(30)]
    true = np.arange(30)
    lines = Report("m", labels, labels, true, np.eye(30)[(true + 1) % 30]).lines()
    assert ["0", "1", "1"] in [line.split() for line in lines]
    assert lines[-1] == "... and 10 more, which --json lists"
    assert len(lines) < 72


def test_evaluate_on_a_folder(there, capsys):
    pytest.importorskip("matplotlib")
    pet_model().save("pets.safetensors")
    pets(there / "pets")
    shutil.move("pets/cat/5.png", "pets/dog/red.png")  # a mistake of whoever sorted them
    (there / "pets" / "none" / "deep").mkdir(parents=True)
    Image.new("RGB", (30, 30), "lime").save("pets/none/deep/grass.png")
    (there / "pets" / "cat" / "bad.png").write_bytes(b"no picture")
    drawings = ["--plot", "c.png", "--mistakes", "m.png"]
    assert main(["evaluate", "pets.safetensors", "pets", *drawings]) == FAILED
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "pets.safetensors: 91.67% of 12 pictures"
    assert "Pictures of no class: 1 of 1 have a warning." in lines
    assert [line.split() for line in lines if line.startswith("dog")] == [
        ["dog", "7", "85.7%", "100.0%"],
        ["dog", "1", "6"],
    ]
    assert re.fullmatch(rf"{re.escape(str(Path('pets/dog/red.png')))}: dog, read as cat  100.0%", lines[-3])
    assert lines[-2:] == ["Drew c.png", "Drew m.png"]
    assert err.splitlines()[-1] == "1 of 14 pictures could not be read."
    assert all(Path(name).read_bytes().startswith(b"\x89PNG") for name in ("c.png", "m.png"))
    assert main(["evaluate", "pets.safetensors", "pets", "--json"]) == FAILED
    printed = capsys.readouterr().out
    assert json.loads(printed)["failures"] == 1
    assert json.loads(printed)["confusion"] == [[5, 0], [1, 6]]
    Path("e.json").write_text(printed)
    assert main(["plot", "e.json", "--output", "e.svg"]) == WELL
    assert (
        "91.67% right" in re.sub(r"\s+", " ", Path("e.svg").read_text())
        or "<svg" in Path("e.svg").read_text()
    )


@pytest.mark.parametrize(("name", "between"), [("manifest.tsv", "\t"), ("manifest.csv", ",")])
def test_a_table_may_say_the_classes(name, between, there, capsys):
    pet_model().save("pets.safetensors")
    shutil.move(str(pets(there / "pets", 1) / "cat" / "0.png"), "pets/red.png")
    rows = [["file", "label", "writer"], ["red.png", "dog", "ann"], ["dog/0.png", "dog", "bob"]]
    (there / "pets" / name).write_text("\n".join(map(between.join, rows)) + "\n")
    assert main(["evaluate", "pets.safetensors", "pets"]) == WELL
    assert capsys.readouterr().out.startswith("pets.safetensors: 50.00% of 2 pictures\n")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("where", ["folder", "table", "model", "labels"])
def test_classes_are_the_same_however_a_system_writes_their_names(form, where, there, capsys):
    names = [unicodedata.normalize(form, name) for name in ("Kätzchen", "Hündchen")]
    other = [unicodedata.normalize("NFD" if form == "NFC" else "NFC", name) for name in names]
    pets(there / "pets", 2)
    model = pet_model()
    model.class_names = other if where == "model" else names
    model.save("pets.safetensors")
    if where == "table":
        rows = [
            "file,label",
            *(f"{old}/0.png,{name}" for old, name in zip(["cat", "dog"], other, strict=True)),
        ]
        (there / "pets" / "manifest.csv").write_text("\n".join(rows), "utf-8")
    for old, name in zip(["cat", "dog"], other if where == "folder" else names, strict=True):
        if where != "table":
            shutil.move(there / "pets" / old, there / "pets" / name)
    labels = ["--labels", ",".join(other)] if where == "labels" else []
    assert main(["evaluate", "pets.safetensors", "pets", "--json", *labels]) == WELL
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


def test_train_writes_the_names_of_classes_composed(there):
    pets(there / "pets", 2)
    for old, name in (("cat", "a\u0308"), ("dog", "o\u0308")):
        shutil.move(there / "pets" / old, there / "pets" / name)
    shutil.copytree(there / "pets" / "a\u0308", there / "val" / "\xe4")
    assert main(["train", "pets", *SMALL, "--validation", "val", "--kind", "photo"]) == WELL
    assert tinynet.load_model("pets.safetensors").class_names == ["\xe4", "\xf6"]


# plot


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_history_is_written_and_read(suffix, there):
    model = Sequential([layers.Dense(1)], 1, seed=0)
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.linspace(0, 1, 16).reshape(-1, 1)
    path = Path(f"h.{suffix}")
    history = model.fit(
        x,
        x,
        epochs=4,
        verbose=0,
        callbacks=[history_files.logger(path)],
        validation_split=0.25,
        validation_freq=1,
    )
    read = history_files.read_history(path)
    assert read.epoch == history.epoch
    assert {name: pytest.approx(values) for name, values in history.history.items()} == read.history


def test_a_history_without_a_validation_or_by_hand_is_read(there):
    Path("a.csv").write_text("epoch,loss,val_loss\n3,0.5,NA\n4,0.25,NA\n")
    found = history_files.read_history(Path("a.csv"))
    assert (found.history, found.epoch) == ({"loss": [0.5, 0.25]}, [3, 4])
    Path("a.json").write_text('{"loss": [0.5, null]}')
    found = history_files.read_history(Path("a.json"))
    assert found.epoch == [0, 1]
    assert np.isnan(found.history["loss"][1])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("h.csv", "epoch,loss\n0," + "9" * 200_000 + "\n"),
        ("h.json", '{"epoch": [1e999], "loss": [1]}'),
        ("h.json", '{"epoch": [1' + "0" * 400 + '], "loss": [1]}'),
        ("h.json", '{"loss": [1' + "0" * 400 + "]}"),
        ("h.json", "[" * 100_000),
    ],
)
def test_no_history_is_too_strange_for_one_line(name, content, there, capsys):
    pytest.importorskip("matplotlib")
    Path(name).write_text(content)
    assert main(["plot", name]) == FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tinynet plot: {name!r} holds no history of a training: ")


def test_too_little_memory_is_one_line(monkeypatch, capsys):
    def too_much(options):
        raise MemoryError

    monkeypatch.setattr(COMMANDS["train"], "run", too_much)
    assert main(["train", "--size", "100000"]) == FAILED
    assert capsys.readouterr().err == "tinynet train: there is not enough memory\n"


def test_plot_draws_beside_its_file(there, capsys):
    pytest.importorskip("matplotlib")
    Path("h.csv").write_text("epoch,loss\n0,0.9\n1,0.5\n")
    assert main(["plot", "h.csv"]) == WELL
    assert capsys.readouterr().out == "Drew h.png\n"
    assert Path("h.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "h.csv", "--metric", "accuracy", "--overwrite"]) == FAILED
    assert "the history has loss; got 'accuracy'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "h.csv"],
        ["evaluate", "pets.safetensors", "pets", "--plot", "h.png"],
        ["evaluate", "pets.safetensors", "pets", "--mistakes", "h.png"],
        ["train", "pets", *SMALL, "--save", "m.keras", "--plot", "h.png"],
    ],
)
def test_no_drawing_replaces_a_file_unasked(arguments, there, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    pets(there / "pets", 2)
    pet_model().save("pets.safetensors")
    Path("h.csv").write_text("epoch,loss\n0,0.9\n1,0.5\n")
    Path("h.png").write_text("a picture of mine")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(arguments) == FAILED
    assert "h.png is there already: --overwrite replaces" in capsys.readouterr().err
    assert Path("h.png").read_text() == "a picture of mine"
    assert main([*arguments, "--overwrite"]) == WELL
    assert Path("h.png").read_bytes().startswith(b"\x89PNG")


def test_a_drawing_that_is_named_is_replaced_by_plot_alone_and_two_are_two_files(there, capsys):
    pytest.importorskip("matplotlib")
    Path("h.csv").write_text("epoch,loss\n0,0.9\n1,0.5\n")
    Path("a.png").write_text("an older one")
    assert main(["plot", "h.csv", "--output", "a.png"]) == WELL
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match=f"{WRONG_USE}"):
        main(["evaluate", "mnist_cnn", "--plot", "b.png", "--mistakes", "b.png"])
    assert "--plot and --mistakes are the same file" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="names of files on Windows have no line ends")
def test_a_drawing_beside_json_leaves_the_output_to_json(there, capsys):
    pytest.importorskip("matplotlib")
    pet_model().save("pets.safetensors")
    pets(there / "pets", 2)
    assert main(["evaluate", "pets.safetensors", "pets", "--json", "--plot", "c\n.png"]) == WELL
    out, err = capsys.readouterr()
    assert json.loads(out)["accuracy"] == 1
    assert err == "Drew c\\n.png\n"


# serve


def test_serve_finds_the_page_and_says_where_it_would_be(monkeypatch, tmp_path, capsys):
    assert (serve.page_folder() / "manage.py").is_file()
    monkeypatch.setattr(serve, "FOLDERS", (tmp_path / "a", tmp_path / "b"))
    assert main(["serve"]) == FAILED
    assert str(tmp_path / "a") in capsys.readouterr().err


def test_the_page_is_installed_where_serve_looks_for_it():
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8")
    wheel = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["wheel"]
    ((source, target),) = wheel["force-include"].items()
    assert [Path(PARENT, target), Path(PARENT, source)] == [*serve.FOLDERS]


def test_serve_without_django_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "django.core.servers.basehttp", None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("OCR_HOSTS", "")
    assert main(["serve"]) == FAILED
    assert "The page needs Django: python -m pip install django" in capsys.readouterr().err


def test_the_page_answers_to_the_addresses_that_it_listens_at(monkeypatch):
    request = pytest.importorskip("django.http.request")
    said = {}
    module = "django.core.servers.basehttp"
    monkeypatch.setitem(sys.modules, module, argparse.Namespace(run=lambda *given: said.update(given=given)))
    monkeypatch.setitem(sys.modules, "ocr.wsgi", argparse.Namespace(application=None))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("OCR_HOSTS", "a.example")
    assert main(["serve", "--host", "fd00::1", "--names", "b.example"]) == WELL
    assert os.environ["OCR_HOSTS"] == "a.example,b.example,[fd00::1]"
    assert said["given"][:2] == ("fd00::1", 8000)
    names = serve.host_names("phone.example,FD00:0::2 [fd00::3]", "fd00::1")
    assert names == ["phone.example", "[fd00::2]", "[fd00::3]", "[fd00::1]"]
    for host in ("phone.example", "[fd00::1]:8000", "[fd00::2]:8000", "[fd00::3]"):
        assert request.validate_host(request.split_domain_port(host)[0], names)
    assert serve.host_names("", "fe80::1%eth0") == ["[fe80::1]"]  # browsers leave out the interface


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_serve_serves_the_page_until_ctrl_c():
    pytest.importorskip("django", minversion="5.2")
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tinynet", "serve", "--port", "0", "--names", "digits.example"],
        env={**environment, "PYTHONPATH": PARENT},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stderr.readline().startswith("Loading the network")
        line = process.stderr.readline()
        address = re.fullmatch(r"The page is at (http://127.0.0.1:\d+/ocr) until Ctrl-C.\n", line)[1]
        request = urllib.request.Request(address, headers={"Host": "digits.example"})
        with urllib.request.urlopen(request, timeout=30) as response:
            assert b"<canvas" in response.read()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert said.splitlines()[-1] == "tinynet serve: interrupted"
    assert process.returncode == INTERRUPTED
