"""Textures: does a unit change what is where, or how it looks? And does that change along the network?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.edits import Edit
from unit59.edit.group import Seen
from unit59.edit.tail import groups, in_groups
from unit59.edit.workbench import Workbench
from unit59.foundation.suggest import nearest
from unit59.results import file_name
from unit59.results.columns import Schema
from unit59.samples.cache import SampleCache
from unit59.samples.shards import to_uint8
from unit59.studies.base import LayersStudy, StudyError
from unit59.studies.dissected import Dissected
from unit59.studies.effects.pictures import picture_rows
from unit59.studies.part import Cost
from unit59.studies.tables import Report, Tables
from unit59.studies.textures.effects import effects, smooth, window_of
from unit59.studies.textures.facts import End, StandingOut
from unit59.studies.textures.numbers import OBJECTS, TEXTURE, MeasuredLayer, TextureNumbers, facts_of
from unit59.studies.textures.tables import SCHEMAS
from unit59.studies.textures.tell import tell

#: Deviations of the noise that the reference adds to pictures, in levels of 0..255.
AMPLITUDES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
#: Planes that say how something looks, not what it is.
LOOKS = ("colour", "material")
#: Samples on a strip.
SHOWN = 6


@dataclass(frozen=True)
class Look:
    """What a change does to what is where and to how the rest looks: ``values`` [N,4], see `effects`.

    Attributes:
        plane: of the segmentations that says what is where.
        window: in pixels.
    """

    plane: int
    window: int

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return repr(self)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        labels = seen.group.labels[:, self.plane].cpu(), seen.labels[:, self.plane].cpu()
        before, after = to_uint8(seen.before).cpu(), seen.pictures.cpu()
        return {"values": effects(before, after, labels, self.window).numpy()}


class Textures(LayersStudy):
    """Switch off units one by one; measure how many pixels change their concept, and how the others look."""

    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset()
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

    units: Annotated[int, Field(ge=4)] | Literal["all"] = "all"
    """How many of each layer, drawn at random."""
    samples: Annotated[int, Field(ge=2, le=100_000)] = 16
    """How many, from the first on."""
    plane: str | None = None
    """The segmenter's plane that says what is where; by default the first but colours and materials."""
    window: Annotated[int, Field(ge=3)] | None = None
    """Side in pixels over which a change counts as one of colour; by default a sixteenth of the picture's."""

    def check_samples(self, cache: SampleCache, base: Any) -> None:
        """See `Study.check_samples`."""
        self._plane(cache)

    def _plane(self, cache: SampleCache) -> int:
        planes = cache.segmenter.planes
        if self.plane is not None and self.plane not in planes:
            raise StudyError(
                f"textures: the segmenter has no plane {self.plane!r}{nearest(self.plane, planes)} "
                f"It has {', '.join(planes)}."
            )
        fitting = [name for name in planes if name not in LOOKS] if self.plane is None else [self.plane]
        if not fitting:
            raise StudyError(
                "textures needs a segmenter that says what is where; this one's planes are "
                f"{', '.join(planes)}. Add one of objects or parts to `segmenter:`, or name a plane: "
                "`textures: {plane: NAME}`."
            )
        return planes.index(fitting[0])

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        cache = model.bench.cache
        layers = self.of_layers(model.layers)
        numbers = list(range(min(self.samples, cache.samples)))
        window = (self.window or window_of(*model.network.resolution)) | 1
        measured = []
        chosen = {layer: self._units(model, layer) for layer in layers}
        with model.step("textures", sum(map(len, chosen.values())) * len(numbers), "edits") as advance:
            for layer, units in chosen.items():
                values = self._measure(model, layer, units, numbers, window, advance)
                measured.append(MeasuredLayer(layer, model.network.layers[layer].number, units, values))
        reference = self._reference(model, numbers, window)
        plane = cache.segmenter.planes[self._plane(cache)]
        found = TextureNumbers(measured, reference, numbers, window, model.seed)
        shown, pictures = self._standing_out(model, found)
        return Tables(found.tables(), facts_of(found, plane, shown).model_dump(mode="json"), pictures)

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        numbers = in_groups(min(self.samples, bench.cache.samples))
        chosen = self.of_layers(layers)
        units = {name: bench.cache.sampler.network.layers[name].units for name in chosen}
        most = {
            name: count if self.units == "all" else min(self.units, count) for name, count in units.items()
        }
        # Every unit and nothing; the strips of few units are drawn with both.
        tails = {name: (count + 1) * numbers for name, count in most.items()}
        reference = numbers * (1 + 2 * len(AMPLITUDES))
        strips = {name: count + 2 * most[name] * in_groups(SHOWN) for name, count in tails.items()}
        return Cost(tails=strips, segmented=sum(tails.values()) + reference)

    def tell(self, tables: Tables) -> Report:
        """See `unit59.studies.textures.tell`."""
        return tell(tables)

    def _units(self, model: Dissected, layer: str) -> list[int]:
        everything = model.network.layers[layer]
        if self.units == "all" or self.units >= everything.units:
            return list(range(everything.units))
        drawn = model.random(everything.number, "units").permutation(everything.units)[: self.units]
        return sorted(int(unit) for unit in drawn)

    def _measure(
        self,
        model: Dissected,
        layer: str,
        units: list[int],
        numbers: list[int],
        window: int,
        advance: Callable[[int], None],
    ) -> NDArray[np.float64]:
        """See `effects`: [samples,units,4]."""
        probe = Look(self._plane(model.bench.cache), window)
        edits = [Edit.ablate([unit]) for unit in units]
        values = model.bench.sweep(layer).all(edits, numbers, probe, advance)["values"]
        return np.moveaxis(values, 0, 1)

    @torch.no_grad()
    def _reference(self, model: Dissected, numbers: list[int], window: int) -> dict[str, NDArray[np.float64]]:
        """What noise does that means nothing, by kind: see `effects`, [samples,amplitudes,4]."""
        cache = model.bench.cache
        plane = self._plane(cache)

        def labelled(pictures: Tensor) -> Tensor:
            image = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
            return cache.segment(image.to(cache.sampler.device))[:, plane].cpu().long()

        found: dict[str, list[NDArray[np.float64]]] = {"noise in each pixel": [], "patches of colour": []}
        for group, count in groups(numbers):
            before = torch.from_numpy(cache.pictures(np.array(group)))
            height, width = before.shape[1:3]
            drawn = [model.random(each, "reference").standard_normal((3, height, width)) for each in group]
            noise, labels = torch.from_numpy(np.stack(drawn)), labelled(before)
            for name, each in zip(found, (noise, smooth(noise, window)), strict=True):
                rows = []
                for amplitude in AMPLITUDES:
                    changed = before + amplitude * each.permute(0, 2, 3, 1)
                    after = changed.round().clamp(0, 255).to(torch.uint8)
                    rows.append(effects(before, after, (labels, labelled(after)), window))
                found[name].append(torch.stack(rows, dim=1)[:count].numpy())
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _standing_out(
        self, model: Dissected, found: TextureNumbers
    ) -> tuple[list[StandingOut], dict[str, bytes]]:
        """Units that stand out, in the samples in which they change most; and their strips."""
        shown, strips = [], {}
        ends: tuple[tuple[End, int], ...] = (("objects", OBJECTS), ("textures", TEXTURE))
        for end, which in ends:
            for layer, unit in found.standing_out(end):
                values = found.of_unit(layer, unit)
                order = np.argsort(-values[:, which], kind="stable")[:SHOWN]
                each = StandingOut(
                    end=end,
                    layer=layer,
                    unit=unit,
                    picture=f"{end}-{file_name(layer)}-{unit:04d}.webp",
                    samples=[found.samples[int(i)] for i in order],
                    objects=values[order, OBJECTS].tolist(),
                    texture=values[order, TEXTURE].tolist(),
                )
                pictures = model.bench.sweep(layer).pictures(Edit.ablate([unit]), each.samples)
                strips[each.picture] = picture_rows(pictures)
                shown.append(each)
        return shown, strips
