"""Every figure that README and the documentation tell has a source beside it, and is what was put on record.

A figure is a number with a unit of measurement, or a table of numbers. Its source is a program of this
repository that prints it, or a publication with its year, named in the same paragraph, item or table, or in
one of the two before or the one after.
"""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]
UNITS = r" ?%| (?:ms|µs|s|seconds|CPU seconds|MB|images/s|GFLOP/s)\b|\.\d+(?:×| times\b)"
FIGURE = re.compile(rf"\d(?:{UNITS})|, (?:%|ms|µs|s|MB|images/s) \||seconds \||\| [\d.,]+ \|$", re.MULTILINE)
PROGRAM = re.compile(r"\b(?:benchmarks|examples|tests|docs)/[\w/]+\.py\b")
PUBLICATION = re.compile(r"\",\s(?:19|20)\d\d\b")


def sections(text):
    """Return the paragraphs, items, tables and pieces of code of each section of a page."""
    for section in re.split(r"^#+ .*\n", text, flags=re.MULTILINE):
        yield [block for block in re.split(r"\n\s*\n|\n(?=(?:-|\d+\.) )", section) if block.strip()]


def tells_a_figure(block):
    """Return whether a block, unless it is code, tells a figure."""
    is_code = block.startswith(("```", "    ", "<!--"))
    return not is_code and FIGURE.search(re.sub(r"`[^`]*`", "", block)) is not None


def names_a_source(block):
    """Return whether a block names a program that is there, or a publication."""
    programs = [(ROOT / path).exists() for path in PROGRAM.findall(block)]
    return PUBLICATION.search(block) is not None or any(programs)


def without_source(text):
    """Return the blocks of a page that tell a figure without its source."""
    found = []
    for section in sections(text):
        named = [names_a_source(block) for block in section]
        found += [
            block
            for place, block in enumerate(section)
            if tells_a_figure(block) and not any(named[max(place - 2, 0) : place + 2])
        ]
    return found


def record(name):
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_figure_has_its_source(page):
    assert without_source(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_program_that_is_named_is_there(page):
    assert [path for path in PROGRAM.findall(page.read_text("utf-8")) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "figure", ["in 3 ms", "1.63× as fast", "1.6 times", "99.3%", "0.2 s", "| a | accuracy, % |"]
)
def test_a_figure_without_source_is_found(figure):
    text = f"# Speed\n\nIt trains {figure} here.\n"
    assert len(without_source(text)) == 1
    assert without_source(f"{text}\n    python benchmarks/compare.py\n") == []
    assert without_source(f'{text}\n(Smith, "Speed", 2010)\n') == []
    assert len(without_source(f"{text}\n    python benchmarks/no_such_program.py\n")) == 1
    assert len(without_source(f"{text}\n# Next\n\n    python benchmarks/compare.py\n")) == 1


@pytest.mark.parametrize(
    "text", ["28×28 pixels", "3 × 32 filters", "in `0.5 s`", "    x = 5 % 3", "Keras 3 says"]
)
def test_what_is_no_figure(text):
    assert without_source(text) == []


def test_pages_without_their_sources_are_found():
    for name in ("README.md", "docs/results.md", "docs/speed.md", "docs/pictures.md"):
        text = (ROOT / name).read_text("utf-8")
        assert without_source(PROGRAM.sub("", text)), name


# What is on record


@pytest.mark.parametrize("name", ["compare", "time_to_accuracy", "cores"])
def test_the_page_of_speed_has_the_tables_on_record(name):
    page = (ROOT / "docs" / "speed.md").read_text("utf-8")
    assert (RESULTS / f"{name}.md").read_text("utf-8").strip() in page


def columns(text):
    """Return the columns of all tables of a page: by their heading, the first cell and the others."""
    found = {}
    for table in re.findall(r"^\|.*\n(?:\|.*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
        names, *others = zip(*lines, strict=True)
        found |= {column[0]: dict(zip(names, column, strict=True)) for column in others}
    return found


def test_the_table_of_speed_is_what_was_measured():
    told = columns((RESULTS / "compare.md").read_text("utf-8"))
    for row in record("compare")["rows"]:
        column = told[f"{row['name']}, {row['unit']}"]
        assert column["**tinynet / best peer**"] == f"**{row['ratio']:.2f}×**"
        own = statistics.median(row["rounds"]["tinynet"])
        assert column["tinynet"].split("<")[0].replace(",", "") == (
            f"{own:.0f}" if own >= 100 else f"{own:#.3g}"
        )


def test_readme_tells_ratios_that_were_measured():
    ratios = {row["name"]: f"{row['ratio']:.2f}×" for row in record("compare")["rows"]}
    told = re.findall(r"\d+\.\d+×", (ROOT / "README.md").read_text("utf-8"))
    works = "CNN training", "CNN inference", "CNN, one picture"
    assert told == [ratios[f"{work}, MNIST"] for work in works]


def test_the_page_of_speed_tells_the_range_of_all_shapes():
    cases = record("scaling")["cases"]
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "speed.md").read_text("utf-8"))
    told = re.search(
        r"its (\d+) rows training is ([\d.]+) to ([\d.]+) times .*?, inference ([\d.]+) to ([\d.]+) ", page
    )
    assert int(told[1]) == len(cases)
    for kind, least, most in (("training", *told.group(2, 3)), ("inference", *told.group(4, 5))):
        ratios = [case["ratio"] for case in cases if case["name"].startswith(kind)]
        assert [f"{min(ratios):.2g}", f"{max(ratios):.2g}"] == [least, most]
