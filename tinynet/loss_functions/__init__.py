"""The losses, one idea a file; `losses.py` hands them on."""
