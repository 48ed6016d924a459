"""A handle says what a unit of a layer is: where its value is read in a pass, and how another is put there.

Measures, effects, searches and pages know units by their handle alone. A new kind of unit is one class: its
fields are the settings that a recipe may give, as of a study::

    handles:
      - my_handles:Rotation: {layers: [layer6], seed: 1}

The units of ``layer6`` under a handle named ``rotation`` stand in the results as a layer of their own,
``layer6.rotation``; the channels of a layer bear the layer's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, PrivateAttr
from torch import Tensor

from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import OwnCode
from unit59.networks import Layer, Network, State
from unit59.results.record import Name


class HandleError(Unit59Error):
    """A handle that does not fit the network, or an unknown one."""


class Handle(BaseModel, ABC):
    """What a unit is.

    Attributes:
        version: raised when its values change, so that no old measurement is taken for a new one.
        before: whether it acts on the state before the layer's stage, which then runs again too.
        maps: whether a unit's value is a map over the picture, so that masks can be taken of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    version: ClassVar[int] = 1
    before: ClassVar[bool] = False
    maps: ClassVar[bool] = True

    name: Name | None = None
    """What its layers are called by; by default the class's name."""
    layers: list[str] | Literal["all"] = "all"
    """Of the dissected layers, those whose units it is asked for."""
    _own: OwnCode | None = PrivateAttr(None)

    @property
    def own(self) -> OwnCode | None:
        """Of a user's own: its code; measurements depend on its hash."""
        return self._own

    @property
    def title(self) -> str:
        """Its name."""
        return self.name or type(self).__name__.lower()

    @abstractmethod
    def units(self, network: Network, layer: Layer) -> int:
        """How many units the layer has; 0 where it has none of the kind."""

    @abstractmethod
    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        """The units' values [N,U,a,b]: maps, or (without `maps`) a few numbers."""

    @abstractmethod
    def write(self, network: Network, layer: Layer, state: State, old: Tensor, new: Tensor) -> State:
        """The state with other values.

        Args:
            network: whose state.
            layer: that the units are of.
            state: is left as it is.
            old: what `read` gives of it.
            new: [N,U,a,b], to be put there.
        """

    def silent(self, usual: Tensor) -> Tensor:
        """The values [U,a,b] at which nothing passes; `usual` are their means. By default zeros."""
        return torch.zeros_like(usual)

    def beside(self, network: Network, layer: Layer) -> str | None:
        """The layer to whose channels the units belong one to one, unit k to channel k; by default none."""
        return None

    def shifted(self, step: Tensor) -> Tensor:
        """Of a step [U,a,b] in all of a unit's numbers, the part that a shift moves; by default all."""
        return step
