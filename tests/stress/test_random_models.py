"""Random models beside forbidden pages: no access out of bounds, and the numbers of references in NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment
from rounds import rounds

PROGRAM = Path(__file__).with_name("random_models.py")
MODELS = 25  # in each round


@pytest.mark.skipif(sys.platform != "linux", reason="calls Linux for its pages")
def test_random_models_between_forbidden_pages():
    for seed in rounds(3):
        command = [sys.executable, PROGRAM, str(seed * MODELS), str(MODELS)]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            number = done.stdout.split()[-1] if done.stdout else "none"
            how = f"python tests/stress/random_models.py {number}  # repeats it"
            pytest.fail(f"{how}\nexit code {done.returncode}\n{done.stderr[-4000:]}", pytrace=False)
