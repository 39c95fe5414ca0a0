"""Train a multilayer perceptron on MNIST: about 98.6% of the test images right, in about a minute.

The network and its training are `RECIPES["mlp"]["quick"]` in tinynet/recipes.py; --recipe names another one.
"""

from train_mnist import main

if __name__ == "__main__":
    main("mlp", __doc__)
