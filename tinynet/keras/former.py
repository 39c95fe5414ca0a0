"""Where Keras 1 and 2 kept things, and what they called them: today's places and names."""

from __future__ import annotations

# Modules of old, and today's; "" is `keras` itself. Each of today's is also found below `src`.
PLACES = {
    "activations": (),
    "backend": ("backend.tensorflow_backend", "backend.common"),
    "callbacks": ("callbacks.callbacks",),
    "config": (),
    "constraints": (),
    "datasets": (),
    "initializers": ("initializations", "initializers.initializers_v2", "initializers.initializers"),
    "layers": (
        "layers.advanced_activations", "layers.attention", "layers.convolutional",
        "layers.convolutional_recurrent",
        "layers.core", "layers.embeddings", "layers.experimental", "layers.experimental.preprocessing",
        "layers.local", "layers.merge", "layers.merging", "layers.noise", "layers.normalization",
        "layers.normalization.batch_normalization", "layers.pooling", "layers.preprocessing",
        "layers.recurrent", "layers.regularization", "layers.reshaping", "layers.wrappers",
    ),
    "losses": ("objectives",),
    "metrics": (),
    "models": ("engine.saving", "saving.save"),
    "optimizers": (
        "optimizer_v1", "optimizer_v2", "optimizer_v2.adadelta", "optimizer_v2.adagrad", "optimizer_v2.adam",
        "optimizer_v2.adamax", "optimizer_v2.gradient_descent", "optimizer_v2.nadam", "optimizer_v2.rmsprop",
        "optimizers.adadelta_v2", "optimizers.adagrad_v2", "optimizers.adam_v2", "optimizers.adamax_v2",
        "optimizers.experimental", "optimizers.gradient_descent_v2", "optimizers.legacy",
        "optimizers.nadam_v2", "optimizers.rmsprop_v2",
    ),
    "optimizers.schedules": ("optimizer_v2.learning_rate_schedule", "optimizers.learning_rate_schedule"),
    "preprocessing": (),
    "preprocessing.image": (),
    "regularizers": (),
    "saving": (),
    "utils": (
        "utils.all_utils", "utils.data_utils", "utils.generic_utils", "utils.io_utils", "utils.layer_utils",
        "utils.np_utils", "utils.vis_utils", "utils.visualize_util",
    ),
    "wrappers": ("wrappers.scikit_learn",),
    "": ("engine", "engine.base_layer", "engine.input_layer", "engine.sequential", "engine.topology",
         "engine.training"),
}  # fmt: skip

# Names of old, and today's; those that Keras still takes are in ALIASES.
NAMES = {
    "optimizers": {
        "adadelta": "Adadelta", "adagrad": "Adagrad", "adam": "Adam", "adamax": "Adamax", "nadam": "Nadam",
        "rmsprop": "RMSprop", "sgd": "SGD",
    },
    "metrics": {
        "MAE": "mean_absolute_error", "MSE": "mean_squared_error", "mae": "mean_absolute_error",
        "mse": "mean_squared_error",
    },
    "losses": {
        "MAE": "mean_absolute_error", "MSE": "mean_squared_error", "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence", "logcosh": "log_cosh", "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error", "mse": "mean_squared_error",
        "msle": "mean_squared_logarithmic_error",
    },
    "constraints": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
}  # fmt: skip

# Two names of one thing in Keras, of which the core has the second.
ALIASES = {
    "initializers": {
        "IdentityInitializer": "Identity", "OrthogonalInitializer": "Orthogonal", "constant": "Constant",
        "glorot_normal": "GlorotNormal", "glorot_uniform": "GlorotUniform", "he_normal": "HeNormal",
        "he_uniform": "HeUniform", "identity": "Identity", "lecun_normal": "LecunNormal",
        "lecun_uniform": "LecunUniform", "ones": "Ones", "orthogonal": "Orthogonal",
        "random_normal": "RandomNormal", "random_uniform": "RandomUniform",
        "truncated_normal": "TruncatedNormal", "variance_scaling": "VarianceScaling", "zeros": "Zeros",
    },
    "layers": {
        "AvgPool1D": "AveragePooling1D", "AvgPool2D": "AveragePooling2D", "Convolution1D": "Conv1D",
        "GlobalAvgPool1D": "GlobalAveragePooling1D", "GlobalAvgPool2D": "GlobalAveragePooling2D",
        "GlobalMaxPool1D": "GlobalMaxPooling1D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
        "MaxPool1D": "MaxPooling1D", "SeparableConvolution2D": "SeparableConv2D",
    },
    "optimizers.schedules": {"LearningRateSchedule": "Schedule"},
    "regularizers": {"l1": "L1", "l1_l2": "L1L2", "l2": "L2"},
    "constraints": {
        "max_norm": "MaxNorm", "min_max_norm": "MinMaxNorm", "non_neg": "NonNeg", "unit_norm": "UnitNorm",
    },
    "utils": {"Sequence": "PyDataset"},
}  # fmt: skip
