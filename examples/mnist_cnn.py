"""Train a convolutional network on MNIST: about 99.3% of the test images right, in about a minute."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tinynet import Sequential, data, layers, metrics, optim


def build_model(seed: int) -> Sequential:
    blocks: list[layers.Layer] = []
    for _ in range(3):
        blocks += [
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
        ]
    return Sequential(
        [
            *blocks,
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        input_shape=(28, 28, 1),
        seed=seed,
        name="mnist_cnn",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10, help="times through the data (default: 10)")
    parser.add_argument("--batch-size", type=int, default=128, help="images a step (default: 128)")
    parser.add_argument("--learning-rate", type=float, default=0.002, help="the highest (default: 0.002)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another network (default: 0)")
    parser.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be (default: a cache)")
    parser.add_argument("--save", metavar="FILE", default="mnist_cnn.safetensors", help="the trained model")
    parser.add_argument("--augment", action="store_true", help="distort the training images at random")
    options = parser.parse_args()
    if min(options.epochs, options.batch_size) < 1:
        parser.error("--epochs and --batch-size must be positive")
    folder = Path(options.save).absolute().parent
    if Path(options.save).is_dir() or not os.access(folder, os.W_OK):
        parser.error(f"--save {options.save}: a folder, or in a folder that cannot be written")

    (x_train, y_train), (x_test, y_test) = data.load_mnist(options.data)
    train, validation = data.train_validation_split(data.scale_pixels(x_train), y_train, 0.1)

    model = build_model(options.seed)
    model.summary()
    steps = options.epochs * -(-len(train[0]) // options.batch_size)
    schedule = optim.CosineDecay(options.learning_rate, decay_steps=steps)
    model.compile(optim.Adam(schedule), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        *train,
        batch_size=options.batch_size,
        epochs=options.epochs,
        validation_data=validation,
        augment=data.Augmentation() if options.augment else None,
    )

    test = model.evaluate(data.scale_pixels(x_test), y_test)
    confusion = metrics.confusion_matrix(y_test, model.predict(data.scale_pixels(x_test)), classes=10)
    print("Most confused:")
    for true, predicted, count in metrics.most_confused(confusion, 5):
        print(f"  {count:3d} times a {true} was taken for a {predicted}")
    model.save(options.save)
    print(f"Saved {options.save}")
    print(f"Test loss: {test['loss']:.4f} - test accuracy: {test['accuracy']:.2%} of {len(y_test):,} images")


if __name__ == "__main__":
    main()
