"""Data-only readers of published files: nothing that a checkpoint carries is ever executed."""

from unit59.checkpoints.base import Checkpoint, CheckpointError
from unit59.checkpoints.paths import refuse_odd_files
from unit59.checkpoints.read import read_checkpoint
from unit59.checkpoints.records import PickledObject

__all__ = ["Checkpoint", "CheckpointError", "PickledObject", "read_checkpoint", "refuse_odd_files"]
