"""Learning-rate schedules: a rate for each step."""

from __future__ import annotations

from .base import SCHEDULES as SCHEDULES
from .base import LearningRateSchedule as LearningRateSchedule
from .base import rate_as_data as rate_as_data
from .base import rate_at as rate_at
from .base import rate_from_data as rate_from_data
from .cosine_decay import CosineDecay as CosineDecay
from .cosine_decay_restarts import CosineDecayRestarts as CosineDecayRestarts
from .exponential_decay import ExponentialDecay as ExponentialDecay
from .inverse_time_decay import InverseTimeDecay as InverseTimeDecay
from .one_cycle import OneCycle as OneCycle
from .piecewise import Constant as Constant
from .piecewise import PiecewiseConstantDecay as PiecewiseConstantDecay
from .piecewise import StepDecay as StepDecay
from .polynomial_decay import PolynomialDecay as PolynomialDecay
