"""What is in this folder attacks: it is marked so, and a failure says how to repeat it."""

from __future__ import annotations

from pathlib import Path

import pytest
import rounds

collect_ignore = ["guard_pages.py", "random_models.py"]  # which are for Linux, and processes of their own


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stress)


@pytest.fixture(autouse=True)
def no_round_yet():
    rounds.last.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and rounds.last:
        text = f"TINYNET_STRESS_SEED={rounds.last[0]} python -m pytest -m stress '{item.nodeid}'"
        report.sections.append(("to begin with the round that failed", text))
    return report
