"""The optimizers, one a file; `optim.py` hands them on."""
