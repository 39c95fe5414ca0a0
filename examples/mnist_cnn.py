"""Train a convolutional network on MNIST: about 99.3% of the test images right, in about a minute.

The network and its training are `RECIPES["cnn"]["quick"]` in tinynet/recipes.py; --recipe names another one.
"""

from train_mnist import main

if __name__ == "__main__":
    main("cnn", __doc__)
