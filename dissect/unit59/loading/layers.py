"""The layers and handles that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence

from unit59.foundation.suggest import nearest
from unit59.handles import CHANNEL, HandleError, Units, units_of
from unit59.handles.registry import load_handle
from unit59.networks import Network
from unit59.recipe.sections import RecipeFile


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
