"""From a recipe's `effects`, `searches`, `sets` and `studies` to parts of the results, each with a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
from pydantic import BaseModel

from unit59.edit.material import Material
from unit59.edit.sweep import VERSION as COUNTS_VERSION
from unit59.foundation.files import file_name, sha256_of
from unit59.foundation.progress import Reporter
from unit59.foundation.suggest import nearest
from unit59.measure.layer import VERSION as MEASURES_VERSION
from unit59.measure.layer import Measurer
from unit59.recipe.sections import EffectsSection, RecipeFile, SearchSection, SetsSection
from unit59.results import ResultsWriter, table_bytes, to_json
from unit59.results.schema import EFFECT_TABLES, STUDY_TABLES
from unit59.samples.cache import SampleCache, key_of
from unit59.studies.base import Dissected, StudyError
from unit59.studies.cause.measure import Study, run_search, run_sets
from unit59.studies.effects.measure import EffectsStage, effect_samples
from unit59.studies.files import report_files
from unit59.studies.registry import Asked, load_study

#: Raised when effects or studies change their meaning, so that no old part is taken for a new one.
VERSION = 4


@dataclass(frozen=True)
class _Part:
    """A part of the results, and how to make its files."""

    name: str
    key: str
    make: Callable[[], dict[str, bytes]]


class Causes:
    """What a recipe asks to know about causes.

    Args:
        file: the recipe.
        layers: its dissected layers, in forward order.
        cache: of its samples.
        labels_key: hash of what samples and segmentations depend on.
        writer: of the model's results.
        report: is told the progress.

    Raises:
        RecipeError: a layer is not dissected, a concept unknown, or two studies have one name.
    """

    def __init__(
        self,
        file: RecipeFile,
        layers: list[str],
        cache: SampleCache,
        labels_key: str,
        writer: ResultsWriter,
        report: Reporter,
    ) -> None:
        self.file, self.recipe, self.layers, self.cache = file, file.recipe, layers, cache
        self._labels_key, self._writer, self._report = labels_key, writer, report
        self._material: Material | None = None
        self._measurer: Measurer | None = None
        self._stage: EffectsStage | None = None
        self._parts = [*self._effects(), *self._searches(), *self._sets()]
        self._parts += self._reports([part.key for part in self._parts])
        self._refuse_repeats()

    @property
    def parts(self) -> set[str]:
        """Names of the parts that the recipe asks for."""
        return {part.name for part in self._parts}

    def are_current(self) -> bool:
        """Whether all of them are there, as this recipe would make them."""
        return all(self._writer.is_current(part.name, part.key) for part in self._parts)

    def write(self, measurer: Measurer) -> None:
        """Write those that are missing or out of date; the layers' own parts must be there."""
        self._measurer = measurer
        for part in self._parts:
            if not self._writer.is_current(part.name, part.key):
                self._writer.write_part(part.name, part.key, part.make())

    # ---- the parts

    def _effects(self) -> list[_Part]:
        section = self.recipe.effects
        if section is None:
            return []
        layers = self._chosen(("effects", "layers"), section.layers)
        self._chosen(("effects", "style_layers"), section.style_layers)
        keys = {layer: self._key("effects", section, layer=layer, layers=layers) for layer in layers}
        return [
            _Part(
                f"layers/{file_name(layer)}/effects",
                key,
                partial(self._effect_files, section, layers, layer, key),
            )
            for layer, key in keys.items()
        ]

    def _effect_files(
        self, section: EffectsSection, layers: list[str], layer: str, key: str
    ) -> dict[str, bytes]:
        if self._stage is None:
            recipe = self.recipe
            self._stage = EffectsStage(
                self.material, section, layers, recipe.seed, recipe.exemplars, self._report
            )
        found = self._stage.measure(layer, self.cache.folder / "pictures" / f"effects-{key}")
        home = f"layers/{file_name(layer)}/effects"
        return {
            f"{home}/effects.json": to_json(found.record),
            **_tables(home, found.tables, EFFECT_TABLES),
            **{f"{home}/pictures/{name}": data for name, data in found.pictures.items()},
        }

    def _searches(self) -> list[_Part]:
        parts = []
        for index, section in enumerate(self.recipe.searches):
            place = ("searches", index)
            self._check_concept((*place, "concept"), section.concept)
            layers = self._chosen((*place, "layers"), section.layers)
            name = section.name or file_name(f"cause-{section.concept}".replace(" ", "-"))
            key = self._key("search", section, layers=layers, name=name, shared=self._shared(layers))
            parts.append(_Part(f"studies/{name}", key, partial(self._search_files, name, section, layers)))
        return parts

    def _search_files(self, name: str, section: SearchSection, layers: list[str]) -> dict[str, bytes]:
        swept: dict[str, list[int]] = {}
        if shared := self._shared(layers):
            assert self.recipe.effects is not None  # noqa: S101  # it is what is shared
            swept = dict.fromkeys(shared["layers"], effect_samples(self.material, self.recipe.effects))
        return _study_files(
            run_search(self.material, name, section, layers, self.recipe.seed, self._report, swept)
        )

    def _shared(self, layers: list[str]) -> dict[str, Any]:
        """What a search takes over: the effects of layers in which these set every unit to zero alone."""
        section = self.recipe.effects
        if section is None or section.units != "all" or section.ablate != "zero":
            return {}
        both = [layer for layer in self._chosen(("effects", "layers"), section.layers) if layer in layers]
        asked = section.model_dump(include={"samples", "extra", "floor"})
        return {"layers": both, **asked} if both else {}

    def _sets(self) -> list[_Part]:
        parts = []
        for index, section in enumerate(self.recipe.sets):
            place = ("sets", index)
            self._check_concept((*place, "concept"), section.concept)
            self._chosen((*place, "layer"), [section.layer])
            name = section.name or file_name(f"sets-{section.layer}-{section.concept}".replace(" ", "-"))
            key = self._key("sets", section, name=name)
            parts.append(_Part(f"studies/{name}", key, partial(self._sets_files, name, section)))
        return parts

    def _sets_files(self, name: str, section: SetsSection) -> dict[str, bytes]:
        return _study_files(run_sets(self.material, name, section, self.recipe.seed, self._report))

    def _reports(self, others: list[str]) -> list[_Part]:
        """Studies that write their own report; they may read the `others`, the effects and studies before."""
        parts = []
        concepts = [concept.name for concept in self.cache.segmenter.concepts]
        base = self.file.path.parent
        for index, spec in enumerate(self.recipe.studies):
            try:
                asked = load_study(spec, base)
                if asked.study.needs_effects and self.recipe.effects is None:
                    raise StudyError(
                        f"{asked.kind} needs measured effects: add `effects: {{}}` to the recipe."
                    )
                with asked.calls():
                    asked.study.check(self.cache.sampler.network, self.layers, concepts)
                    asked.study.check_samples(self.cache, base)
                    files = [(path.name, sha256_of(path)) for path in asked.study.files(base)]
            except StudyError as error:
                raise self.file.fail(("studies", index), str(error)) from None
            key = self._key(
                "report",
                asked.study,
                kind=asked.kind,
                code=asked.code,
                study=asked.study.version,
                name=asked.name,
                layers=self.layers,
                others=others,
                nulls=self.recipe.model_dump(include={"shuffles", "bootstrap"}),
                files=files,
                chance=self.recipe.model_dump(include={"shuffles", "bootstrap"}),
            )
            parts.append(_Part(f"studies/{asked.name}", key, partial(self._report_files, asked)))
        return parts

    def _report_files(self, asked: Asked) -> dict[str, bytes]:
        model = Dissected(
            self.material,
            self.layers,
            self.recipe.seed,
            self._writer.folder,
            self._report,
            self.file.path.parent,
        )
        return report_files(asked, asked.run(model))

    @property
    def material(self) -> Material:
        """Made when the first part needs it."""
        if self._material is None:
            assert self._measurer is not None  # noqa: S101  # write() set it
            self._material = Material(self.cache, self._measurer, self._labels_key)
        return self._material

    def _key(self, what: str, section: BaseModel, **more: Any) -> str:
        settings = {"samples", "seed", "quantile", "insert_quantile", "exemplars"}
        return key_of(
            what=what,
            version=(VERSION, COUNTS_VERSION, MEASURES_VERSION),
            labels=self._labels_key,
            section=section.model_dump(mode="json"),
            recipe=self.recipe.model_dump(include=settings),
            **more,
        )

    # ---- what a recipe may get wrong

    def _chosen(self, place: tuple[str | int, ...], asked: list[str] | str) -> list[str]:
        """The asked layers in forward order."""
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

    def _check_concept(self, place: tuple[str | int, ...], name: str) -> None:
        names = [concept.name for concept in self.cache.segmenter.concepts]
        if name not in names:
            raise self.file.fail(place, f"the segmenter has no concept {name!r}{nearest(name, names)}")

    def _refuse_repeats(self) -> None:
        names = [part.name for part in self._parts]
        for name in names:
            if names.count(name) > 1:
                study = name.removeprefix("studies/")
                raise self.file.fail(
                    ("searches",), f"two studies are named {study!r}: give one of them another `name`."
                )


def _study_files(study: Study) -> dict[str, bytes]:
    home = f"studies/{study.record.name}"
    return {
        f"{home}/study.json": to_json(study.record),
        **_tables(home, study.tables, STUDY_TABLES),
        **{f"{home}/pictures/{name}": data for name, data in study.pictures.items()},
    }


def _tables(
    home: str, tables: Mapping[str, pl.DataFrame], schemas: Mapping[str, Mapping[str, Any]]
) -> dict[str, bytes]:
    return {f"{home}/{name}": table_bytes(table, schemas[name]) for name, table in tables.items()}
