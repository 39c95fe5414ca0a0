"""Fashion-MNIST: pictures of clothes, 28 × 28, in 10 classes.

The data is by Zalando SE, under the MIT licence. Source: https://github.com/zalandoresearch/fashion-mnist
"""

from __future__ import annotations

from .idx_files import IdxFiles, Split

__all__ = ["load_data"]

FOLDERS = ["fashion-mnist", "FashionMNIST/raw"]  # the second is torchvision's
SHA256 = {  # of the files as they are published
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
CONTENT = {  # and unpacked
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
SAMPLES = {"train": 60_000, "t10k": 10_000}
SOURCES = [
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
]


def load_data() -> tuple[Split, Split]:
    """Load Fashion-MNIST, as `keras.datasets.fashion_mnist.load_data` does, and fetch it the first time.

    Its four files are looked for, plain or .gz, in the folder fashion-mnist (or torchvision's
    FashionMNIST/raw) of the one that `TINYNET_DATA` names, and in fashion-mnist of tinynet's cache and of
    Keras's cache (`~/.keras/datasets`, or that of `KERAS_HOME`). In the folder of `TINYNET_DATA` itself their
    checksums have to be those of the published files, because other datasets have the same names. What is
    fetched (31 MB) is verified by its checksum, and kept in tinynet's cache. The classes are: T-shirt,
    trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (60000, 28, 28) and (10000, 28, 28), black
        0 to white 255, and labels (60000,) and (10000,) from 0 to 9.

    Raises:
        ConnectionError: it is nowhere; says what was tried, and which files to put where.

    Example:
        >>> from tinynet.datasets import fashion_mnist
        >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train.shape  # doctest: +SKIP
        ((60000, 28, 28), (60000,))
    """
    return IdxFiles("Fashion-MNIST", FOLDERS, SAMPLES, sources=SOURCES, sha256=SHA256, content=CONTENT).load()


def __dir__() -> list[str]:
    return __all__
