"""What Keras has and tinynet has not: why, and what to do instead."""

from __future__ import annotations

import re

RECURRENT = (
    "recurrent layers (LSTM, GRU, SimpleRNN, and what wraps them) are not there: networks are feed-forward"
)
ATTENTION = "attention and embeddings are not there"
TRANSPOSED = "transposed convolutions are not there: UpSampling2D and Conv2D do the like"
VOLUMES = "images have two dimensions here, and sequences one"
TEXT = "there is nothing for text"
TRAINED = "there are no networks trained on photographs; tinynet.pretrained has those for digits"
CUSTOM = (
    "gradients come from layers' backward, not from recorded operations: write a Layer, and use model.fit"
)
TF_DATA = "models train on arrays, generators and PyDatasets"
FILES = "model.save writes .safetensors, .keras and .h5 files, model.export .onnx and .tflite ones"
OPERATIONS = "operations on tensors are not there: NumPy has them for arrays, layers for symbols"
LOGS = "callbacks.CSVLogger writes the history to a file, and plotting draws it"
GRAPHS = "there are no sessions and graphs of TensorFlow's: everything runs at once"
WRAPPERS = "of wrappers there are those of scikit-learn's classifiers and regressors"
ESTIMATORS = "there are no estimators of TensorFlow's; tinynet.sklearn has scikit-learn's"
PREPROCESSING = (
    "of the layers that change data there are Rescaling, Resizing, Normalization, and RandomFlip, "
    "RandomRotation, RandomTranslation and RandomZoom: prepare arrays with NumPy, or see fit's augment="
)
DATASETS = "the datasets are mnist, fashion_mnist, cifar10 and cifar100"
DEVICES = "everything runs on the CPU"

# Patterns of names (all of a name, places before it separated by dots), and reasons; the first that fits.
REASONS = {
    r"(.*\.)?(LSTM|GRU|SimpleRNN|RNN|ConvLSTM\dD|CuDNN\w+|Bidirectional|TimeDistributed|StackedRNNCells|\w+Cell"
    r"|Masking)(Cell)?": RECURRENT,
    r"(.*\.)?(\w*Attention|\w*Embedding)": ATTENTION,
    r"(.*\.)?Conv(olution)?\dDTranspose": TRANSPOSED,
    r"(.*\.)?\w+3D": VOLUMES,
    r"(.*\.)?(TextVectorization|Tokenizer|StringLookup|Hashing|pad_sequences|one_hot|text_\w+)": TEXT,
    r"preprocessing\.(text|sequence).*": TEXT,
    r"applications.*": TRAINED,
    r"(tf\.)?(GradientTape|function|custom_gradient|Module)": CUSTOM,
    r"tf\.data.*": TF_DATA,
    r"(tf\.)?(saved_model|export).*": FILES,
    r"ops.*|backend\.\w+|tf\.(math|linalg|image|io|reduce_\w+)": OPERATIONS,
    r"callbacks\.(TensorBoard|RemoteMonitor)": LOGS,
    r"tf\.(Session|ConfigProto|GPUOptions|get_default_graph|Graph|placeholder|global_variables_initializer|compat"
    r"|contrib|app|flags|train|Variable|layers|InteractiveSession).*": GRAPHS,
    r"wrappers\.\w+": WRAPPERS,
    r"estimator.*": ESTIMATORS,
    r"layers\.(Random\w+|Rescaling|CenterCrop|CategoryEncoding|Discretization)": PREPROCESSING,
    r"datasets\..*": DATASETS,
    r"(tf\.)?distribut\w+.*": DEVICES,
}

# Modules of Keras's, of today and of old, in which there is nothing here.
MODULES = (
    "applications", "applications.densenet", "applications.efficientnet", "applications.imagenet_utils",
    "applications.inception_v3", "applications.mobilenet", "applications.mobilenet_v2", "applications.resnet",
    "applications.resnet50", "applications.vgg16", "applications.vgg19", "applications.xception",
    "datasets.boston_housing", "datasets.california_housing", "datasets.imdb",
    "datasets.reuters", "distillation", "distribution", "dtype_policies", "estimator", "export", "legacy",
    "mixed_precision", "ops", "preprocessing.sequence", "preprocessing.text", "quantizers", "random", "tree",
    "visualization",
)  # fmt: skip


def reason_of(name: str) -> str:
    """Return why a name of Keras's, with its place, is not there; "" where nothing more is to be said."""
    return next((reason for pattern, reason in REASONS.items() if re.fullmatch(pattern, name)), "")
