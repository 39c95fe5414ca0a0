"""The command `tinynet doctor`."""

from __future__ import annotations

import argparse
import json

from ..doctor import found
from .parsing import WELL

EXAMPLES = """
tinynet doctor                      for a report of a fault
tinynet doctor --json               for a program
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Say what tinynet finds on this machine: versions, threads, BLAS, register tile, folders."""
    findings = found()
    if options.json:
        print(json.dumps(findings))
    else:
        width = max(map(len, findings))
        for name, finding in findings.items():
            print(f"{name:{width}}  {finding}")
    return WELL
