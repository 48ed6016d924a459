"""The layers and handles that a recipe names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from unit59.foundation.suggest import nearest
from unit59.handles import CHANNEL, Handle, HandleError, Units, units_of
from unit59.handles.registry import load_handle
from unit59.networks import Network
from unit59.recipe.sections import RecipeFile
from unit59.results.record import NAME_RULE, is_name


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
    handles: list[Handle] = []
    for index, spec in enumerate(file.recipe.handles):
        with _at_handle(file, index):
            handles.append(_measurable(load_handle(spec, file.path.parent), layers))
    found: list[Units] = []
    for layer in layers:
        found.append(units_of(network, network.layers[layer], CHANNEL, layer))
        for index, handle in enumerate(handles):
            if handle.layers == "all" or layer in handle.layers:
                with _at_handle(file, index):
                    name = f"{layer}.{handle.title}"
                    if name in network.layers or name in {each.name for each in found}:
                        raise HandleError(f"units named {name!r} are there already; give a `name`.")
                    if not is_name(name):
                        raise HandleError(f"{name!r} is no name for a folder ({NAME_RULE}). Give a `name`.")
                    found.append(units_of(network, network.layers[layer], handle, name))
    return found


def _measurable(handle: Handle, layers: Sequence[str]) -> Handle:
    """Refuse a handle before anything is measured where nothing can come of it."""
    for layer in handle.layers if handle.layers != "all" else ():
        if layer not in layers:
            raise HandleError(f"{layer!r} is none of the dissected layers{nearest(layer, layers)}")
    if not handle.maps:
        raise HandleError(
            f"{handle.title} units have no maps over the picture, so nothing can agree with them. "
            "`effects: {styles: [neutral]}` measures what styles do; one of your own needs `maps = True`."
        )
    return handle


@contextmanager
def _at_handle(file: RecipeFile, index: int) -> Iterator[None]:
    """What is wrong with a handle is said with the recipe's file and its line."""
    try:
        yield
    except HandleError as error:
        raise file.fail(("handles", index), str(error)) from None
