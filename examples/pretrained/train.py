"""Train the networks that come with tinynet (in tinynet/pretrained), for people's pictures and for MNIST.

They learn from 54,000 of MNIST's training images as they are, from a photograph of each (synthetic.py), from
photographs of digits as MNIST's writers hardly wrote them (a 1 with a long upstroke), and from photographs of
what is no digit, of which they shall not be sure. The other 6,000 training images, half of them photographed,
set the temperature. The recipes are `RECIPES[...]["pictures"]` in tinynet/recipes.py.

    python -m pip install -e ".[plot]" && python examples/pretrained/train.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import synthetic
from numpy.typing import NDArray
from tqdm import tqdm

from tinynet import data, inference
from tinynet.recipes import RECIPES

VALIDATION = 6_000
DRAWN, NO_DIGITS = 8_000, 20_000
Pictures = NDArray[np.float32]
Result = TypeVar("Result")


def photograph_all(x: Pictures, seed: int) -> tuple[Pictures, NDArray[np.bool_]]:
    """Return what the network sees of a photograph of each image, and of which there is one."""
    seen = in_parallel(photograph, ((image, (seed, i)) for i, image in enumerate(x)), len(x))
    return np.stack([np.zeros((28, 28), np.float32) if s is None else s for s in seen]), np.array(
        [s is not None for s in seen]
    )


def photograph(task: tuple[Pictures, tuple[int, int]]) -> Pictures | None:
    """Return what the network sees of a photograph of an image."""
    image, seed = task
    random = np.random.default_rng(seed)
    return synthetic.seen(synthetic.redrawn(image, random), random)


def photograph_drawn(seed: tuple[int, int]) -> tuple[Pictures | None, int]:
    """Return what the network sees of a photograph of a drawn digit, and the digit."""
    random = np.random.default_rng(seed)
    ink, digit = synthetic.drawn(random)
    return synthetic.seen(ink, random), digit


def photograph_no_digit(task: tuple[Pictures, Pictures, tuple[int, int]]) -> Pictures | None:
    """Return what the network sees of a photograph of something else, made of two images."""
    first, second, seed = task
    random = np.random.default_rng(seed)
    return synthetic.seen(synthetic.no_digit(first, second, random), random)


def in_parallel(function: Callable[[Any], Result], tasks: Iterable[Any], count: int) -> list[Result]:
    """Return the function's results, computed in several processes."""
    with ProcessPoolExecutor() as pool:
        return list(tqdm(pool.map(function, tasks, chunksize=200), total=count, desc=function.__name__))


def make_data(seed: int, images: int) -> dict[str, Pictures]:
    """Return training images with rows of probabilities as targets, and validation images with digits."""
    (pixels, labels), _ = data.load_mnist()
    x, y = data.scale_pixels(pixels)[:, :, :, 0], labels
    held_x, held_y = x[-VALIDATION:], y[-VALIDATION:]
    x, y = x[:-VALIDATION][:images], y[:-VALIDATION][:images]
    photos, fine = photograph_all(x, seed)
    count = min(DRAWN, len(x))
    tried = in_parallel(photograph_drawn, ((seed + 3, i) for i in range(count)), count)
    drawn = [(picture, digit) for picture, digit in tried if picture is not None]
    lying = x[np.isin(y, (2, 3, 4, 5))]
    count = min(NO_DIGITS, len(lying))
    others = in_parallel(photograph_no_digit, ((lying[i], x[i], (seed + 1, i)) for i in range(count)), count)
    nothing = np.stack([other for other in others if other is not None])
    held_photos, held_fine = photograph_all(held_x[::2], seed + 2)
    targets = np.eye(10, dtype=np.float32)[np.concatenate([y, y[fine], [digit for _, digit in drawn]])]
    even = np.full((len(nothing), 10), 0.1, np.float32)
    return {
        "x": np.concatenate([x, photos[fine], [picture for picture, _ in drawn], nothing])[..., np.newaxis],
        "y": np.concatenate([targets, even]),
        "held_x": np.concatenate([held_x[1::2], held_photos[held_fine]])[..., np.newaxis],
        "held_y": np.concatenate([held_y[1::2], held_y[::2][held_fine]]),
    }


def main() -> None:
    """Make the pictures, train each network, calibrate it, and save it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=RECIPES, default=list(RECIPES), help="default: all")
    parser.add_argument("--seed", type=int, default=0, help="of pictures and training; default: 0")
    parser.add_argument("--images", type=int, default=54_000, help="fewer, to see whether it runs")
    parser.add_argument(
        "--pictures", type=Path, help="keep the pictures in this .npz file, and use it next time"
    )
    parser.add_argument(
        "--output", type=Path, default=inference.WEIGHTS, help="a folder; default: the package's"
    )
    options = parser.parse_args()
    if options.pictures and options.pictures.exists():
        pictures = dict(np.load(options.pictures))
    else:
        pictures = make_data(options.seed, options.images)
        if options.pictures:
            np.savez(options.pictures, **pictures)  # type: ignore[arg-type]  # it takes any name
    for network in options.networks:
        recipe = RECIPES[network]["pictures"]
        held = pictures["held_x"], np.eye(10, dtype=np.float32)[pictures["held_y"]]
        model, _ = recipe.train(pictures["x"], pictures["y"], options.seed, held)
        temperature = inference.calibrate(model, pictures["held_x"], pictures["held_y"])
        path = options.output / f"{model.name}.safetensors"
        model.save(path, dtype="float16")
        right = float(np.mean(model.predict(pictures["held_x"]).argmax(axis=1) == pictures["held_y"]))
        print(f"{path}: validation accuracy {right:.2%}, temperature {temperature:.3f}")


if __name__ == "__main__":
    main()
