"""Which modules hold no tests here, because what they import is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("sklearn") else ["tinynet/sklearn"]
