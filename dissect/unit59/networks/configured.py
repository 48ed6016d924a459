"""A published architecture: a network made of checked settings and of tensors, and saved as these two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from torch import Tensor

from unit59.networks.base import Network
from unit59.networks.weights import Weights


class Configured(Network):
    """Base of the published architectures; each is called as ``cls(settings, weights)``.

    Args:
        settings: hyperparameters, an instance of `SETTINGS`.
        weights: the tensors; each architecture takes what its settings ask for.
    """

    #: What a file may say about the network; validation refuses the rest.
    SETTINGS: ClassVar[type[BaseModel]]
    settings: BaseModel

    def __init__(self, settings: Any, weights: Weights) -> None:
        super().__init__()
        self.settings = settings

    def config(self) -> dict[str, Any]:
        """The settings, as JSON can hold them."""
        return self.settings.model_dump(mode="json")

    @classmethod
    def from_config(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The network that `config()` and `state_dict()` describe."""
        return cls(cls.SETTINGS.model_validate(config), Weights(tensors))
