"""The container of our own: a network's weights as safetensors, its hyperparameters and origin beside them.

A published pickle is read once and converted; from then on the file loads in the time it takes to map it,
in any program that reads safetensors. Metadata keys: ``unit59`` (version of this layout), ``family``,
``config`` (JSON), ``source`` (name of the published file), ``source_sha256``, ``licence``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save as safetensors_bytes

from unit59.checkpoints import Checkpoint
from unit59.checkpoints.published import published
from unit59.foundation.files import sha256_of, sweep_partials, write_atomically
from unit59.networks.base import Network, NetworkError

VERSION = "1"


def save(network: Network, path: Path, source: Path | None = None) -> None:
    """Write `network` so that `unit59.networks.load` gives it back, bit for bit.

    Args:
        network: any of a published family.
        path: ends in ``.safetensors``.
        source: the file it was loaded from, whose name, hash and licence the new file records.

    Raises:
        NetworkError: networks of this kind cannot be saved, or the name is another.
        OSError: the file cannot be written.
    """
    if path.suffix != ".safetensors":
        raise NetworkError(f"{path}: the name of a converted network ends in .safetensors")
    metadata = {"unit59": VERSION, "family": network.family, "config": json.dumps(network.config())}
    if source is not None:
        metadata |= {"source": source.name, "source_sha256": sha256_of(source)}
        known = published(source.name)
        if known is not None:
            metadata["licence"] = known.licence
    tensors = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    sweep_partials(path.parent)
    write_atomically(path, safetensors_bytes(tensors, metadata))


def is_converted(checkpoint: Checkpoint) -> bool:
    """Whether `save` wrote the file."""
    return "unit59" in checkpoint.metadata


def restore(checkpoint: Checkpoint, families: Mapping[str, type[Network]]) -> Network:
    """The network in a file that `save` wrote.

    Raises:
        NetworkError: the file is of another version or family, or its parts do not fit together.
    """
    metadata = checkpoint.metadata
    if metadata["unit59"] != VERSION:
        raise NetworkError(f"layout {metadata['unit59']!r}, but this program reads {VERSION!r}")
    family = families.get(metadata.get("family", ""))
    if family is None:
        raise NetworkError(f"no known family of networks: {metadata.get('family')!r}")
    try:
        config = json.loads(metadata.get("config", ""))
    except ValueError:
        raise NetworkError("its hyperparameters are no JSON") from None
    if not isinstance(config, dict):
        raise NetworkError("its hyperparameters are no JSON object")
    return family.from_config(config, checkpoint.content)
