"""The layers and handles that a recipe names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from unit59.foundation.suggest import nearest
from unit59.handles import CHANNEL, Handle, HandleError, Units, count_units, units_of
from unit59.handles.registry import load_handle
from unit59.networks import Network
from unit59.recipe.sections import EffectsSection, RecipeFile
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
    """The units of a run: every dissected layer's channels, and behind it those of the recipe's handles.

    Raises:
        RecipeError: there is no such handle, layer, or two kinds of units have one name; or nothing would be
            measured of them.
    """
    found = {layer: [units_of(network, network.layers[layer], CHANNEL, layer)] for layer in layers}
    taken = {*network.layers}
    for index, spec in enumerate(file.recipe.handles):
        with _at_handle(file, index):
            for units in _units_of_handle(load_handle(spec, file.path.parent), network, layers):
                if units.name in taken:
                    raise HandleError(f"units named {units.name!r} are there already; give a `name`.")
                if not is_name(units.name):
                    raise HandleError(f"{units.name!r} is no name for a folder ({NAME_RULE}). Give a `name`.")
                _check_measured(units, file.recipe.effects)
                taken.add(units.name)
                found[units.layer.name].append(units)
    return [units for each in found.values() for units in each]


def _units_of_handle(handle: Handle, network: Network, layers: Sequence[str]) -> list[Units]:
    """In the layers that it names; asked for all, in those that have such units."""
    wanted = layers if handle.layers == "all" else handle.layers
    for layer in wanted:
        if layer not in layers:
            raise HandleError(f"{layer!r} is none of the dissected layers{nearest(layer, layers)}")
    if handle.layers == "all":
        wanted = [layer for layer in layers if count_units(network, network.layers[layer], handle)]
    if not wanted:
        raise HandleError(f"no dissected layer of this {network.family} has {handle.title} units.")
    return [
        units_of(network, network.layers[layer], handle, f"{layer}.{handle.title}")
        for layer in layers
        if layer in wanted
    ]


def _check_measured(units: Units, effects: EffectsSection | None) -> None:
    """Refuse units without maps of which no effects are asked for: nothing else is measured of them."""
    if units.handle.maps or (effects and (effects.layers == "all" or units.name in effects.layers)):
        return
    way = f"add {units.name!r} to `effects.layers`" if effects else "add `effects: {}`"
    raise HandleError(
        f"{units.name} has no maps over the picture, so nothing can agree with it; only effects are "
        f"measured, and the recipe asks for none: {way}."
    )


@contextmanager
def _at_handle(file: RecipeFile, index: int) -> Iterator[None]:
    """What is wrong with a handle is said with the recipe's file and its line."""
    try:
        yield
    except HandleError as error:
        raise file.fail(("handles", index), str(error)) from None
