"""Weights from a file into a module: every tensor has its place, and every place its tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from unit59.checkpoints import read_checkpoint
from unit59.segmenters.base import SegmenterError

#: Running sums of synchronised batch norm, which training keeps and inference has no use for.
IGNORED = ("_tmp_running_mean", "_tmp_running_var", "_running_iter")


class FileWeights(Mapping[str, Tensor]):
    """A file's tensors by name, without the ignorable ones and without a ``module.`` prefix.

    Args:
        path: a file in any container of `unit59.checkpoints.read_checkpoint`.

    Raises:
        CheckpointError: the file cannot be read.
        SegmenterError: it is no state dict.
    """

    def __init__(self, path: Path) -> None:
        tensors = read_checkpoint(path).state_dict("state_dict")
        if tensors is None:
            raise SegmenterError(f"{path}: holds no state dict (tensors by name) as published weights do.")
        self.path = path
        self._tensors = {
            name.removeprefix("module."): tensor
            for name, tensor in tensors.items()
            if not name.endswith(IGNORED)
        }

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise SegmenterError(f"{self.path}: tensor {name!r} is missing.")
        return self._tensors[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def shape(self, name: str) -> tuple[int, int, int, int]:
        """The shape [out, in, height, width] of a convolution's weight.

        Raises:
            SegmenterError: the tensor is missing or has another number of dimensions.
        """
        shape = self[name].shape
        if len(shape) != 4 or 0 in shape:
            raise SegmenterError(
                f"{self.path}: tensor {name!r} has shape {list(shape)}, "
                "expected a convolution's [out,in,h,w]."
            )
        return shape[0], shape[1], shape[2], shape[3]

    def count(self, pattern: str) -> int:
        """How many of ``pattern.format(0)``, ``pattern.format(1)``, … there are without a gap."""
        number = 0
        while pattern.format(number) in self:
            number += 1
        return number

    def fill(self, module: nn.Module) -> None:
        """Give a module, built on the meta device, these tensors as float32 and put it into evaluation mode.

        Raises:
            SegmenterError: a tensor is missing, unexpected, of the wrong shape, or no plain numbers.
        """
        places = module.state_dict()
        filled: dict[str, Tensor] = {}
        for name, place in places.items():
            if name.endswith("num_batches_tracked"):  # older files lack it; inference has no use for it
                filled[name] = torch.zeros((), dtype=torch.int64)
                continue
            if self[name].shape != place.shape:
                raise SegmenterError(
                    f"{self.path}: tensor {name!r} has shape {list(self[name].shape)}, "
                    f"expected {list(place.shape)}."
                )
            filled[name] = self._finite(name)
        stray = sorted(set(self) - set(places))
        if stray:
            more = f" and {len(stray) - 1} more" if len(stray) > 1 else ""
            raise SegmenterError(f"{self.path}: unexpected tensor {stray[0]!r}{more}; another architecture?")
        module.load_state_dict(filled, strict=True, assign=True)
        module.requires_grad_(False).eval()

    def _finite(self, name: str) -> Tensor:
        tensor = self[name]
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise SegmenterError(f"{self.path}: tensor {name!r} ({tensor.dtype}) is not all finite numbers.")
        return tensor.float().contiguous()
