"""What a recipe names for its samples, loaded: segmenter, inputs, real pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unit59.checkpoints import CheckpointError
from unit59.foundation.sources import InputError
from unit59.networks import Network
from unit59.recipe.sections import RecipeFile
from unit59.samples.forms import load_inputs, load_real
from unit59.samples.inputs import Inputs
from unit59.segmenters import Segmenter, SegmenterError, check_segmenter, load_segmenter

#: With fewer real pictures no rate and no distance says anything.
FEWEST_REAL = 16


def check_names(file: RecipeFile) -> None:
    """Refuse a segmenter's wrong name or option before anything is loaded."""
    with at_field(file, "segmenter"):
        check_segmenter(file.recipe.segmenter, file.path.parent)


def open_segmenter(file: RecipeFile) -> Segmenter:
    """The recipe's segmenter.

    Raises:
        RecipeError: it cannot be loaded.
    """
    with at_field(file, "segmenter"):
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
    with at_field(file, "inputs"):
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
    with at_field(file, "real"):
        real = load_real(file.recipe.real, file.path.parent, network.resolution)
    if len(real) < FEWEST_REAL:
        raise file.fail(("real",), f"{len(real)} pictures; at least {FEWEST_REAL} are needed.")
    return real


@contextmanager
def at_field(file: RecipeFile, field: str) -> Iterator[None]:
    """What cannot be loaded is said with the recipe's file and the field's line."""
    try:
        yield
    except (SegmenterError, InputError, CheckpointError) as error:
        text = str(error).removeprefix(f"{field}: ").removeprefix("inputs: ")
        raise file.fail((field,), text) from None


def segmenter_names(spec: Any) -> list[str]:
    """The names in a recipe's segmenter field, for the model's page."""
    entries = spec if isinstance(spec, list) else [spec]
    return [str(next(iter(entry))) if isinstance(entry, dict) else str(entry) for entry in entries]
