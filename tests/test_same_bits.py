"""Training gives the same bits on every CPU: those that tests/same_bits.txt has the hashes of."""

from __future__ import annotations

from pathlib import Path

import pytest
from same_bits import lines, of_layers, of_models

from tinynet.kernels import cpu

KEPT = Path(__file__).with_name("same_bits.txt")
WHEN = "where results were changed on purpose: python tests/same_bits.py > tests/same_bits.txt"

# Of LLVM's name, and what such a CPU has: AVX2 and fused multiply-add, but not AVX-512.
HASWELL = (
    "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+crc32,+cx16,+cx8,+f16c,+fma,+fsgsbase,+fxsr,+invpcid,+lzcnt,+mmx,"
    "+movbe,+pclmul,+popcnt,+rdrnd,+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave,+xsaveopt"
)
AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": HASWELL,
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CNL AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Prescott",
}

FUSED = cpu.host_features().get("fma") or not cpu.X86
pytestmark = pytest.mark.skipif(not FUSED, reason="this CPU cannot multiply and add at once")


def kept(kind):
    """Return the lines of the file that are of models, or of layers."""
    written = KEPT.read_text("utf-8").splitlines()
    return [line for line in written if (" layer " in line) == (kind == "layers")]


@pytest.mark.parametrize("threads", [1, 3])
def test_models_have_the_bits_that_they_always_had(set_threads, threads):
    set_threads(threads)
    assert list(lines(of_models)) == kept("models"), WHEN


@pytest.mark.slow
def test_layers_have_the_bits_that_they_always_had():
    assert list(lines(of_layers)) == kept("layers"), WHEN


@pytest.mark.slow
@pytest.mark.skipif(not cpu.X86 or not cpu.host_features().get("avx2"), reason="needs AVX2")
@pytest.mark.parametrize("kind", ["models", "layers"])
def test_without_avx_512_the_bits_are_the_same(run_python, kind):
    code = f"import sys; sys.path.insert(0, {str(KEPT.parent)!r}); sys.argv = ['', {kind!r}]\n"
    code += "import runpy; from tinynet.kernels import cpu; assert cpu.VECTOR_BYTES == 32\n"
    code += f"runpy.run_path({str(KEPT.with_suffix('.py'))!r}, run_name='__main__')"
    assert run_python(code, timeout=900, **AVX2).splitlines() == kept(kind), WHEN
