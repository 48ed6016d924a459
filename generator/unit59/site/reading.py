"""A results folder as a site: all of it, or the models and layers that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unit59.foundation.errors import Unit59Error
from unit59.results import read_results
from unit59.results.tables import STRIPS
from unit59.site.site import Site


class ChoiceError(Unit59Error):
    """A model or layer that is not among the results."""


def read_site(
    folder: Path, models: Sequence[str] = (), layers: Sequence[str] = (), strips: Sequence[str] = STRIPS
) -> Site:
    """Read results.

    Args:
        folder: the results folder.
        models: names of the models to show; empty shows all.
        layers: names of the layers to show; empty shows all.
        strips: the kinds of pictures to show.

    Raises:
        Unit59Error: the results cannot be read, or lack what is asked for.
    """
    results = read_results(folder)
    known = {model.record.name for model in results}
    _check("models", models, known)
    _check("layers", layers, {layer.record.name for model in results for layer in model.layers})
    return Site.of([model for model in results if model.record.name in (models or known)], layers, strips)


def _check(option: str, wanted: Sequence[str], known: set[str]) -> None:
    for name in wanted:
        if name not in known:
            raise ChoiceError(f"{option}: {name!r} is not among the results ({', '.join(sorted(known))}).")
