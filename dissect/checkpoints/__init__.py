"""Data-only readers of published files: nothing that a checkpoint carries is ever executed."""

from dissect.checkpoints.base import Checkpoint, CheckpointError
from dissect.checkpoints.read import read_checkpoint

__all__ = ["Checkpoint", "CheckpointError", "read_checkpoint"]
