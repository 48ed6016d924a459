"""Tensors on their way between memory and a GPU, beside what it computes."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(x: Tensor, device: str) -> Tensor:
    """A tensor in memory, on the device; what computes with it there waits for it, this process does not."""
    if torch.device(device).type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


class ToMemory:
    """Copies results into memory while the next ones are computed."""

    def __init__(self) -> None:
        self._stream: torch.cuda.Stream | None = None

    def copy(self, x: Tensor) -> Tensor:
        """The same in memory, once `wait` has returned."""
        if not x.is_cuda:
            return x.cpu()
        if self._stream is None:
            self._stream = torch.cuda.Stream(x.device)  # type: ignore[no-untyped-call]
        copied = torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream(x.device))
        with torch.cuda.stream(self._stream):
            copied.copy_(x, non_blocking=True)
        x.record_stream(self._stream)  # its memory is not given to others before that
        return copied

    def wait(self) -> None:
        """Until all copies are whole."""
        if self._stream is not None:
            self._stream.synchronize()
