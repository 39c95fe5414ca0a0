"""Kernels work whatever has happened to Numba's cache of machine code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import tinynet

# Prints what four small kernels compute, and how many of them came out of the cache.
USE_KERNELS = """
import numpy as np
from tinynet.kernels import elementwise

x, y, dx, filled = np.array([-1.0, 2.0]), np.empty(2), np.empty(2), np.empty(2)
elementwise.leaky_relu(x, y, 0.5)
elementwise.leaky_relu_gradient(y, np.ones(2), dx, 0.5)
elementwise.fill(filled, 3.0)
print(y.tolist(), dx.tolist(), filled.tolist(), elementwise.all_finite(x, np.empty(1)))
used = [elementwise.leaky_relu, elementwise.leaky_relu_gradient, elementwise.fill, elementwise.all_finite]
print(sum(sum(kernel.stats.cache_hits.values()) for kernel in used))
"""
RESULTS = "[-0.5, 2.0] [0.5, 1.0] [3.0, 3.0] True\n"


def damage(folder: Path, pattern: str, share: float) -> None:
    """Keep only the beginning of a cache file."""
    (path,) = folder.rglob(pattern)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.mark.slow
def test_a_damaged_cache_is_compiled_anew_and_repaired(run_python, tmp_path):
    def use_kernels():
        return run_python(USE_KERNELS, NUMBA_CACHE_DIR=str(tmp_path))

    assert use_kernels() == RESULTS + "0\n"
    damage(tmp_path, "elementwise.leaky_relu-*.nbi", 0)  # an index
    damage(tmp_path, "elementwise.leaky_relu_gradient-*.nbi", 0.5)
    damage(tmp_path, "elementwise.fill-*.nbc", 0)  # machine code
    damage(tmp_path, "elementwise.all_finite-*.nbc", 0.5)
    assert use_kernels() == RESULTS + "0\n"
    assert use_kernels() == RESULTS + "4\n"


@pytest.mark.slow
def test_without_a_folder_to_write_to_kernels_are_compiled_in_memory(run_python, tmp_path):
    # Folders that cannot be made, rather than permissions, which do not stop the superuser.
    shutil.copytree(Path(tinynet.__file__).parent, tmp_path / "tinynet", ignore=lambda *_: ["__pycache__"])
    (tmp_path / "tinynet" / "kernels" / "__pycache__").touch()
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "folder")
    places = dict.fromkeys(["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"], nowhere)
    copied = {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}  # not from the working directory
    show_cache = "print(type(elementwise.fill._cache).__name__)"
    printed = run_python(USE_KERNELS + show_cache, **copied, **places)
    assert printed == RESULTS + "0\nNullCache\n"


@pytest.mark.slow
def test_on_a_full_disk_kernels_still_work(run_python, tmp_path):
    pytest.importorskip("resource", reason="needs a limit on the size of files")
    fill_disk = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    assert run_python(fill_disk + USE_KERNELS, NUMBA_CACHE_DIR=str(tmp_path)) == RESULTS + "0\n"
    assert not any(path.is_file() for path in tmp_path.rglob("*"))  # so that every write has failed


USE_A_MODEL = """
import sys
import numpy as np
from tinynet import Sequential, layers

block = [layers.Conv2D(4, 3, padding="same", activation="relu"), layers.MaxPool2D(), layers.Dropout(0.1)]
end = [layers.Flatten(), layers.Dense(10, activation="softmax")]
model = Sequential([*block, *end], (6, 6, 1))
model.compile("adam", metrics=["accuracy"])
x, y = np.ones((8, 6, 6, 1), np.float32), np.zeros(8, np.int64)
model.fit(x, y, verbose=0)
model.evaluate(x, y)
print(model.predict(x).shape, "numba.np.arraymath" in sys.modules)
"""


@pytest.mark.slow
def test_compiled_kernels_are_loaded_without_what_compiling_needs(run_python, tmp_path):
    def use_a_model():
        return run_python(USE_A_MODEL, NUMBA_CACHE_DIR=str(tmp_path))

    assert use_a_model() == "(8, 10) True\n"
    assert use_a_model() == "(8, 10) False\n"


COUNT_WHAT_IS_COMPILED = """
import tinynet.kernels.machine_code as machine_code
made, original = [], machine_code.kept_library

def kept_library(name, context, make):
    def counted():
        made.append(name.split(".")[0].split()[0])
        return make()
    return original(name, context, counted)

machine_code.kept_library = kept_library
"""
SHOW_WEIGHTS = """
import zlib
print(sorted({*made}), zlib.crc32(model.flat.value))
"""


@pytest.mark.slow
def test_what_kernels_need_is_compiled_once(run_python, tmp_path):
    def use_a_model():
        printed = run_python(
            COUNT_WHAT_IS_COMPILED + USE_A_MODEL + SHOW_WEIGHTS, NUMBA_CACHE_DIR=str(tmp_path)
        )
        return printed.splitlines()[-1]

    made = use_a_model()
    assert made.startswith("['runtime', 'tinynet'] ")
    weights = made.split()[-1]
    assert use_a_model() == f"[] {weights}"
    for number, path in enumerate(sorted(tmp_path.rglob("tinynet-*.code"))):
        content = path.read_bytes()
        at = len(content) * number // 5
        spot = (-9, 32)[number // 2 % 2]  # in the machine code, or in what says how long it is
        changed = bytearray(content)
        changed[spot] ^= 8
        path.write_bytes(content[:at] if number % 2 else changed)
    assert use_a_model() == made
    assert use_a_model() == f"[] {weights}"
