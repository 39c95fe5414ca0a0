"""Train a documented network on MNIST: what mnist_cnn.py and mnist_mlp.py do.

The networks, and how each is trained, are the recipes of tinynet/recipes.py.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from tinynet import data, metrics
from tinynet.recipes import RECIPES, Recipe


def main(network: str, description: str) -> None:
    """Train as the command line says, and measure the accuracy on the test images."""
    recipe, options = command_line(network, description)
    (x_train, y_train), (x_test, y_test) = data.load_mnist(options.data)
    train, validation = data.train_validation_split(data.scale_pixels(x_train), y_train, 0.1)

    recipe.build(options.seed).summary()
    model, _ = recipe.train(*train, options.seed, validation)

    test = model.evaluate(data.scale_pixels(x_test), y_test)
    confusion = metrics.confusion_matrix(y_test, model.predict(data.scale_pixels(x_test)), classes=10)
    print("Most confused:")
    for true, predicted, count in metrics.most_confused(confusion, 5):
        print(f"  {count:3d} times a {true} was taken for a {predicted}")
    model.save(options.save)
    print(f"Saved {options.save}")
    print(f"Test loss: {test['loss']:.4f} - test accuracy: {test['accuracy']:.2%} of {len(y_test):,} images")


def command_line(network: str, description: str) -> tuple[Recipe, argparse.Namespace]:
    """Return the recipe that the command line asks for, and the other options."""
    recipes = RECIPES[network]
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=recipes, default="quick", help="how to train (default: quick)")
    parser.add_argument("--epochs", type=int, help="times through the data (default: the recipe's)")
    parser.add_argument("--batch-size", type=int, help="images a step (default: the recipe's)")
    parser.add_argument("--learning-rate", type=float, help="the highest (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another network (default: 0)")
    parser.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be (default: a cache)")
    parser.add_argument(
        "--save", metavar="FILE", default=f"mnist_{network}.safetensors", help="the trained model"
    )
    options = parser.parse_args()
    changes = {name: getattr(options, name) for name in ("epochs", "batch_size", "learning_rate")}
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        recipe = replace(recipes[options.recipe], **given)
    except ValueError as error:
        parser.error(str(error))
    folder = Path(options.save).absolute().parent
    if Path(options.save).is_dir() or not os.access(folder, os.W_OK):
        parser.error(f"--save {options.save}: a folder, or in a folder that cannot be written")
    return recipe, options
