"""The metrics, one idea a file; `metrics.py` hands them on."""
