"""Layers of Keras's that tinynet has not."""

from __future__ import annotations

ABSENT = (
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AdditiveAttention",
    "Attention", "AugMix", "AutoContrast", "AveragePooling3D", "Bidirectional", "CategoryEncoding",
    "CenterCrop", "Conv1DTranspose", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM1D",
    "ConvLSTM2D", "ConvLSTM3D", "Convolution2DTranspose", "Convolution3D", "Cropping1D", "Cropping3D",
    "CuDNNGRU", "CuDNNLSTM", "CutMix", "Deconvolution2D", "Deconvolution3D", "DepthwiseConv1D",
    "Discretization", "Dot", "EinsumDense", "Embedding", "Equalization", "GRU", "GRUCell",
    "GlobalAveragePooling3D", "GlobalMaxPooling3D", "GroupNormalization", "GroupQueryAttention",
    "HashedCrossing", "Hashing", "Highway", "IntegerLookup", "LSTM", "LSTMCell", "LocallyConnected1D",
    "LocallyConnected2D", "Masking", "MaxPooling3D", "MaxoutDense", "MelSpectrogram", "Minimum", "MixUp",
    "MultiHeadAttention", "ParametricSoftplus", "RMSNormalization", "RNN", "RandAugment",
    "RandomColorDegeneration", "RandomColorJitter", "RandomCrop", "RandomElasticTransform", "RandomErasing",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert",
    "RandomPerspective", "RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear",
    "RandomWidth", "RepeatVector", "SReLU", "STFTSpectrogram", "SeparableConv1D", "SimpleRNN",
    "SimpleRNNCell", "Solarization", "SpatialDropout3D", "SpectralNormalization", "StackedRNNCells",
    "StringLookup", "TFSMLayer", "TextVectorization", "TimeDistributed", "TimeDistributedDense",
    "TorchModuleWrapper", "UnitNormalization", "UpSampling1D", "UpSampling3D", "ZeroPadding1D",
    "ZeroPadding3D",
)  # fmt: skip
