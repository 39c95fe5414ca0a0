"""How the documentation is built: `python -m sphinx -W docs site` makes the folder site."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import tinynet

project = "tinynet"
author = "the tinynet authors"
version = release = tinynet.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "tinynet"

# The lessons live among the examples; Sphinx reads only what is in its own folder. They are run anew where they changed.
HERE = Path(__file__).parent
shutil.copytree(HERE.parent / "examples" / "notebooks", HERE / "lessons", dirs_exist_ok=True)
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds for a cell
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]

default_role = "code"  # docstrings are plain text with `names` in it
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature is long enough, and Args says it in words
autodoc_default_options = {"members": True, "imported-members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of classes are in the list of their docstring
napoleon_custom_sections = [("Define", "params_style")]
myst_heading_anchors = 3


def as_plain_text(
    app: Any, what: str, name: str, documented: object, options: object, lines: list[str]
) -> None:
    """Keep what stands in a docstring from being read as markup: "(N, *shape)" is no emphasis."""
    is_example = False
    for number, line in enumerate(lines):
        is_example = bool(line.strip()) and (is_example or line.lstrip().startswith(">>>"))
        if not is_example:
            parts = re.split(r"(``?[^`]+``?)", line)  # code, between backticks, as it is
            parts[::2] = [re.sub(r"\*|\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def setup(app: Any) -> None:
    """Let Sphinx call `as_plain_text` before napoleon, which finds the sections, sees the docstrings."""
    app.connect("autodoc-process-docstring", as_plain_text, priority=1)
