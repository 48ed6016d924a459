"""Edits of style channels: the other handle that a StyleGAN offers on a unit.

StyleSpace (Wu et al. 2021, "StyleSpace Analysis") found channels of the styles that control one thing each.
In StyleGAN a layer's style scales and shifts that layer's own units; in StyleGAN2 and 3 it scales the units
that the layer takes in. The layer itself runs again, and what is behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from unit59.edit.edits import EditError
from unit59.edit.tail import groups
from unit59.networks import Network, State
from unit59.samples.drawing import Sampler

#: Samples over which a style's mean and spread are taken.
STYLE_SAMPLES = 256


class StyleEdit(BaseModel):
    """An edit of style channels of one layer."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    do: Literal["neutral", "silence", "shift"]
    """Set the channels' styles to their mean over samples; set them so that nothing passes; or move them."""
    channels: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Which; each once."""
    by: float | None = None
    """Shift: by how many standard deviations over samples."""
    part: Literal["scale", "offset"] = "scale"
    """Shift: what moves; only StyleGAN has an offset. Neutral and silence change both."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.channels)) < len(self.channels):
            raise ValueError("a channel is named twice")
        if (self.do == "shift") != (self.by is not None):
            raise ValueError("`by` goes with `do: shift`, and only with it")
        return self


@dataclass(frozen=True)
class Styles:
    """What a layer's styles usually are.

    Attributes:
        mean: float32 [K,channels], K parts: scale, and in StyleGAN offset.
        spread: float32 [K,channels], standard deviation over samples.
        silent: the scale at which nothing passes.
    """

    mean: Tensor
    spread: Tensor
    silent: float


def has_styles(network: Network, layer: str, state: State) -> bool:
    """Whether the layer has styles that can be edited."""
    styles = state.get("styles")
    if isinstance(styles, tuple):
        return network.layers[layer].number < len(styles)
    # StyleGAN3's input layer has four numbers that turn and move its waves, not channels.
    return isinstance(styles, dict) and layer in styles and layer != "input"


def read_style(network: Network, layer: str, state: State) -> Tensor:
    """A layer's styles [N,K,channels].

    Raises:
        EditError: it has none.
    """
    if not has_styles(network, layer, state):
        raise EditError(f"layer {layer} of this {network.family} has no style channels.")
    styles = state["styles"]
    found: Tensor = (
        styles[network.layers[layer].number] if isinstance(styles, tuple) else styles[layer][:, None]
    )
    return found


def with_style(network: Network, layer: str, state: State, style: Tensor) -> State:
    """The state with other styles of a layer, [N,K,channels]."""
    styles: Any = state["styles"]
    if isinstance(styles, tuple):
        number = network.layers[layer].number
        return {**state, "styles": (*styles[:number], style, *styles[number + 1 :])}
    return {**state, "styles": {**styles, layer: style[:, 0]}}


def usual_styles(sampler: Sampler, layer: str, samples: int) -> Styles:
    """Mean and spread over the first `samples` samples, at most `STYLE_SAMPLES`.

    Raises:
        EditError: the layer has no styles.
    """
    rows = []
    for group, count in groups(range(min(samples, STYLE_SAMPLES))):
        rows.append(read_style(sampler.network, layer, sampler.start(group))[:count].double())
    styles = torch.cat(rows)
    # StyleGAN adds 1 to the scale.
    silent = -1.0 if styles.shape[1] == 2 else 0.0
    return Styles(styles.mean(dim=0).float(), styles.std(dim=0, unbiased=False).float(), silent)


def apply_style(style: Tensor, edit: StyleEdit, usual: Styles) -> Tensor:
    """The styles [N,K,channels] after an edit; the tensor itself is left as it is.

    Raises:
        EditError: the layer has no such channel or part.
    """
    if not edit.channels:
        return style
    if max(edit.channels) >= style.shape[2]:
        raise EditError(f"style channel {max(edit.channels)}: the layer has {style.shape[2]} of them.")
    changed, chosen = style.clone(), list(edit.channels)
    if edit.do == "neutral":
        changed[:, :, chosen] = usual.mean[:, chosen]
    elif edit.do == "silence":
        changed[:, :, chosen] = 0.0
        changed[:, 0, chosen] = usual.silent
    else:
        row = ("scale", "offset").index(edit.part)
        if row >= style.shape[1]:
            raise EditError("styles of this network have no offset.")
        assert edit.by is not None  # noqa: S101  # the model's check
        changed[:, row, chosen] += edit.by * usual.spread[row, chosen]
    return changed
