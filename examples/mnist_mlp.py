"""Train a multilayer perceptron on MNIST: about 98.6% of the test images right, in half a minute."""

import argparse
import math
import os
from pathlib import Path

from tinynet import Sequential, data, layers, metrics, optim

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=20, help="times through the training images (default: 20)")
parser.add_argument("--seed", type=int, default=0, help="another seed, another network (default: 0)")
parser.add_argument("--data", metavar="FOLDER", help="where MNIST is or shall be (default: a cache)")
parser.add_argument("--save", metavar="FILE", default="mnist_mlp.safetensors", help="the trained model")
options = parser.parse_args()
if options.epochs < 1:
    parser.error("--epochs must be at least 1")
if Path(options.save).is_dir() or not os.access(Path(options.save).parent, os.W_OK):
    parser.error(f"--save {options.save}: a folder, or in a folder that cannot be written")

(images, labels), (test_images, y_test) = data.load_mnist(options.data)
x_test = data.scale_pixels(test_images)
# The network does not train on the last tenth: val_accuracy shows how well it reads images it has not seen.
(x_train, y_train), validation = data.train_validation_split(data.scale_pixels(images), labels, 0.1)

# With twelve weights for each training image, it could learn the images by heart: dropout makes that hard.
model = Sequential([
    layers.Flatten(),
    layers.Dense(512, activation="relu"), layers.Dropout(0.3),
    layers.Dense(512, activation="relu"), layers.Dropout(0.3),
    layers.Dense(10, activation="softmax"),
], input_shape=(28, 28, 1), seed=options.seed, name="mnist_mlp")  # fmt: skip
model.summary()

# Large steps at first, to get near a good place; ever smaller ones, to settle there.
batch_size = 128
steps = options.epochs * math.ceil(len(x_train) / batch_size)
learning_rate = optim.CosineDecay(0.002, decay_steps=steps)
model.compile(optim.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=batch_size, epochs=options.epochs, validation_data=validation)

loss, accuracy = model.evaluate(x_test, y_test)
print("Most confused:")
confusion = metrics.confusion_matrix(y_test, model.predict(x_test), classes=10)
for true, predicted, count in metrics.most_confused(confusion, 5):
    print(f"  {count:3d} times a {true} was taken for a {predicted}")
model.save(options.save)
print(f"Saved {options.save}")
print(f"Test loss: {loss:.4f} - test accuracy: {accuracy:.2%} of {len(y_test):,} images")
