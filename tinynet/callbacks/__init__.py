"""Callbacks: what happens between the steps and epochs of `fit`."""

from __future__ import annotations

from .backup_and_restore import BackupAndRestore as BackupAndRestore
from .base import Callback as Callback
from .base import Logs as Logs
from .csv_logger import CSVLogger as CSVLogger
from .early_stopping import EarlyStopping as EarlyStopping
from .history import History as History
from .lambda_callback import LambdaCallback as LambdaCallback
from .learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from .model_checkpoint import ModelCheckpoint as ModelCheckpoint
from .monitor import Mode as Mode
from .reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .terminate_on_nan import TerminateOnNaN as TerminateOnNaN
