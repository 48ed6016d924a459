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

    def chosen(self, place: tuple[str | int, ...], asked: Sequence[str] | str) -> list[str]:
        """The asked layers in forward order.

        Raises:
            RecipeError: one is not dissected.
        """
        if asked == "all":
            return self.layers
        for index, layer in enumerate(asked):
            if layer not in self.layers:
                raise self.file.fail(
                    (*place, index) if str(place[-1]).endswith("layers") else place,
                    f"{layer!r} is none of the dissected layers{nearest(layer, self.layers)} "
                    f"These are {', '.join(self.layers)}.",
                )
        return [layer for layer in self.layers if layer in asked]

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
    effects = _effects(asked)
    parts += effects.parts() if effects else []
    parts += [*_searches(asked), *_sets(asked)]
    parts += _studies(asked, [part.name for part in parts])
    try:
        return in_order(parts)
    except PartError as error:
        text = str(error).replace("two parts are named 'studies/", "two studies are named '")
        raise asked.file.fail(("searches",), f"{text} Give one of them another `name`.") from None


def _effects(asked: PartSource) -> Effects | None:
    section = asked.file.recipe.effects
    if section is None:
        return None
    layers = asked.chosen(("effects", "layers"), section.layers)
    asked.chosen(("effects", "style_layers"), section.style_layers)
    return Effects(section, layers, asked.bench)


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
    both = [layer for layer in asked.chosen(("effects", "layers"), section.layers) if layer in layers]
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
