"""A network whose passes compute as a recipe's `passes` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

import torch

from unit59.foundation.passes import USUAL, Passes
from unit59.networks.base import Network, Stage, State

_P = ParamSpec("_P")
_T = TypeVar("_T")


def set_passes(network: Network, passes: Passes) -> None:
    """From now on the stages of this network, and what is asked about them, compute like this.

    What comes before the first stage (the mapping of latent codes, noise) stays as it is. Every stage finds
    its map in the same memory format, whether it comes from the stage before or was kept: so a tail gives
    the bits of the whole pass.
    """
    if passes == USUAL:
        return
    stages = network.stages

    def laid_out(run: Callable[[State], State]) -> Callable[[State], State]:
        def stage(state: State) -> State:
            x = state.get("x")
            return run({**state, "x": passes.laid_out(x)} if isinstance(x, torch.Tensor) else state)

        return _inside(passes, stage)

    def all_stages() -> list[Stage]:
        return [replace(stage, run=laid_out(stage.run)) for stage in stages()]

    # Of this object only: its class serves others as it is.
    network.__dict__.update(
        stages=all_stages,
        styles=_inside(passes, network.styles),
        held_statistics=_inside(passes, network.held_statistics),
    )


def _inside(passes: Passes, call: Callable[_P, _T]) -> Callable[_P, _T]:
    def computing(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with passes.computing():
            return call(*args, **kwargs)

    return computing
