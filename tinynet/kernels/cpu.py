"""What this CPU's vector registers hold: the shapes of the kernels' tiles and vectors follow from it."""

from __future__ import annotations

import platform

import numba
import numba.core.codegen

ARM = ("aarch64", "arm64", "ARM64")
X86 = platform.machine() in ("x86_64", "AMD64")


def tile_shape(features: dict[str, bool], machine: str = platform.machine()) -> tuple[int, int]:
    """Choose the tile from the CPU's features.

    Two vectors of sums a row leave, besides the sums, registers for two vectors of b and one of x:
    32 registers hold 14 rows, 16 hold 6.

    Args:
        features: the CPU's features by LLVM's names.
        machine: what kind of CPU it is, as Python says.

    Returns:
        The number of rows, and the bytes in a vector.
    """
    if features.get("avx512f"):
        return 14, 64
    if features.get("avx2") or features.get("avx"):
        return 6, 32
    if features.get("neon") or machine in ARM:  # some systems do not name it, all have it
        return 14, 16
    return 6, 16


def host_features() -> dict[str, bool]:
    """Return the features of the CPU that Numba compiles for: the host's, unless Numba is told others."""
    named = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    if named is None:
        named = numba.core.codegen.get_host_cpu_features()  # type: ignore[no-untyped-call]
    return {feature[1:]: feature.startswith("+") for feature in named.split(",") if feature}


ROWS, VECTOR_BYTES = tile_shape(host_features())
