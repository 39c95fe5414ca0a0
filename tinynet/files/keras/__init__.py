"""Keras's model files, of all its versions: networks as data, weights, optimizers' states."""
