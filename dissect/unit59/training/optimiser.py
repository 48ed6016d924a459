"""Adam over named tensors, whose state is tensors by name: a checkpoint needs no pickle."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Adam:
    """Adam (Kingma and Ba 2015), `torch.optim.Adam` behind names.

    Args:
        tensors: what it trains, by name.
        rate: learning rate.
        betas: of its two running means.
    """

    def __init__(self, tensors: Mapping[str, Tensor], rate: float, betas: tuple[float, float]) -> None:
        self._tensors = dict(tensors)
        self._adam = torch.optim.Adam(list(self._tensors.values()), lr=rate, betas=betas, eps=1e-8)

    def step(self, loss: Tensor, slope: Tensor | None = None) -> None:
        """One step down the gradient of `loss`; tensors that it does not depend on stay as they are.

        Args:
            loss: a number, or any tensor if `slope` is given.
            slope: the gradient of the real loss at `loss`.
        """
        tensors = list(self._tensors.values())
        gradients = torch.autograd.grad(loss, tensors, slope, allow_unused=True)
        for tensor, gradient in zip(self._tensors.values(), gradients, strict=True):
            tensor.grad = gradient
        self._adam.step()

    def scale_rate(self, rate: float) -> None:
        """Set the learning rate."""
        for group in self._adam.param_groups:
            group["lr"] = rate

    def state(self) -> dict[str, Tensor]:
        """``NAME/step``, ``NAME/exp_avg``, ``NAME/exp_avg_sq`` of every tensor that was trained yet."""
        found = {}
        for name, tensor in self._tensors.items():
            for part, value in self._adam.state.get(tensor, {}).items():
                found[f"{name}/{part}"] = value
        return found

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take up a state that `state` gave."""
        for key, value in state.items():
            name, _, part = key.rpartition("/")
            tensor = self._tensors[name]
            # In memory as torch lays it: otherwise some operations round differently.
            place = value if part == "step" else torch.empty_like(tensor, requires_grad=False).copy_(value)
            self._adam.state[tensor][part] = place.clone()
