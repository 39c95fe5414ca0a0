"""Networks as estimators of scikit-learn: in pipelines, cross-validation and grid searches.

scikit-learn has to be installed, `python -m pip install scikit-learn`; nothing else of tinynet needs it.
"""

from __future__ import annotations

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("tinynet.sklearn needs scikit-learn: python -m pip install scikit-learn") from error

from .classifier import NetworkClassifier
from .regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
