"""StyleGAN2 (Karras et al. 2020): pickles of StyleGAN2-ADA, and of the StyleGAN2 in StyleGAN3's repository.

Layers are the official modules below ``synthesis``. ``b8.conv0`` and ``b8.conv1`` are the activations after
noise, bias, activation and clamp; ``b8.torgb`` is what the block adds to the picture; ``b8`` is what the
block hands on (in a skip network the same numbers as ``b8.conv1``, but a change there leaves this block's
own ToRGB alone). Everything runs in float32, whatever the file says about half precision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import torch
from torch import Tensor, nn

from unit59.checkpoints import Checkpoint
from unit59.foundation.random import normal_draw
from unit59.networks.base import (
    Batch,
    Layer,
    NetworkError,
    Noise,
    Stage,
    State,
    as_rgb,
    edited,
    noise_seeds,
)
from unit59.networks.configured import Configured
from unit59.networks.filters import upsample2
from unit59.networks.mapping import StyleMapping, mapping_settings
from unit59.networks.pickled import PickledModule, find_generator, the_generator, uniform
from unit59.networks.sampling import Labelled, Noisy, Truncated
from unit59.networks.styled import InputStyles
from unit59.networks.stylegan2_blocks import (
    RESIDUAL_GAIN,
    ModulatedConvolution,
    Skip,
    StyleGAN2Settings,
    SynthesisBlock,
    ToRGB,
)
from unit59.networks.weights import Weights


class StyleGAN2Sampling(Labelled, Noisy, Truncated):
    """Truncation, noise inputs and, of a conditional network, the class."""


class StyleGAN2(InputStyles, Configured):
    """The generator of StyleGAN2.

    The state holds, besides ``x`` [N,units,h,w]: ``w`` [N,copies,w_size], the intermediate latent of each
    layer after truncation; ``styles``, {layer: [N,channels in]}, the scales that come of it; ``noise``,
    {layer: [1 or N,1,h,w]}; ``image``, the picture so far; ``features`` while ``x`` is a ToRGB's output;
    ``shortcut`` inside a residual block.

    Args:
        settings: see `StyleGAN2Settings`.
        weights: named as in the official code.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "stylegan2"
    SETTINGS = StyleGAN2Settings
    SAMPLING = StyleGAN2Sampling
    settings: StyleGAN2Settings

    def __init__(self, settings: StyleGAN2Settings, weights: Weights) -> None:
        super().__init__(settings, weights)
        self.synthesis = nn.Module()
        self._blocks: dict[str, SynthesisBlock] = {}
        own, units = weights.under("synthesis."), 0
        for side in settings.sides:
            block = SynthesisBlock(settings, own.under(f"b{side}."), units, side)
            units = block.units
            self._blocks[f"b{side}"] = block
            self.synthesis.add_module(f"b{side}", block)
        modulated = self._modulated()
        copies = max(copy for _, copy in modulated.values()) + 1
        w_size = self._blocks["b4"].conv1.affine.inputs
        for name, (module, _) in modulated.items():
            if module.affine.inputs != w_size:
                raise NetworkError(f"layer {name!r} takes another size of w than 'b4.conv1', {w_size}")
            if isinstance(module, ToRGB) and module.units not in (1, 3):
                raise NetworkError(f"layer {name!r} makes {module.units} colours; 1 and 3 are supported")
        self.mapping = StyleMapping(settings.mapping, weights.under("mapping."), w_size, copies)
        self.latent_size = settings.mapping.latent_size
        self.label_size = settings.mapping.label_size
        self.resolution = (settings.resolution, settings.resolution)

    def describe(self) -> Iterable[Layer]:
        """Convolutions, ToRGB layers and blocks."""
        modules: dict[str, ModulatedConvolution | ToRGB | SynthesisBlock] = dict(self._blocks)
        modules |= {name: module for name, (module, _) in self._modulated().items()}
        named = [stage.name for stage in self.stages() if stage.layer]
        for number, name in enumerate(named):
            module = modules[name]
            yield Layer(name, number, module.units, module.side, module.side, f"synthesis.{name}")

    def start(self, batch: Batch) -> State:
        """The learned constant, and the styles and noise inputs of every layer."""
        sampling = batch.knobs(StyleGAN2Sampling)
        w = self.mapping(batch.inputs, batch.labels, sampling.psi, sampling.cutoff)
        const = self._blocks["b4"].const.repeat(len(w), 1, 1, 1)
        return {"x": const, "w": w, "styles": self.styles_from(w), "noise": self._noise(batch.noise, len(w))}

    def styles_from(self, w: Tensor) -> dict[str, Tensor]:
        """{layer: scales of its input channels [N,channels in]}, from `w` [N,copies,w_size]."""
        return {name: module.affine(w[:, copy]) for name, (module, copy) in self._modulated().items()}

    def stages(self) -> Sequence[Stage]:
        """Convolutions, ToRGB layers and blocks in the official order."""
        stages = [stage for name, block in self._blocks.items() for stage in self._block_stages(name, block)]
        return [*stages, Stage("output", _output, layer=False)]

    def _block_stages(self, name: str, block: SynthesisBlock) -> Iterable[Stage]:
        if block.side > 4:
            yield Stage(f"{name}.conv0", self._convolution(f"{name}.conv0", block.conv0, 1.0, block.skip))
        gain = 1.0 if block.skip is None else RESIDUAL_GAIN
        yield Stage(f"{name}.conv1", self._convolution(f"{name}.conv1", block.conv1, gain))
        if block.skip is not None:
            yield Stage(f"{name}.skip", _add_shortcut, layer=False)
        if block.torgb is not None:
            yield Stage(f"{name}.torgb", self._colours(f"{name}.torgb", block.torgb))
        yield Stage(name, self._finish(block))

    def _convolution(
        self, name: str, module: ModulatedConvolution, gain: float, skip: Skip | None = None
    ) -> Callable[[State], State]:
        def run(state: State) -> State:
            x, noise = state["x"], state["noise"].get(name)
            more = {} if skip is None else {"shortcut": skip(x)}
            return edited(state, module(x, state["styles"][name], noise, gain), **more)

        return run

    def _colours(self, name: str, module: ToRGB) -> Callable[[State], State]:
        def run(state: State) -> State:
            return edited(state, module(state["x"], state["styles"][name]), features=state["x"])

        return run

    def _finish(self, block: SynthesisBlock) -> Callable[[State], State]:
        def run(state: State) -> State:
            if block.torgb is None:
                return state
            rest = {name: value for name, value in state.items() if name != "features"}
            image = state["x"]
            if "image" in state:
                image = upsample2(state["image"], block.resample_filter) + image
            return edited(rest, state["features"], image=image)

        return run

    def _noise(self, noise: Noise, count: int) -> dict[str, Tensor]:
        modules = self._noisy()
        seeds = noise_seeds(noise, count)
        if seeds is None:
            kept = modules if noise == "const" else {}
            return {name: module.noise_const[None, None] for name, module in kept.items()}
        return {
            name: torch.stack(
                [torch.from_numpy(normal_draw(seed, stream, (1, module.side, module.side))) for seed in seeds]
            ).to(module.bias.device)
            for stream, (name, module) in enumerate(modules.items())
        }

    @property
    def styled(self) -> Collection[str]:
        """The convolutions and the ToRGB layers."""
        return self._modulated()

    @property
    def noise_layers(self) -> Sequence[str]:
        """The convolutions, if the file says that their noise is used."""
        return list(self._noisy())

    def without_noise(self, state: State, layers: Collection[str]) -> State:
        """See `Network.without_noise`."""
        kept = {name: each for name, each in state["noise"].items() if name not in layers}
        return {**state, "noise": kept}

    # ---- its modules

    def _noisy(self) -> dict[str, ModulatedConvolution]:
        return {
            name: module
            for name, (module, _) in self._modulated().items()
            if isinstance(module, ModulatedConvolution) and self.settings.noise
        }

    def _modulated(self) -> dict[str, tuple[ModulatedConvolution | ToRGB, int]]:
        """Each layer that takes a style, and the number of its w: a ToRGB shares the next convolution's."""
        found: dict[str, tuple[ModulatedConvolution | ToRGB, int]] = {}
        convolutions = 0
        for name, block in self._blocks.items():
            if block.side > 4:
                found[f"{name}.conv0"] = (block.conv0, convolutions)
                convolutions += 1
            found[f"{name}.conv1"] = (block.conv1, convolutions)
            convolutions += 1
            if block.torgb is not None:
                found[f"{name}.torgb"] = (block.torgb, convolutions)
        return found


