"""What `evaluate` returns: Keras's list or dict, of which a notebook shows the names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..views import View, number


class Scores(list[float]):
    """The loss and the metrics, in the order given to `compile`: a list, of which a notebook shows the names.

    Example:
        >>> loss, accuracy = scores = Scores({"loss": 0.25, "accuracy": 0.5})
        >>> scores
        [0.25, 0.5]
    """

    def __init__(self, logs: Mapping[str, float]) -> None:
        super().__init__(logs.values())
        self.names = [*logs]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copy and pickle it as the list that it is."""
        return list, ([*self],)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show a notebook the names, as a page and as text."""
        return view_of(dict(zip(self.names, self, strict=False))).bundle()


class NamedScores(dict[str, float]):
    """The same by name: a dict.

    Example:
        >>> NamedScores({"loss": 0.25, "accuracy": 0.5})
        {'loss': 0.25, 'accuracy': 0.5}
    """

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copy and pickle it as the dict that it is."""
        return dict, ({**self},)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show a notebook a table, as a page and as text."""
        return view_of(self).bundle()


def view_of(scores: Mapping[str, float]) -> View:
    """Return what is shown."""
    return View("Evaluation", ["", "Value"], [[name, number(value)] for name, value in scores.items()], "lr")


def scores_of(logs: Mapping[str, float], as_dict: bool) -> Any:
    """Return the loss alone, or a list of the loss and the metrics, or a dict of them, as Keras does."""
    if as_dict:
        return NamedScores(logs)
    return Scores(logs) if len(logs) > 1 else next(iter(logs.values()))
