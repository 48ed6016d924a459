"""Data-only readers of published files: nothing that a checkpoint carries is ever executed."""

from dissect.checkpoints.base import Checkpoint, CheckpointError
from dissect.checkpoints.read import read_checkpoint
from dissect.checkpoints.records import PickledObject

__all__ = ["Checkpoint", "CheckpointError", "PickledObject", "read_checkpoint"]
