"""From a recipe to the parts that it asks for, and what a recipe may get wrong about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unit59.edit.workbench import Workbench
from unit59.foundation.suggest import nearest
from unit59.recipe.sections import EffectsSection, RecipeFile
from unit59.results import file_name
from unit59.samples.inputs import Inputs
from unit59.studies.base import StudyError
from unit59.studies.cause.part import SearchPart, Shared
from unit59.studies.effects.measure import Effects
from unit59.studies.effects.shifts import ShiftsPart
from unit59.studies.layers.measure import LayerPart
from unit59.studies.model.measure import ModelPart
from unit59.studies.part import Part, PartError, in_order
from unit59.studies.quality.measure import QualityPart
from unit59.studies.registry import load_study
from unit59.studies.reports import StudyPart
from unit59.studies.sets.part import SetsPart
from unit59.studies.telling import name_of


@dataclass(frozen=True)
class PartSource:
    """What parts are made of.

    Attributes:
        file: the recipe.
        facts: the fields of `ModelRecord` that are known before anything is measured.
        bench: of the model; nothing is measured to make the parts.
        real: the real pictures that samples are compared with.
        reads: what a segmentation depends on, besides the picture.
    """

    file: RecipeFile
    facts: Mapping[str, Any]
    bench: Workbench
    real: Inputs | None
    reads: Mapping[str, Any]

    @property
    def layers(self) -> list[str]:
        """The dissected layers, in forward order."""
        return self.bench.cache.layers

    def chosen(
        self, place: tuple[str | int, ...], asked: Sequence[str] | str, *, maps: bool = True
    ) -> list[str]:
        """The asked layers in forward order.

        Args:
            place: of the field.
            asked: names, or all.
            maps: whether their units need maps.

        Raises:
            RecipeError: one is not dissected, or its units have no maps where they need some.
        """
        layers = self.layers if maps else list(self.bench.named)
        if asked == "all":
            return layers
        for index, layer in enumerate(asked):
            if layer not in layers:
                raise self.file.fail(
                    (*place, index) if str(place[-1]).endswith("layers") else place,
                    f"the units of {layer} have no maps over the picture: only `effects` takes them."
                    if layer in self.bench.named
                    else f"{layer!r} is none of the dissected layers{nearest(layer, layers)} "
                    f"These are {', '.join(layers)}.",
                )
        return [layer for layer in layers if layer in asked]

    def check_concept(self, place: tuple[str | int, ...], name: str) -> None:
        """Refuse a concept that the segmenter does not have."""
        names = [concept.name for concept in self.bench.cache.segmenter.concepts]
        if name not in names:
            raise self.file.fail(place, f"the segmenter has no concept {name!r}{nearest(name, names)}")


def parts_of(asked: PartSource) -> list[Part]:
    """Every part, those that others need first.

    Raises:
        RecipeError: a layer is not dissected, a concept unknown, a study cannot be made, two have one name.
    """
    bench = asked.bench
    layers = [LayerPart(units, bench) for units in bench.cache.units.values()]
    parts: list[Part] = [ModelPart(asked.facts, bench.labels_key), *layers]
    if asked.real is not None:
        parts.append(QualityPart(asked.file, asked.real, bench, asked.reads))
    parts += [*_effects(asked), *_searches(asked), *_sets(asked)]
    parts += _studies(asked, [part.name for part in parts])
    try:
        return in_order(parts)
    except PartError as error:
        text = str(error).replace("two parts are named 'studies/", "two studies are named '")
        raise asked.file.fail(("searches",), f"{text} Give one of them another `name`.") from None


def _effects(asked: PartSource) -> list[Part]:
    section, bench = asked.file.recipe.effects, asked.bench
    if section is None:
        return []
    named = [bench.units(name) for name in asked.chosen(("effects", "layers"), section.layers, maps=False)]
    layers = [units.name for units in named if units.handle.maps]
    shifted = [ShiftsPart(section, units, bench) for units in named if not units.handle.maps]
    return [*Effects(section, layers, bench).parts(), *shifted]


def _searches(asked: PartSource) -> list[Part]:
    parts: list[Part] = []
    for index, section in enumerate(asked.file.recipe.searches):
        place = ("searches", index)
        asked.check_concept((*place, "concept"), section.concept)
        layers = asked.chosen((*place, "layers"), section.layers)
        name = name_of(section)
        shared = _shared(asked, asked.file.recipe.effects, layers)
        parts.append(SearchPart(name, section, layers, asked.bench, shared))
    return parts


def _shared(asked: PartSource, section: EffectsSection | None, layers: list[str]) -> Shared | None:
    """What a search takes over: the effects of layers in which these set every unit to zero alone."""
    if section is None or section.units != "all" or section.ablate != "zero":
        return None
    both = [layer for layer in layers if section.layers == "all" or layer in section.layers]
    return Shared(section, both) if both else None


def _sets(asked: PartSource) -> list[Part]:
    parts: list[Part] = []
    for index, section in enumerate(asked.file.recipe.sets):
        place = ("sets", index)
        asked.check_concept((*place, "concept"), section.concept)
        asked.chosen((*place, "layer"), [section.layer])
        name = section.name or file_name(f"sets-{section.layer}-{section.concept}".replace(" ", "-"))
        parts.append(SetsPart(name, section, asked.bench))
    return parts


def _studies(asked: PartSource, others: Sequence[str]) -> list[Part]:
    """Studies that a recipe names; they may read the layers and effects before them."""
    parts: list[Part] = []
    cache, base = asked.bench.cache, asked.file.path.parent
    concepts = [concept.name for concept in cache.segmenter.concepts]
    for index, spec in enumerate(asked.file.recipe.studies):
        try:
            found = load_study(spec, base)
            if found.study.needs_effects and asked.file.recipe.effects is None:
                raise StudyError(f"{found.kind} needs measured effects: add `effects: {{}}` to the recipe.")
            with found.calls():
                found.study.check(cache.sampler.network, asked.layers, concepts)
                found.study.check_samples(cache, base)
            parts.append(StudyPart(found, base, asked.bench, others))
        except StudyError as error:
            raise asked.file.fail(("studies", index), str(error)) from None
    return parts
