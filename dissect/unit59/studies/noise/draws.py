"""How much a StyleGAN's picture varies over draws of its noise, with units off and with parts taken away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import set_units
from unit59.networks import Network, State
from unit59.samples.drawing import Sampler
from unit59.studies.noise.cases import Case

#: Squared levels that float32 may differ by between equal rows of a batch, and more: no variation.
ROUNDING = 1e-6


def networks_without(
    sampler: Sampler, layer: str, number: int, seeds: Sequence[int], wanted: Collection[str]
) -> dict[str, State]:
    """One sample right behind a layer, a row for each noise draw, by what is taken away from the network.

    Args:
        sampler: of a network with noise inputs.
        layer: the edited layer.
        number: of the sample.
        seeds: one a draw.
        wanted: which of `unit59.studies.noise.cases.Removed`; "rescaling" only of a StyleGAN.
    """
    network = sampler.network
    place = network.layers[layer].number
    start = sampler.start([number] * len(seeds), list(seeds))
    state = network.run(start, until=layer)
    made = {"nothing": state}
    if "noise behind" in wanted:
        behind = [name for name, each in network.layers.items() if each.number > place]
        made["noise behind"] = network.without_noise(state, behind)
    if "noise inside" in wanted:
        made["noise inside"] = network.run(network.without_noise(start, [layer]), until=layer)
    if "rescaling" in wanted:
        held = network.held_statistics(state, layer)
        assert held is not None  # noqa: S101  # see above
        made["rescaling"] = held
    return made


@torch.no_grad()
def measure_sample(
    network: Network,
    layer: str,
    states: Mapping[str, State],
    cases: Sequence[Case],
    orders: Mapping[str, Sequence[int]],
) -> NDArray[np.float64]:
    """One sample's numbers, [cases,3], in squared levels of 0..255, means over pixels and colours.

    The variance over draws; the mean squared change that the units make when the noise stays the same; the
    same when it is drawn anew (the next draw).

    Args:
        network: the model.
        layer: whose units go off.
        states: see `networks_without`.
        cases: what is measured.
        orders: all units of the layer in each order that a case names.
    """
    plain = {removed: levels(network.run(state, after=layer)["image"]) for removed, state in states.items()}
    found = np.empty((len(cases), 3))
    for row, case in enumerate(cases):
        before = after = plain[case.removed]
        if case.off:
            state = states[case.removed]
            x = set_units(state["x"], list(orders[case.order][: case.off]), 0.0)
            after = levels(network.run({**state, "x": x}, after=layer)["image"])
        found[row] = (
            float(after.var(dim=0).mean()),
            float((after - before).square().mean()),
            float((after - before.roll(1, dims=0)).square().mean()),
        )
    found[found < ROUNDING] = 0.0
    return found


def levels(image: Tensor) -> Tensor:
    """Pictures in [-1,1] as levels 0..255, double, cut off where a screen cuts them off."""
    return (image.clamp(-1, 1).double() + 1) * 127.5
