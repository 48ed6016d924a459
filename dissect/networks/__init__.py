"""Networks as named stages. `load` recognises the architecture from the file."""

from __future__ import annotations

from pathlib import Path

from dissect.checkpoints import CheckpointError, read_checkpoint
from dissect.networks import dcgan
from dissect.networks.base import Layer, Network, NetworkError, Noise, Stage, State

#: Each architecture's module offers ``recognise(checkpoint) -> bool``, ``build(checkpoint) -> Network`` and
#: ``NETWORK``, its class (whose ``config``/``from_config`` serve the container of our own).
FAMILIES = (dcgan,)

__all__ = ["FAMILIES", "Layer", "Network", "NetworkError", "Noise", "Stage", "State", "load"]


def load(path: str | Path, device: str = "cpu") -> Network:
    """Load a generator; its family is recognised from the file, and nothing in the file is executed.

    Args:
        path: a published checkpoint.
        device: where its weights go, e.g. ``cpu`` or ``cuda``.

    Raises:
        CheckpointError: the file is missing, damaged, hostile, or of no known family.
    """
    checkpoint = read_checkpoint(path)
    for family in FAMILIES:
        if family.recognise(checkpoint):
            try:
                network: Network = family.build(checkpoint)
            except NetworkError as error:
                raise checkpoint.fail(str(error)) from None
            return network.to(device).requires_grad_(False).eval()
    raise CheckpointError(f"{path}: the file reads, but holds no network of a known family.")
