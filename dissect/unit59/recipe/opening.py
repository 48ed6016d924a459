"""Everything that a recipe names, opened: network, layers, inputs, segmenter.

What is wrong is said with the recipe's file, line and field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from pydantic import ValidationError

from unit59.checkpoints import CheckpointError, refuse_odd_files
from unit59.checkpoints.published import how_to_get
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import sha256_of
from unit59.foundation.own_code import is_own, own_calls
from unit59.foundation.suggest import nearest
from unit59.handles import CHANNEL, HandleError, Units, units_of
from unit59.handles.registry import load_handle
from unit59.networks import Network, NetworkError, Sampling, load, own
from unit59.networks.base import SamplingError
from unit59.recipe.sections import RecipeError, RecipeFile
from unit59.results.schema import Checkpoint
from unit59.samples.inputs import InputError, Inputs, load_inputs, load_real
from unit59.segmenters import Segmenter, SegmenterError, check_segmenter, load_segmenter

#: With fewer real pictures no rate and no distance says anything.
FEWEST_REAL = 16


def checked_device(name: str) -> str:
    """The device's name, if torch can use it here.

    Raises:
        Unit59Error: it cannot.
    """
    try:
        (torch.zeros(1, device=name) + 1).item()  # "meta", for one, makes tensors but computes nothing
    except Exception as error:  # noqa: BLE001  # each backend that is missing raises another kind
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unit59Error(f"--device {name}: torch cannot use it here ({reason}). Try cpu or cuda.") from None
    return name


def check_names(file: RecipeFile) -> None:
    """Refuse a segmenter's wrong name or option before anything is loaded."""
    with _at(file, "segmenter"):
        check_segmenter(file.recipe.segmenter, file.path.parent)


def open_segmenter(file: RecipeFile) -> Segmenter:
    """The recipe's segmenter.

    Raises:
        RecipeError: it cannot be loaded.
    """
    with _at(file, "segmenter"):
        return load_segmenter(file.recipe.segmenter, file.path.parent)


def open_inputs(file: RecipeFile, network: Network) -> Inputs | None:
    """What a picture-to-picture network is given; None for a network that takes latent codes.

    Raises:
        RecipeError: there are none, too few, or some for a network that takes none.
    """
    recipe = file.recipe
    if network.takes == "latent":
        if recipe.inputs is not None:
            raise file.fail(
                ("inputs",), f"{network.family} takes latent codes, not pictures: drop this field."
            )
        return None
    if recipe.inputs is None:
        raise file.fail(
            ("inputs",), f"{network.family} takes pictures: name some, e.g. `inputs: {{folder: labels}}`."
        )
    with _at(file, "inputs"):
        inputs = load_inputs(recipe.inputs, file.path.parent, network.resolution)
    if len(inputs) < recipe.samples:
        raise file.fail(
            ("samples",), f"{recipe.samples} samples, but the inputs hold {len(inputs)} pictures."
        )
    return inputs


def open_real(file: RecipeFile, network: Network) -> Inputs | None:
    """The real pictures that samples are compared with; None where the recipe names none.

    Raises:
        RecipeError: they cannot be opened, or are too few to say anything.
    """
    if file.recipe.real is None:
        return None
    with _at(file, "real"):
        real = load_real(file.recipe.real, file.path.parent, network.resolution)
    if len(real) < FEWEST_REAL:
        raise file.fail(("real",), f"{len(real)} pictures; at least {FEWEST_REAL} are needed.")
    return real


@contextmanager
def _at(file: RecipeFile, field: str) -> Iterator[None]:
    try:
        yield
    except (SegmenterError, InputError, CheckpointError) as error:
        text = str(error).removeprefix(f"{field}: ").removeprefix("inputs: ")
        raise file.fail((field,), text) from None


def load_network(file: RecipeFile, device: str) -> tuple[Network, Checkpoint]:
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
        said = [_explain_sampling(file, network, fault) for fault in error.errors()]
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


def _own_network(file: RecipeFile, device: str) -> tuple[Network, Checkpoint]:
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
    """A hash of all weights with their names, and their size in bytes."""
    digest, size = hashlib.sha256(name.encode()), 0
    for key, tensor in sorted(network.state_dict().items()):
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_quantized:
            raise NetworkError(f"{name}: the weight {key!r} is no dense tensor of numbers.")
        plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        data = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
        said = f"{key} {tuple(tensor.shape)} {tensor.dtype}"
        digest.update(said.encode("utf-8", "backslashreplace") + data)
        size += len(data)
    return digest.hexdigest(), size


def _record(file: RecipeFile, network: Network, name: str, digest: str, size: int) -> Checkpoint:
    section = file.recipe.checkpoint
    return Checkpoint(
        file=name,
        sha256=digest,
        bytes=size,
        family=network.family,
        source=section.source,
        licence=section.licence,
        terms=section.terms,
    )


def wanted_layers(file: RecipeFile, network: Network) -> list[str]:
    """The recipe's layers in forward order.

    Raises:
        RecipeError: the network has no such layer.
    """
    asked = file.recipe.layers
    if asked == "all":
        return list(network.layers)
    for index, layer in enumerate(asked):
        if layer not in network.layers:
            raise file.fail(
                ("layers", index),
                f"{network.family} has no layer {layer!r}{nearest(layer, network.layers)} "
                f"It has {', '.join(network.layers)}.",
            )
    return [layer for layer in network.layers if layer in asked]


def open_handles(file: RecipeFile, network: Network, layers: Sequence[str]) -> list[Units]:
    """The measured units: every dissected layer's channels, and behind it those of the recipe's handles.

    Raises:
        RecipeError: there is no such handle, layer, or two kinds of units have one name.
    """
    handles = []
    for index, spec in enumerate(file.recipe.handles):
        try:
            handles.append(load_handle(spec, file.path.parent))
        except HandleError as error:
            raise file.fail(("handles", index), str(error)) from None
    found: list[Units] = []
    for layer in layers:
        found.append(units_of(network, network.layers[layer], CHANNEL, layer))
        for index, handle in enumerate(handles):
            if handle.layers == "all" or layer in handle.layers:
                name = f"{layer}.{handle.title}"
                if name in network.layers or name in {each.name for each in found}:
                    raise file.fail(
                        ("handles", index), f"units named {name!r} are there already; give a `name`."
                    )
                try:
                    found.append(units_of(network, network.layers[layer], handle, name))
                except HandleError as error:
                    raise file.fail(("handles", index), str(error)) from None
    for index, handle in enumerate(handles):
        for layer in handle.layers if handle.layers != "all" else ():
            if layer not in layers:
                raise file.fail(
                    ("handles", index), f"{layer!r} is none of the dissected layers{nearest(layer, layers)}"
                )
    return found


def segmenter_names(spec: Any) -> list[str]:
    """The names in a recipe's segmenter field, for the model's page."""
    entries = spec if isinstance(spec, list) else [spec]
    return [str(next(iter(entry))) if isinstance(entry, dict) else str(entry) for entry in entries]
