"""Knobs of sampling that several families have; each family's own model is made of them.

Their words stand on the model's page in the order in which a family inherits them, the last first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from unit59.networks.base import Network, Noise, Sampling, SamplingError


class Labelled(Sampling):
    """Of networks that may be conditional."""

    label: Annotated[int, Field(ge=0)] | None = None
    """Class of a conditional network; by default drawn with the sample."""

    def check(self, network: Network) -> None:
        """See `Sampling.check`."""
        super().check(network)
        size = network.label_size
        if self.label is not None and self.label >= size:
            what = f"has {size} classes, from 0 on" if size else "is not conditional"
            raise SamplingError("label", f"{self.label}, but the network {what}.")

    def words(self, network: Network) -> dict[str, str]:
        """Adds ``class`` for a conditional network."""
        words = super().words(network)
        if network.label_size:
            words["class"] = "drawn with the sample" if self.label is None else str(self.label)
        return words

    def classes(self, drawn: Sequence[int]) -> Sequence[int]:
        """See `Sampling.classes`."""
        return drawn if self.label is None else [self.label] * len(drawn)


class Noisy(Sampling):
    """Of networks with noise inputs."""

    noise: Literal["sample", "const", "none"] = "sample"
    """Noise inputs: drawn with the sample, the stored ones, or none."""

    def words(self, network: Network) -> dict[str, str]:
        """Adds ``noise``."""
        said = {"sample": "drawn with the sample", "const": "the stored inputs", "none": "none"}
        return {**super().words(network), "noise": said[self.noise]}

    def noise_inputs(self, seeds: Sequence[int]) -> Noise:
        """See `Sampling.noise_inputs`."""
        return seeds if self.noise == "sample" else self.noise


class Truncated(Sampling):
    """Of networks whose styles can be pulled towards the average (Karras et al. 2019, appendix B)."""

    psi: FiniteFloat = 1.0
    """Truncation; 1 is none."""
    cutoff: Annotated[int, Field(ge=0)] | None = None
    """Layers below this number are truncated; by default all."""

    def words(self, network: Network) -> dict[str, str]:
        """Adds ``truncation``."""
        below = "all layers" if self.cutoff is None else f"layers below {self.cutoff}"
        truncation = "none" if self.psi == 1 else f"psi {self.psi:g} on {below}"
        return {**super().words(network), "truncation": truncation}
