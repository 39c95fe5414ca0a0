"""A layer's weights under Keras's names."""

from __future__ import annotations

from .parameter import Parameter
from .tree import Node


class Weighted(Node):
    """A layer as something that has weights, which people list and count."""

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, those of sublayers too, layer by layer, in the order of `get_weights`.

        Returns:
            A list; empty as long as the layer is not built.

        Example:
            >>> from tinynet import Sequential, layers
            >>> [weight.name for weight in Sequential([layers.BatchNormalization()], 3).weights]
            ['gamma', 'beta', 'moving_mean', 'moving_variance']
        """
        return self.parameters

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes, by what `trainable` says now, in the order of `weights`.

        Returns:
            A list; empty where `trainable` is False.

        Example:
            >>> from tinynet import Sequential, layers
            >>> [weight.name for weight in Sequential([layers.BatchNormalization()], 3).trainable_weights]
            ['gamma', 'beta']
        """
        changed = {id(parameter) for parameter in self.trainable_parameters()}
        return [parameter for parameter in self.parameters if id(parameter) in changed]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The other parameters: frozen ones, and what layers keep up to date themselves.

        Returns:
            A list, in the order of `weights`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(2), layers.Dense(1)], 3)
            >>> model.layers[0].trainable = False
            >>> len(model.non_trainable_weights)
            2
        """
        changed = {id(parameter) for parameter in self.trainable_parameters()}
        return [parameter for parameter in self.parameters if id(parameter) not in changed]

    def count_params(self) -> int:
        """Return how many numbers the parameters hold, those of sublayers and those that do not train too.

        Returns:
            A Python integer.

        Raises:
            ValueError: the layer is not built, so that it has no parameters yet.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Flatten(), layers.Dense(10)], (28, 28)).count_params()
            7850
        """
        if self.output_shape is None:
            raise ValueError(
                f"count_params: {self.title} is not built, and has no parameters yet: build it by "
                "layer.build(input_shape), or make it part of a model that knows the shape of its input."
            )
        return sum(parameter.value.size for parameter in self.parameters)
