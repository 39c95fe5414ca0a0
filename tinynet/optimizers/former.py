"""What optimizers took before Keras 3."""

from __future__ import annotations

from typing import Any, ClassVar

from ..arguments import Keywords
from ..keywords import warn
from ..schedules import InverseTimeDecay


class Former(Keywords):
    """The base of optimizers: takes decay=; the learning rate is then divided by 1 + decay * iterations."""

    late: ClassVar[tuple[str, ...]] = ("decay",)

    learning_rate: Any

    def take(self, name: str, value: Any) -> None:
        """Take decay=."""
        if value:
            owner = type(self).__name__
            warn(f"{owner}: decay= is called learning_rate=InverseTimeDecay(...) today.")
            if callable(self.learning_rate):
                raise TypeError(f"{owner}: decay={value!r} needs a learning_rate that is a number.")
            self.learning_rate = InverseTimeDecay(self.learning_rate, 1, value)

    @property
    def lr(self) -> Any:
        """The learning rate, as it was called before Keras 3; to be read."""
        warn(f"{type(self).__name__}.lr is called learning_rate today.")
        return self.learning_rate
