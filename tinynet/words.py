"""Keras's words: what arguments, values and metrics were called, and which arguments have no effect here.

The only place that knows what Keras called them before Keras 3. (What is imported, and from where, is in
keras/former.py.)
"""

from __future__ import annotations

from typing import Any

# What arguments were called in Keras 1 and 2, and are called today.
FORMER = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "alpha": "negative_slope",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "epsilon": "min_delta",
    "gamma_init": "gamma_initializer",
    "generator": "x",
    "init": "kernel_initializer",
    "input": "inputs",
    "lr": "learning_rate",
    "nb_classes": "num_classes",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "output": "outputs",
    "output_dim": "units",
    "p": "rate",
    "path": "filepath",
    "sigma": "stddev",
    "subsample": "strides",
    "y": "x",
}

# What values were called.
FORMER_VALUES = {"data_format": {"th": "channels_first", "tf": "channels_last", "default": None}}

ANY = object()  # in the place of the values that have no effect: all of them

NO_REGULARIZERS = "this layer takes none; the optimizer's weight_decay= keeps weights small"
NO_CONSTRAINTS = "this layer takes none"
AVERAGES = "averages are fit's: give model.fit ema_momentum="
ONE_DTYPE = "all layers of a model have its dtype: give Sequential or Input dtype="

# Arguments of Keras's constructors that a class here may lack: the values that have no effect, and why others
# are refused.
TAKEN: dict[str, tuple[Any, str]] = {
    "activity_regularizer": ((None,), NO_REGULARIZERS),
    "adjustment": ((None,), "normalizations have the statistics of the batch"),
    "amsgrad": ((False,), "there is plain Adam alone"),
    "autocast": (ANY, ""),
    "axis": ((-1,), "the last axis is the one that is meant here"),
    "batch_size": (ANY, ""),  # of layers
    "beta_constraint": ((None,), NO_CONSTRAINTS),
    "beta_initializer": (("zeros", "zero"), "it begins as zeros; set_weights sets others"),
    "beta_regularizer": ((None,), NO_REGULARIZERS),
    "bias_constraint": ((None,), NO_CONSTRAINTS),
    "bias_regularizer": ((None,), NO_REGULARIZERS),
    "centered": ((False,), "the mean of the squares is not centred here"),
    "clipvalue": ((None,), "gradients are clipped by their joint norm: clipnorm="),
    "data_format": (
        (None, "channels_last"),
        "images are (N, height, width, channels) here: np.moveaxis(x, 1, -1) puts the channels last",
    ),
    "dilation_rate": ((1, (1, 1), [1, 1]), "windows have no gaps here"),
    "dtype": ((None, "float32"), ONE_DTYPE),
    "ema_momentum": ((None, 0.99), AVERAGES),
    "ema_overwrite_frequency": ((None,), AVERAGES),
    "fused": (ANY, ""),
    "gamma_constraint": ((None,), NO_CONSTRAINTS),
    "gamma_initializer": (("ones", "one"), "it begins as ones; set_weights sets others"),
    "gamma_regularizer": ((None,), NO_REGULARIZERS),
    "gradient_accumulation_steps": (
        (None, 1),
        "each step updates the weights: give fit a larger batch_size=",
    ),
    "groups": ((1,), "each filter sees all channels here"),
    "ignore_class": ((None,), "give the samples to be left out a sample_weight of 0"),
    "input_dtype": (ANY, ""),
    "jit_compile": (ANY, ""),
    "kernel_constraint": ((None,), NO_CONSTRAINTS),
    "kernel_regularizer": ((None,), NO_REGULARIZERS),
    "loss_scale_factor": ((None,), "gradients of float32 need no scaling"),
    "lora_alpha": ((None,), "there is no LoRA"),
    "lora_rank": ((None,), "there is no LoRA"),
    "moving_mean_initializer": (("zeros", "zero"), "it begins as zeros; set_weights sets others"),
    "moving_variance_initializer": (("ones", "one"), "it begins as ones; set_weights sets others"),
    "name": (ANY, ""),  # of optimizers, losses and so on, which show none
    "noise_shape": ((None,), "each element is dropped by itself"),
    "optional": ((False,), "every input is needed"),
    "quantization_config": ((None,), "there is no quantization"),
    "ragged": ((None, False), "arrays are not ragged"),
    "reduction": (("sum_over_batch_size", "auto", "mean"), "a loss is the mean over the batch"),
    "renorm": ((False,), "normalizations have the statistics of the batch"),
    "renorm_clipping": ((None,), "normalizations have the statistics of the batch"),
    "renorm_momentum": (ANY, ""),
    "seed": (ANY, ""),  # of layers and initializers: everything random follows from the model's seed
    "sparse": ((None, False), "arrays are not sparse"),
    "synchronized": ((False,), "there is one machine, whose threads share the batch's statistics anyway"),
    "tensor": ((None,), "a symbol is a new one"),
    "use_ema": ((False,), AVERAGES),
    "virtual_batch_size": ((None,), "normalizations have the statistics of the batch"),
}

# The same of methods.
TAKEN_BY_METHODS: dict[str, tuple[Any, str]] = {
    "max_q_size": (ANY, ""),
    "max_queue_size": (ANY, ""),
    "nb_worker": (ANY, ""),
    "pickle_safe": (ANY, ""),
    "show_accuracy": (ANY, 'give model.compile metrics=["accuracy"]'),
    "save_format": (ANY, ""),  # there is one, whatever the file is called
    "use_multiprocessing": (ANY, ""),
    "workers": (ANY, ""),
}

# The methods of models that scripts call.
METHODS = (
    "evaluate", "fit", "get_layer", "load_weights", "predict", "predict_on_batch", "save", "save_weights",
    "summary", "test_on_batch", "train_on_batch",
)  # fmt: skip

# What the history called metrics that are given by name.
FORMER_METRICS = {"acc": "accuracy", "mean_absolute_error": "mae", "mean_squared_error": "mse"}

NONE_IS_DEFAULT = ("epsilon", "name")  # None was, or is, the default of Keras
