"""In which numbers, and laid out how in memory, networks and segmenters compute: a recipe's `passes`.

With ``bfloat16``, convolutions, linear layers and attention round what they take to bfloat16 and hand on
float32. All between them stays float32, so that a pass that runs on from a kept activation is the same
as the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: Where the time of a pass goes.
_ROUNDED = frozenset(
    {
        F.conv1d,
        F.conv2d,
        F.conv3d,
        F.conv_transpose1d,
        F.conv_transpose2d,
        F.conv_transpose3d,
        F.linear,
        F.scaled_dot_product_attention,
    }
)


@dataclass(frozen=True)
class Passes:
    """How passes compute.

    Attributes:
        precision: of convolutions, linear layers and attention.
        memory_format: of maps: colour by colour, or pixel by pixel.
    """

    precision: Literal["float32", "bfloat16"] = "float32"
    memory_format: Literal["contiguous", "channels_last"] = "contiguous"

    def computing(self) -> AbstractContextManager[Any]:
        """A pass runs inside."""
        return _Rounding() if self.precision == "bfloat16" else nullcontext()

    def laid_out(self, x: Tensor) -> Tensor:
        """Maps [N,C,h,w] in this memory format; everything else as it is."""
        if x.dim() != 4 or self.memory_format == "contiguous":
            return x
        return x.contiguous(memory_format=torch.channels_last)


#: float32, contiguous.
USUAL = Passes()


class _Rounding(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func not in _ROUNDED:
            return func(*args, **named)
        found = func(*map(_rounded, args), **{name: _rounded(value) for name, value in named.items()})
        return found.float()


def _rounded(value: Any) -> Any:
    is_float = isinstance(value, Tensor) and value.dtype == torch.float32
    return value.to(torch.bfloat16) if is_float else value


def compute_exactly(device: str) -> None:
    """On a GPU: float32 is float32 (no TF32), and the same pass gives the same bits."""
    if torch.device(device).type == "cuda":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
