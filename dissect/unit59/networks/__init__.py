"""Networks as named stages. `load` recognises the architecture from the file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from unit59.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from unit59.foundation.own_code import is_own
from unit59.networks import dcgan, own, pix2pix, progan, stylegan, stylegan2, stylegan3
from unit59.networks.base import Batch, Layer, Network, NetworkError, Sampling, Stage, State
from unit59.networks.files import is_converted, restore

#: Each architecture's module offers ``recognise(checkpoint) -> bool``, ``build(checkpoint) -> Network`` and
#: ``NETWORK``, its class (whose ``config``/``from_config`` serve the container of our own).
FAMILIES = (stylegan, stylegan2, stylegan3, progan, pix2pix, dcgan)

__all__ = [
    "FAMILIES",
    "Batch",
    "Layer",
    "Network",
    "NetworkError",
    "Sampling",
    "Stage",
    "State",
    "build",
    "load",
]


def load(path: str | Path, device: str = "cpu") -> Network:
    """Load a generator; its family is recognised from the file, and nothing in the file is executed.

    Args:
        path: a published checkpoint, a file that `unit59.networks.files.save` wrote, or
            ``package.module:factory`` of your own (see `unit59.networks.own`).
        device: where its weights go, e.g. ``cpu`` or ``cuda``.

    Raises:
        CheckpointError: the file is missing, damaged, hostile, or of no known family.
        NetworkError: your own module does not keep its contract.
    """
    if is_own(str(path)) and not Path(path).exists():
        return own.load(str(path)).to(device)
    network = build(read_checkpoint(path))
    if network is None:
        raise CheckpointError(
            f"{path}: the file reads, but holds no network of a known family "
            f"(unit59 inspect {path} lists what it holds)."
        )
    return network.to(device)


def build(checkpoint: Checkpoint) -> Network | None:
    """The network in a checkpoint, or None if it holds none of a known family.

    Raises:
        CheckpointError: its parts do not make the network that it says it is.
    """
    try:
        network = _build(checkpoint)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "hyperparameters"
        raise checkpoint.fail(f"{place}: {first['msg']}") from None
    except NetworkError as error:
        raise checkpoint.fail(str(error)) from None
    except (ValueError, TypeError, LookupError, RuntimeError, OverflowError) as error:
        # The families check names, shapes and hyperparameters; this is the last line against a file that
        # fits none of the checks, and must be an error in the file and not a traceback.
        what = str(error).splitlines()[0][:200] if str(error) else ""
        raise checkpoint.fail(f"its parts do not make a network ({type(error).__name__}: {what})") from error
    return None if network is None else network.requires_grad_(False).eval()


def _build(checkpoint: Checkpoint) -> Network | None:
    if is_converted(checkpoint):
        return restore(checkpoint, {family.NETWORK.family: family.NETWORK for family in FAMILIES})
    for family in FAMILIES:
        if family.recognise(checkpoint):
            network: Network = family.build(checkpoint)
            return network
    return None
