"""What a file holds, for ``unit59 inspect``: a network's layers, or else the tensors, in any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel
from torch import Tensor

from unit59.checkpoints import Checkpoint, PickledObject, read_checkpoint
from unit59.checkpoints.published import published
from unit59.foundation.files import sha256_of
from unit59.networks import build
from unit59.networks.base import Network, count_parameters

#: A key that only this kind of state dict has, and what to call it.
_KINDS = {
    "ppm_conv.0.1.weight": "a UPerNet decoder (a segmenter's second half)",
    "ppm_conv.0.0.weight": "a UPerNet decoder (a segmenter's second half)",
    "ppm_last_conv.0.weight": "a UPerNet decoder (a segmenter's second half)",
    "layer1.0.conv1.weight": "a ResNet encoder (a segmenter's first half)",
}
#: Where a pickled module keeps its parts; left out of their names.
_TABLES = ("_parameters", "_buffers", "_modules", "variables", "components")


class LayerRow(BaseModel):
    """One layer, as `unit59.networks.base.Layer` has it."""

    name: str
    units: int
    height: int
    width: int
    path: str


class TensorRow(BaseModel):
    """One tensor: where it is in the file, its shape and type."""

    name: str
    shape: list[int]
    dtype: str


class Inspection(BaseModel):
    """What `inspect` found.

    Attributes:
        file: the path.
        sha256: of the file.
        bytes: its size.
        container: torch-zip, torch-legacy, pickle or safetensors.
        holds: what it is, in a few words.
        family: of the network; None if it is none of a known family.
        resolution: [height, width] of its pictures.
        takes: latent or image.
        latent_size: length of z, 0 if it takes pictures.
        label_size: length of the label vector, 0 if it is unconditional.
        parameters: how many numbers the network has.
        layers: that can be dissected, in forward order.
        tensors: all that the file holds, if it holds no network.
        published: what a published file of this name is.
        page: where it is published.
        licence: of the weights, as far as the name (or a converted file's own record) tells.
    """

    file: str
    sha256: str
    bytes: int
    container: str
    holds: str
    family: str | None = None
    resolution: list[int] | None = None
    takes: str | None = None
    latent_size: int = 0
    label_size: int = 0
    parameters: int = 0
    layers: list[LayerRow] = []
    tensors: list[TensorRow] = []
    published: str | None = None
    page: str | None = None
    licence: str | None = None


def inspect(path: str | Path) -> Inspection:
    """Read a file and say what it holds.

    Raises:
        CheckpointError: it is missing, damaged or hostile, or a network whose parts do not fit.
    """
    checkpoint = read_checkpoint(path)
    network = build(checkpoint)
    known = published(checkpoint.metadata.get("source", checkpoint.path.name))
    common = Inspection(
        file=str(path),
        sha256=sha256_of(checkpoint.path),
        bytes=checkpoint.path.stat().st_size,
        container=checkpoint.container,
        holds="",
        published=known.what if known else None,
        page=known.page if known else None,
        licence=checkpoint.metadata.get("licence", known.licence if known else None),
    )
    found = _of_tensors(checkpoint) if network is None else _of_network(network)
    return common.model_copy(update=found)


def _of_network(network: Network) -> dict[str, Any]:
    rows = [
        LayerRow(name=a.name, units=a.units, height=a.height, width=a.width, path=a.path)
        for a in network.layers.values()
    ]
    return {
        "holds": f"a {network.family} generator",
        "family": network.family,
        "resolution": list(network.resolution),
        "takes": network.takes,
        "latent_size": network.latent_size,
        "label_size": network.label_size,
        "parameters": count_parameters(network),
        "layers": rows,
    }


def _of_tensors(checkpoint: Checkpoint) -> dict[str, Any]:
    rows = [
        TensorRow(name=name, shape=list(value.shape), dtype=str(value.dtype).removeprefix("torch."))
        for name, value in named_tensors(checkpoint.content)
    ]
    names = {row.name for row in rows}
    kind = next((kind for key, kind in _KINDS.items() if key in names), None)
    return {"holds": kind or f"no network of a known family: {len(rows)} tensors", "tensors": rows}


def named_tensors(content: Any) -> Iterator[tuple[str, Tensor | np.ndarray[Any, Any]]]:
    """Every tensor and array of a content, named by the way to it, e.g. ``G_ema/mapping/fc0/weight``."""
    waiting: list[tuple[str, Any]] = [("", content)]
    seen: set[int] = set()  # what is held twice is listed once: the ways to it can be without number
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Tensor | np.ndarray):
            yield name, value
        elif isinstance(value, dict | list | tuple | PickledObject) and id(value) not in seen:
            seen.add(id(value))
            waiting += reversed([(_join(name, key), part) for key, part in _parts(value)])


def _parts(value: Any) -> Iterable[tuple[object, Any]]:
    if isinstance(value, PickledObject):
        return [("", value.state)]
    if isinstance(value, dict):
        return value.items()
    if len(value) == 2 and isinstance(value[0], str):  # TensorFlow's (name, array)
        return [(value[0], value[1])]
    return enumerate(value)


def _join(name: str, key: object) -> str:
    step = "" if key in _TABLES else str(key)[:200]
    return f"{name}/{step}"[-1000:].strip("/")