#: The network's class, for the container of our own.
NETWORK = StyleGAN2


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is a pickled StyleGAN2."""
    generator = find_generator(checkpoint)
    return generator is not None and "b4" in generator.child("synthesis").record.children()


def build(checkpoint: Checkpoint) -> StyleGAN2:
    """The network of a checkpoint that `recognise` accepts.

    Raises:
        NetworkError: an attribute or tensor is missing or wrong.
    """
    generator = the_generator(checkpoint)
    synthesis = generator.child("synthesis")
    blocks = [
        PickledModule(record, f"synthesis.{name}")
        for name, record in synthesis.record.children().items()
        if name.startswith("b")
    ]
    convolutions = [
        block.child(name)
        for block in blocks
        for name in ("conv0", "conv1")
        if name in block.record.children()
    ]
    if not convolutions:
        raise NetworkError("module 'synthesis.b4.conv1' is missing")
    settings = {
        "mapping": mapping_settings(generator.child("mapping")),
        "resolution": synthesis.read("img_resolution"),
        "architecture": uniform(blocks, "architecture"),
        "activation": uniform(convolutions, "activation"),
        "clamp": uniform(convolutions, "conv_clamp"),
        "noise": uniform(convolutions, "use_noise"),
    }
    return StyleGAN2(StyleGAN2Settings.model_validate(settings), Weights(generator.record.tensors()))


def _add_shortcut(state: State) -> State:
    rest = {name: value for name, value in state.items() if name != "shortcut"}
    return edited(rest, state["shortcut"] + state["x"])


def _output(state: State) -> State:
    return {**state, "image": as_rgb(state["image"])}
