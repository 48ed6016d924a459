"""FIR resampling in plain torch: upsample by zero insertion, pad, filter, downsample.

The operation and its name, upfirdn, are the signal processing toolboxes'; StyleGAN2 (Karras et al. 2020) and
StyleGAN3 (Karras et al. 2021) resample with it. Depthwise convolutions do the work, because those are fast
on a CPU, and 1-D filters run as two passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

#: Pixels added (or, if negative, cut off) at left, right, top, bottom, as for `torch.nn.functional.pad`.
Padding = Sequence[int]
_NONE = (0, 0, 0, 0)


def upfirdn(
    x: Tensor, fir: Tensor | None, up: int = 1, down: int = 1, padding: Padding = _NONE, gain: float = 1.0
) -> Tensor:
    """Insert zeros, pad, convolve with `fir`, keep every `down`-th pixel.

    Args:
        x: [N,C,h,w].
        fir: [taps] for a separable filter, [taps, taps] for any other, None for the identity.
        up: each pixel is followed by up - 1 zeros, in both directions.
        down: stride of the result, in both directions.
        padding: in pixels of the upsampled map.
        gain: factor on the result; up² keeps the brightness.

    Returns:
        [N,C,H,W], H = ceil((h * up + top + bottom - taps + 1) / down) and W alike.
    """
    if fir is None:
        fir = x.new_ones(1)
    left, right, top, bottom = padding
    if fir.dim() == 2:
        return _pass(x, fir * gain, (up, up), (down, down), padding)
    fir = fir * math.sqrt(gain)
    x = _pass(x, fir[None, :], (1, up), (1, down), (left, right, 0, 0))
    return _pass(x, fir[:, None], (up, 1), (down, 1), (0, 0, top, bottom))


def upsample2(x: Tensor, fir: Tensor) -> Tensor:
    """Double the size [N,C,h,w] -> [N,C,2h,2w] with the filter centred on each pixel."""
    taps = fir.shape[-1]
    before, after = (taps + 1) // 2, (taps - 2) // 2
    return upfirdn(x, fir, up=2, padding=(before, after, before, after), gain=4.0)


def filtered_lrelu(
    x: Tensor,
    up_fir: Tensor | None,
    down_fir: Tensor | None,
    up: int,
    down: int,
    padding: Padding,
    gain: float,
    slope: float,
    clamp: float | None,
) -> Tensor:
    """StyleGAN3's nonlinearity, free of aliases: leaky ReLU and clamp at a higher sampling rate.

    Args:
        x: [N,C,h,w], bias included.
        up_fir: low-pass filter of the upsampling; see `upfirdn`.
        down_fir: low-pass filter of the downsampling.
        up: factor of the upsampling.
        down: factor of the downsampling.
        padding: of the upsampled map.
        gain: factor after the leaky ReLU.
        slope: of its negative half; 1 makes it linear.
        clamp: largest magnitude after the gain; None is any.
    """
    x = upfirdn(x, up_fir, up=up, padding=padding, gain=float(up**2))
    x = F.leaky_relu(x, slope) * gain
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    return upfirdn(x, down_fir, down=down)


def _pass(x: Tensor, fir: Tensor, up: tuple[int, int], down: tuple[int, int], padding: Padding) -> Tensor:
    """One depthwise convolution; `up` and `down` are (vertical, horizontal)."""
    channels = x.shape[1]
    rows, columns = fir.shape
    left, right, top, bottom = padding
    if up == (1, 1):
        x = F.pad(x, list(padding))
        kernel = fir.flip(0, 1).expand(channels, 1, rows, columns)
        return F.conv2d(x, kernel, stride=down, groups=channels)
    # A transposed convolution skips the inserted zeros. It yields every position that the filter touches,
    # the padding of zeros in front and behind included; what is asked for is a window of that.
    x = F.conv_transpose2d(x, fir.expand(channels, 1, rows, columns), stride=up, groups=channels)
    window = (left + 1 - columns, right + up[1] - columns, top + 1 - rows, bottom + up[0] - rows)
    return F.pad(x, window)[:, :, :: down[0], :: down[1]]
