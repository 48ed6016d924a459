"""StyleGAN's official TensorFlow pickle: its options, and its variables as tensors in PyTorch's layout."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from unit59.networks.base import NetworkError
from unit59.networks.tensorflow import Pickled, block_sides
from unit59.networks.weights import Weights, upsampling_kernel


class PickledOptions(BaseModel):
    """The official code's own options that change the computation, with its defaults."""

    model_config = ConfigDict(frozen=True, strict=True)

    label_size: int = Field(default=0, ge=0)
    use_wscale: bool = True
    # of the mapping
    normalize_latents: bool = True
    mapping_layers: int = Field(default=8, ge=1, le=64)
    mapping_lrmul: float = 0.01
    mapping_nonlinearity: Literal["relu", "lrelu"] = "lrelu"
    # of the synthesis network
    use_styles: Literal[True] = True
    const_input_layer: Literal[True] = True
    use_noise: bool = True
    nonlinearity: Literal["relu", "lrelu"] = "lrelu"
    use_pixel_norm: bool = False
    use_instance_norm: bool = True
    fused_scale: bool | Literal["auto"] = "auto"
    blur_filter: list[float] | tuple[float, ...] | None = [1.0, 2.0, 1.0]

    def fused(self, side: int) -> bool:
        """Whether the convolution that makes `side` x `side` maps does the doubling itself."""
        return side >= 128 if self.fused_scale == "auto" else self.fused_scale


def converted(pickled: Pickled) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The hyperparameters and tensors that `unit59.networks.stylegan.StyleGAN` takes.

    Raises:
        NetworkError: a variable is missing or has the wrong shape, or it is another network.
    """
    mapping, synthesis = pickled.components["mapping"], pickled.components["synthesis"]
    if "4x4/ToRGB/weight" in synthesis.variables:
        raise NetworkError(
            "a StyleGAN2 of TensorFlow. Convert it with legacy.py of NVIDIA's stylegan2-ada-pytorch "
            "and load the result"
        )
    options = PickledOptions.model_validate({**pickled.options, **mapping.options, **synthesis.options})
    made = _mapping_weights(Weights(mapping.variables), options)
    made["w_average"] = Weights(pickled.variables).take("dlatent_avg", None)
    weights, paths = Weights(synthesis.variables), _paths(synthesis.resolution)
    for index, path in enumerate(paths):
        made |= _block_weights(weights, index, path, options)
    weight = weights.take("ToRGB_lod0/weight", 1, 1, None, None).permute(3, 2, 0, 1).contiguous()
    made["output.weight"] = weight / math.sqrt(weight.shape[1]) if options.use_wscale else weight
    made["output.bias"] = weights.take("ToRGB_lod0/bias", None)
    config = {
        "label_size": options.label_size,
        "mapping_layers": options.mapping_layers,
        "normalise_latents": options.normalize_latents,
        "mapping_slope": 0.2 if options.mapping_nonlinearity == "lrelu" else 0.0,
        "slope": 0.2 if options.nonlinearity == "lrelu" else 0.0,
        "pixel_norm": options.use_pixel_norm,
        "instance_norm": options.use_instance_norm,
        "blur": list(options.blur_filter) if options.blur_filter else None,
        "paths": [f"synthesis/{path}" for path in paths],
    }
    return config, made


def _paths(resolution: int) -> list[str]:
    paths = ["4x4/Const", "4x4/Conv"]
    for side in block_sides(resolution):
        if side > 4:
            paths += [f"{side}x{side}/Conv0_up", f"{side}x{side}/Conv1"]
    return paths


def _mapping_weights(weights: Weights, options: PickledOptions) -> dict[str, Tensor]:
    made = {}
    for index in range(options.mapping_layers):
        weight = weights.take(f"Dense{index}/weight", None, None).t().contiguous()
        gain = math.sqrt(2 / weight.shape[1]) if options.use_wscale else 1.0
        made[f"mapping.{index}.weight"] = weight * (gain * options.mapping_lrmul)
        bias = weights.take(f"Dense{index}/bias", weight.shape[0])
        made[f"mapping.{index}.bias"] = bias * options.mapping_lrmul
    if options.label_size:
        made["label"] = weights.take("LabelConcat/weight", options.label_size, None)
    return made


def _block_weights(weights: Weights, index: int, path: str, options: PickledOptions) -> dict[str, Tensor]:
    """One layer's tensors as `_Block` wants them."""
    own, side = weights.under(f"{path}/"), 4 * 2 ** (index // 2)
    weight = own.take("const", 1, None, 4, 4) if index == 0 else _kernel(own, index, side, options)
    style = own.take("StyleMod/weight", None, None).t().contiguous()
    units = own.take("bias", None).shape[0]
    noise = torch.zeros(1, 1, side, side), torch.zeros(units)
    if options.use_noise:
        noise = weights.take(f"noise{index}", 1, 1, side, side), own.take("Noise/weight", units)
    parts = {
        "weight": weight,
        "bias": own.take("bias", None),
        "noise": noise[0],
        "noise_strength": noise[1],
        "style.weight": style / math.sqrt(style.shape[1]) if options.use_wscale else style,
        "style.bias": own.take("StyleMod/bias", None),
    }
    return {f"blocks.{index}.{name}": tensor for name, tensor in parts.items()}


def _kernel(own: Weights, index: int, side: int, options: PickledOptions) -> Tensor:
    """The convolution [out,in,3,3], or as `upsampling_kernel` where it doubles the resolution."""
    weight = own.take("weight", 3, 3, None, None).permute(3, 2, 0, 1).contiguous()
    weight.mul_(math.sqrt(2 / weight.shape[1]) / 3 if options.use_wscale else 1.0)
    if index == 0 or index % 2:
        return weight
    # A fused layer hands its kernel to a transposed convolution as it is: seen from the output, flipped.
    return upsampling_kernel(weight.flip(2, 3) if options.fused(side) else weight)
