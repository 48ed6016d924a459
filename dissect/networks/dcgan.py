"""DCGAN (Radford et al. 2016), as in the PyTorch tutorial: transposed convolutions, batch norm, ReLU, tanh.

Layer ``layerK`` is the activation after the K-th ReLU (1-based).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from dissect.checkpoints import Checkpoint
from dissect.networks.base import Layer, Network, NetworkError, Noise, Stage, State, edited

#: Keys of the tutorial's state dict: ``main.{0,3,6,…}.weight`` convolutions, ``main.{1,4,7,…}.*`` norms.
_NESTS = ("netG_state_dict", "state_dict", "generator", "netG")


class DCGAN(Network):
    """The generator of the DCGAN tutorial, of any depth and width.

    Args:
        tensors: the tutorial's state dict.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "dcgan"

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._prefix = _prefix(tensors)
        numbers = sorted(
            int(n) for n in re.findall(rf"{re.escape(self._prefix)}(\d+)\.weight", " ".join(tensors))
        )
        self._convs = [n for n in numbers if tensors[f"{self._prefix}{n}.weight"].dim() == 4]
        self._units: list[int] = []
        modules: list[nn.Module] = []
        for index, number in enumerate(self._convs):
            size_in, size_out, kernel, _ = tensors[f"{self._prefix}{number}.weight"].shape
            first, last = index == 0, index == len(self._convs) - 1
            stride, padding = (1, 0) if first else (2, 1)
            self._units.append(size_out)
            modules.append(nn.ConvTranspose2d(size_in, size_out, kernel, stride, padding, bias=False))
            if not last:
                modules += [nn.BatchNorm2d(size_out), nn.ReLU()]
        self.main = nn.ModuleList(modules)
        self.latent_size = int(tensors[f"{self._prefix}{self._convs[0]}.weight"].shape[0])
        _load(self.main, tensors, self._prefix)
        side = 4 * 2 ** (len(self._convs) - 1)
        self.resolution = (side, side)
        self.eval()

    def describe(self) -> Iterable[Layer]:
        """The layers after each ReLU."""
        for index, units in enumerate(self._units[:-1]):
            side = 4 * 2**index
            yield Layer(f"layer{index + 1}", index, units, side, side, f"{self._prefix}{3 * index + 2}")

    def start(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> State:
        """The latent code as a 1x1 map; a DCGAN has no labels, truncation or noise."""
        if inputs.dim() != 2 or inputs.shape[1] != self.latent_size:
            raise NetworkError(f"dcgan takes z [N, {self.latent_size}], got {list(inputs.shape)}.")
        return {"x": inputs[:, :, None, None]}

    def stages(self) -> Sequence[Stage]:
        """Convolution, norm and ReLU are one stage; the last convolution and tanh make the picture."""
        stages = [Stage(layer.name, self._block(3 * layer.number)) for layer in self.layers.values()]
        return [*stages, Stage("output", self._output, layer=False)]

    def _block(self, first: int) -> Callable[[State], State]:
        def run(state: State) -> State:
            x = state["x"]
            for module in self.main[first : first + 3]:
                x = module(x)
            return edited(state, x)

        return run

    def _output(self, state: State) -> State:
        return {**state, "image": torch.tanh(self.main[-1](state["x"]))}


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is a DCGAN of the tutorial."""
    tensors = checkpoint.state_dict(*_NESTS)
    return tensors is not None and any(_is_first(name, tensor) for name, tensor in tensors.items())


def build(checkpoint: Checkpoint) -> DCGAN:
    """The network of a checkpoint that `recognise` accepts."""
    return DCGAN(checkpoint.state_dict(*_NESTS) or {})


def _is_first(name: str, tensor: Tensor) -> bool:
    return re.fullmatch(r"(module\.)?main\.0\.weight", name) is not None and tensor.dim() == 4


def _prefix(tensors: Mapping[str, Tensor]) -> str:
    return "module.main." if any(name.startswith("module.") for name in tensors) else "main."


def _load(main: nn.ModuleList, tensors: Mapping[str, Tensor], prefix: str) -> None:
    own = {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    for name, target in main.state_dict().items():
        if name not in own and not name.endswith("num_batches_tracked"):
            raise NetworkError(f"tensor {prefix + name!r} is missing")
        if name in own and own[name].shape != target.shape:
            raise NetworkError(
                f"tensor {prefix + name!r} has shape {list(own[name].shape)}, expected {list(target.shape)}"
            )
    main.load_state_dict(own, strict=False)
