"""What tinynet finds on this machine, for `tinynet doctor` and for reports of faults."""

from __future__ import annotations

import platform
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, data, inference
from .execution import cores, parallel


def found() -> dict[str, str]:
    """Return what there is, by name: versions, threads, BLAS, register tile, folders."""
    from .kernels import cpu, picture

    packages = {}
    for name in ("numpy", "numba", "llvmlite", "pillow", "safetensors", "platformdirs", "tqdm", "matplotlib"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    blas: dict[str, Any] = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[assignment]
    stats = getattr(picture.label, "stats", None)
    cache = getattr(stats, "cache_path", None)
    return {
        "tinynet": f"{__version__} in {Path(__file__).parent}",
        "python": f"{platform.python_version()} in {sys.executable}",
        "system": platform.platform(),
        **packages,
        "cores": str(cores.available_cores()),
        "threads": f"{parallel.get_num_threads()} (TINYNET_NUM_THREADS or set_num_threads change it)",
        "BLAS": f"{blas.get('name')} {blas.get('version')} (NumPy's; tinynet's kernels do not use it)",
        "register tile": f"{cpu.ROWS} rows of 2 vectors of {8 * cpu.VECTOR_BYTES} bits",
        "kernel cache": f"{cache} ({writable(cache)})"
        if cache
        else "none: kernels are compiled in every process",
        "MNIST": f"{data.mnist_directory()} ({complete(data.mnist_directory())})",
        "pretrained": ", ".join(sorted(path.stem for path in inference.WEIGHTS.glob("*.safetensors")))
        or "none",
    }


def writable(folder: str) -> str:
    """Return whether files can be made in a folder, tried out."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "can be written"
    except OSError as error:
        return f"cannot be written: {error.strerror}; set NUMBA_CACHE_DIR to a folder that can"


def complete(folder: Path) -> str:
    """Return whether a folder has MNIST's files."""
    missing = [name for name in data.mnist.SHA256 if not any(folder.glob(f"{name}*"))]
    return "not there: `tinynet data fetch` gets it" if missing else "there"
