"""The network that a recipe names, loaded, with where its weights came from and how it is sampled."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from pydantic import ValidationError

from unit59.checkpoints import CheckpointError, refuse_odd_files
from unit59.checkpoints.published import how_to_get
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import sha256_of
from unit59.foundation.own_code import is_own, own_calls
from unit59.foundation.suggest import nearest
from unit59.loading.samples import open_segmenter
from unit59.networks import Network, NetworkError, Sampling, load, own
from unit59.networks.base import SamplingError
from unit59.recipe.document import explain_all
from unit59.recipe.sections import RecipeError, RecipeFile
from unit59.results.schema import CheckpointRecord


def checked_device(name: str) -> str:
    """The device's name, if torch can use it here.

    Raises:
        Unit59Error: it cannot.
    """
    try:
        (torch.zeros(1, device=name) + 1).item()  # "meta", for one, makes tensors but computes nothing
    except Exception as error:  # noqa: BLE001  # each backend that is missing raises another kind
        reason = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise Unit59Error(
            f"--device {name}: torch cannot use it here ({reason}). Try --device cpu."
        ) from None
    return name


def load_network(file: RecipeFile, device: str) -> tuple[Network, CheckpointRecord]:
    """The recipe's network, and the record of where its weights came from.

    Raises:
        Unit59Error: the weights are missing, not the ones the recipe means, or cannot be loaded.
    """
    section = file.recipe.checkpoint
    if is_own(section.file):
        return _own_network(file, device)
    path = file.resolve(section.file)
    try:
        there = refuse_odd_files(path)
    except CheckpointError as error:
        raise file.fail(("checkpoint", "file"), str(error)) from None
    if not there:
        raise _missing(file, how_to_get(path, source=section.source, licence=section.licence))
    digest = sha256_of(path)
    if section.sha256 and digest != section.sha256:
        raise file.fail(
            ("checkpoint", "sha256"),
            f"{path} has the sha256 {digest}: truncated, or not the file that the recipe means.",
        )
    network = load(path, device)
    return network, _record(file, network, path.name, digest, path.stat().st_size)


def open_sampling(file: RecipeFile, network: Network) -> Sampling:
    """How the recipe draws samples, as the network's family understands it.

    Raises:
        RecipeError: the network has no such field, or it takes other values.
    """
    kind = network.SAMPLING
    try:
        sampling = kind.model_validate(file.recipe.sampling)
        sampling.check(network)
    except ValidationError as error:
        said = explain_all(error.errors(), lambda fault: _explain_sampling(file, network, fault))
        raise RecipeError("\n".join(said)) from None
    except SamplingError as error:
        raise file.fail(("sampling", error.field), error.what) from None
    return sampling


def _explain_sampling(file: RecipeFile, network: Network, fault: Any) -> str:
    fields = list(network.SAMPLING.model_fields)
    if fault["type"] != "extra_forbidden" or len(fault["loc"]) != 1:
        return file.explain(fault, network.SAMPLING, ("sampling",))
    has = f"has {', '.join(fields)}" if fields else "has none"
    what = f"there is no such field{nearest(str(fault['loc'][0]), fields)} {network.family} {has}."
    return str(file.fail(("sampling", *fault["loc"]), what))


def _missing(file: RecipeFile, weights: str) -> RecipeError:
    """What the recipe lacks: its weights, and what the segmenter lacks too, so that it is said at once."""
    said = [str(file.fail(("checkpoint", "file"), weights))]
    try:
        open_segmenter(file)
    except RecipeError as error:
        said.append(str(error))
    return RecipeError("\n".join(said))


def _own_network(file: RecipeFile, device: str) -> tuple[Network, CheckpointRecord]:
    """A network that the user's own code makes; known by the hash of its weights."""
    name = file.recipe.checkpoint.file
    try:
        network = own.load(name, folder=file.path.parent)
        with own_calls(NetworkError, f"{name}: its weights"):
            digest, size = _weights(network, name)
            network = network.to(device)
    except (NetworkError, CheckpointError) as error:
        raise file.fail(("checkpoint", "file"), str(error)) from None
    return network, _record(file, network, name, digest, size)


def _weights(network: Network, name: str) -> tuple[str, int]:
    """A hash of all weights and buffers with their names, and their size in bytes."""
    digest, size = hashlib.sha256(name.encode()), 0
    named = {**dict(network.named_buffers()), **network.state_dict()}  # which lacks buffers not to be saved
    for key, tensor in sorted(named.items()):
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_quantized:
            raise NetworkError(f"{name}: the weight {key!r} is no dense tensor of numbers.")
        plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        data = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
        said = f"{key} {tuple(tensor.shape)} {tensor.dtype}"
        digest.update(said.encode("utf-8", "backslashreplace") + data)
        size += len(data)
    return digest.hexdigest(), size


def _record(file: RecipeFile, network: Network, name: str, digest: str, size: int) -> CheckpointRecord:
    section = file.recipe.checkpoint
    return CheckpointRecord(
        file=name,
        sha256=digest,
        bytes=size,
        family=network.family,
        source=section.source,
        licence=section.licence,
        terms=section.terms,
    )
