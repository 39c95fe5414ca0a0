"""Images that are transformed at random while a model trains: Keras's `ImageDataGenerator`."""

from __future__ import annotations

from typing import Any

from .array_iterator import NumpyArrayIterator
from .dataframe_iterator import DataFrameIterator
from .directory_iterator import DirectoryIterator
from .image_transformer import ImageTransformer


class ImageDataGenerator(ImageTransformer):
    """Make batches of images that are moved, turned, flipped and scaled at random, as in Keras.

    Each image is transformed (rotation, shift, shear and zoom in one, then the channels' shift, flips and
    brightness), then standardized, in the order of the arguments from `preprocessing_function` on. What is
    drawn and what comes out is what Keras's `ImageDataGenerator` gives for the same seed, to rounding, with
    its oddities: the two shifts are the wrong way round, images that are not square turn about a point beside
    their middle, and brightness takes whole pixels from 0 to 255.

    Args:
        featurewise_center: subtract each channel's mean over the data that `fit` was given; default False.
        samplewise_center: subtract each image's own mean; default False.
        featurewise_std_normalization: divide by each channel's standard deviation over the data; default
            False.
        samplewise_std_normalization: divide by each image's own standard deviation; default False.
        zca_whitening: make the pixels uncorrelated over the data; default False.
        zca_epsilon: added to the data's singular values then; default 1e-6.
        rotation_range: the largest rotation in degrees; default 0.
        width_shift_range: the largest shift up or down: a float below 1 is a share of the width, another one
            pixels; of an integer n, whole pixels below n; of a list, one of it, in either direction; default
            0.
        height_shift_range: to the sides, likewise; a share is of the height. (Keras's names are the wrong way
            round: https://github.com/keras-team/keras/issues/17398.)
        brightness_range: a pair of factors, between which one is drawn for pixels from 0 to 255; default
            None.
        shear_range: the largest shear angle in degrees; default 0.
        zoom_range: a pair of factors, or one number z for (1 - z, 1 + z), drawn for both directions apart;
            above 1 things get smaller; default 0.
        channel_shift_range: the largest number that is added to all of an image's pixels, which stay between
            its least and its greatest one; default 0.
        fill_mode: what lies beyond the border: "nearest" (the default), "constant", "reflect" or "wrap".
        cval: the value there, with "constant"; default 0.
        horizontal_flip: whether half of the images are mirrored; default False.
        vertical_flip: whether half of them are turned upside down; default False.
        rescale: a factor for all pixels; default None.
        preprocessing_function: called for each image (height, width, channels) after its transformation,
            before everything else; returns one of the same shape; default None.
        data_format: None or "channels_last"; tinynet has no other.
        validation_split: the share of the data that belongs to `subset="validation"`; default 0.
        interpolation_order: 1 (the default) for linear interpolation, 0 for the nearest pixel.
        dtype: of the images: "float32" (the default) or "float64".

    Raises:
        ValueError: an argument that is out of its range; the message says which.

    Example:
        >>> import numpy as np
        >>> generator = ImageDataGenerator(rotation_range=10, zoom_range=0.1, rescale=1 / 255)
        >>> images, labels = np.full((100, 28, 28, 1), 255, np.uint8), np.arange(100) % 10
        >>> batches = generator.flow(images, labels, batch_size=64, seed=1)
        >>> x, y = next(batches)
        >>> x.shape, x.dtype, y.shape, len(batches)
        ((64, 28, 28, 1), dtype('float32'), (64,), 2)
    """

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Make batches of images that are in memory.

        Args:
            x: (N, height, width, channels) images; or a pair of them and a list of other arrays (N, ...),
                which come along as they are.
            y: their labels or targets, (N, ...); default None.
            batch_size: images in a batch; default 32.
            shuffle: whether each epoch goes through them in another order; default True.
            sample_weight: (N,), what comes third in each batch; default None.
            seed: of the order and the transformations, an integer; None (the default) for NumPy's
                `np.random`.
            save_to_dir: a folder to write all images to that are made, to look at; default None.
            save_prefix: what their names begin with; default "".
            save_format: their format, "png" (the default) or "jpeg".
            ignore_class_split: whether both subsets may have different classes; default False.
            subset: "training" or "validation": without, or with only, the first `validation_split` of the
                images; None (the default) for all.

        Returns:
            An iterator over `(x, y)`, `(x, y, sample_weight)`, or x alone if there is no y.

        Raises:
            ValueError: shapes, a subset or settings that do not fit.
        """
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Make batches of pictures in a folder that has one for each class; they are read batch by batch.

        Args:
            directory: the folder.
            target_size: (height, width) that all pictures get; default (256, 256).
            color_mode: "rgb" (the default), "rgba" or "grayscale".
            classes: the names of the folders, in the order of the class numbers; None (the default) for all,
                sorted.
            class_mode: what y is: "categorical" (the default) for one-hot rows, "sparse" or "binary" for
                class numbers, both float32, "input" for the images again, None for batches without y.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format: as for `flow`.
            follow_links: whether links to folders are followed; default False.
            subset: "training" or "validation", by the files of each class as they are sorted; default None.
            interpolation, keep_aspect_ratio: how pictures get their size, see `load_img`.

        Returns:
            An iterator, which has class_indices, classes, filenames, filepaths and samples.

        Raises:
            FileNotFoundError: there is no such folder.
            tinynet.ImageError: when a batch is made: a file is damaged; the message names it.
            ValueError: no pictures, or settings that do not fit.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
    ) -> DataFrameIterator:
        """Make batches of pictures whose files and classes stand in a table.

        Args:
            dataframe: a pandas DataFrame, or a dict of columns.
            directory: the folder that file names begin in; None (the default) if they are whole paths.
            x_col: the column of file names; default "filename".
            y_col: that of classes, or of other targets, or a list of columns with "multi_output"; default
                "class".
            weight_col: that of sample weights; default None.
            classes: the classes in the order of their numbers, rows of others are left out; None (the
                default) for all, sorted.
            class_mode: as for `flow_from_directory`; with "categorical", a row may have a list of classes;
                "raw" for y_col as it is, "multi_output" for several columns.
            validate_filenames: whether rows without such a file are left out, with a warning; default True.
            target_size, color_mode, batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset,
                interpolation: as for `flow_from_directory`; the subset is by rows.

        Returns:
            An iterator, which has class_indices, classes, filenames, filepaths and samples.

        Raises:
            ValueError: no pictures, or settings that do not fit.
        """
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            validate_filenames=validate_filenames,
        )
