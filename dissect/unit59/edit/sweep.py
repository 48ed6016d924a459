"""The bench: edits of one layer, carried out on numbered samples and counted.

What is kept of a picture is pixel counts and sums of integers, so that sums over samples do not depend on
their order. Everything that ran is kept in the cache by the hash of what it depends on: the same question is
never answered twice, and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import Edit, Levels, apply_edit, region
from unit59.edit.tail import Tail, groups
from unit59.foundation.files import file_name, sha256_of, write_atomically
from unit59.handles.styles import StyleEdit, Styles, apply_style, read_style, usual_styles, with_style
from unit59.networks import State
from unit59.samples.cache import SampleCache, key_of, to_uint8

#: Raised when what is counted changes, so that no old count is taken for a new one.
VERSION = 1
#: Edits whose counts stand in one file.
BLOCK = 32

AnyEdit = Edit | StyleEdit


@dataclass(frozen=True)
class Plain:
    """Unedited samples: n of them, C concepts.

    Attributes:
        numbers: the samples.
        counts: int64 [n,C], pixels of each concept on the compared grid.
        pixels: of the grid.
    """

    numbers: list[int]
    counts: NDArray[np.int64]
    pixels: int


@dataclass(frozen=True)
class Outcome:
    """What E edits did to n samples, C concepts.

    Attributes:
        counts: int64 [E,n,C], pixels of each concept after the edit.
        change: int64 [E,n], sum over the picture's pixels and colours of the absolute difference in levels
            of 0..255.
        inside: int64 [E,n,C], the part of `change` in the region where the concept was or came.
        region: int64 [E,n,C], pixels of that region, on the picture.
        picture: pixels of a picture.
    """

    counts: NDArray[np.int64]
    change: NDArray[np.int64]
    inside: NDArray[np.int64]
    region: NDArray[np.int64]
    picture: int

    @property
    def side(self) -> NDArray[np.float64]:
        """Side effect [E,n,C]: mean absolute change, 0..255, outside the concept's region."""
        outside = self.picture - self.region
        return np.where(
            outside > 0, (self.change[:, :, None] - self.inside) / (3 * np.maximum(outside, 1)), 0.0
        )

    @property
    def mean_change(self) -> NDArray[np.float64]:
        """Mean absolute change of each whole picture, [E,n], 0..255."""
        return self.change / (3 * self.picture)


@dataclass(frozen=True)
class _Group:
    """One group of unedited samples, as far as edits need it."""

    state: State
    image: Tensor  # float [N,3,H,W]
    segment: Callable[[Tensor], Tensor]

    @cached_property
    def levels(self) -> Tensor:
        """uint8 [N,H,W,3]."""
        return to_uint8(self.image)

    @cached_property
    def labels(self) -> Tensor:
        """int64 [N,P,h,w]; strips of pictures do without."""
        return self.segment(self.image).cpu().long()


class Bench:
    """One layer's edits, on samples from the cache.

    Args:
        cache: filled.
        layer: which is edited.
        levels: what its units can be set to.
        key: hash of what samples, segmentations and levels depend on.
    """

    def __init__(self, cache: SampleCache, layer: str, levels: Levels, key: str) -> None:
        self.cache, self.layer, self.levels = cache, layer, levels
        self.concepts = len(cache.segmenter.concepts)
        self.units = cache.sampler.network.layers[layer].units
        self._tail = Tail(cache, layer)
        self._key = key_of(version=VERSION, key=key, layer=layer)
        self._folder = cache.folder / "edits" / f"{file_name(layer)}-{self._key}"
        self._group = lru_cache(maxsize=2)(self._make_group)
        self._entry = lru_cache(maxsize=2)(self._tail.entry)

    # ---- pictures

    @torch.no_grad()
    def pictures(self, edit: AnyEdit, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pictures float [n,3,H,W] of the samples without and with the edit, from the same tail."""
        before, after = [], []
        for group, count in groups(numbers):
            before.append(self._group(tuple(group)).image[:count])
            after.append(self._after(tuple(group), edit)[:count])
        return torch.cat(before), torch.cat(after)

    @torch.no_grad()
    def labels(self, edit: AnyEdit | None, numbers: Sequence[int]) -> Tensor:
        """Segmentations [n,P,h,w] of the samples, unedited or edited."""
        found = []
        for group, count in groups(numbers):
            plain = self._group(tuple(group))
            found.append((plain.labels if edit is None else self._segmented(tuple(group), edit)[1])[:count])
        return torch.cat(found)

    @torch.no_grad()
    def seen(self, edit: AnyEdit, group: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One full group of samples (see `groups`) without and with the edit, from one pass of the tail.

        Returns:
            Pictures uint8 [N,H,W,3] without and with it, segmentations [N,P,h,w] without and with it.
        """
        plain = self._group(tuple(group))
        image, labels = self._segmented(tuple(group), edit)
        return plain.levels, to_uint8(image), plain.labels, labels

    # ---- counts

    @torch.no_grad()
    def plain(self, numbers: Sequence[int]) -> Plain:
        """The unedited samples' counts."""
        counts = []
        for group, count in groups(numbers):
            path = self._folder / f"plain-{key_of(group=group)}.npz"
            known = _remember(path, partial(self._count_plain, tuple(group)))
            counts.append(known["counts"][:count].astype(np.int64))
        height, width = self.cache.grid
        return Plain([int(n) for n in numbers], np.concatenate(counts), height * width)

    def run(self, edit: AnyEdit, numbers: Sequence[int]) -> Outcome:
        """What one edit does; E is 1."""
        return self.sweep([edit], numbers)

    def sweep(
        self, edits: Sequence[AnyEdit], numbers: Sequence[int], advance: Callable[[int], None] | None = None
    ) -> Outcome:
        """What many edits do, all at once in memory; see `sweep_blocks`."""
        found = [outcome for _, outcome in self.sweep_blocks(edits, numbers, advance)]
        return Outcome(
            **{
                name: np.concatenate([getattr(each, name) for each in found])
                for name in ("counts", "change", "inside", "region")
            },
            picture=found[0].picture,
        )

    @torch.no_grad()
    def sweep_blocks(
        self, edits: Sequence[AnyEdit], numbers: Sequence[int], advance: Callable[[int], None] | None = None
    ) -> Iterator[tuple[slice, Outcome]]:
        """What many edits do, a block of at most `BLOCK` edits at a time.

        Args:
            edits: each is carried out on every sample.
            numbers: the samples.
            advance: is told how many (edit, sample) pairs are done.

        Yields:
            Which edits, and what they did.
        """
        blocks = [slice(i, min(i + BLOCK, len(edits))) for i in range(0, len(edits), BLOCK)]
        # Groups outside, blocks inside: a group's state is made once and serves all edits.
        for group, count in groups(numbers):
            for block in blocks:
                self._chunk(edits[block], group)
                if advance:
                    advance((block.stop - block.start) * count)
        height, width = self.cache.sampler.network.resolution
        for block in blocks:
            parts = [
                {name: values[:, :count] for name, values in self._chunk(edits[block], group).items()}
                for group, count in groups(numbers)
            ]
            joined = {
                name: np.concatenate([part[name] for part in parts], axis=1).astype(np.int64)
                for name in parts[0]
            }
            yield block, Outcome(**joined, picture=height * width)

    def _chunk(self, edits: Sequence[AnyEdit], group: list[int]) -> dict[str, NDArray[Any]]:
        said = [_said(edit) for edit in edits]
        return _remember(
            self._folder / f"{key_of(edits=said, group=group)}.npz",
            partial(self._count_chunk, edits, tuple(group)),
        )

    def _count_plain(self, group: tuple[int, ...]) -> dict[str, Any]:
        return {"counts": self._counts(self._group(group).labels)}

    def _count_chunk(self, edits: Sequence[AnyEdit], group: tuple[int, ...]) -> dict[str, Any]:
        rows = [self._count(edit, group) for edit in edits]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def _count(self, edit: AnyEdit, group: tuple[int, ...]) -> dict[str, Any]:
        plain = self._group(group)
        image, labels = self._segmented(group, edit)
        difference = (to_uint8(image).to(torch.int16) - plain.levels.to(torch.int16)).abs().sum(dim=3).long()
        inside, pixels = _inside(difference, plain.labels, labels, self.concepts)
        return {
            "counts": self._counts(labels),
            "change": difference.sum(dim=(1, 2)).numpy(),
            "inside": inside,
            "region": pixels,
        }

    def _counts(self, labels: Tensor) -> NDArray[np.int32]:
        return _tally(labels, None, self.concepts).numpy().astype(np.int32)

    # ---- the parts

    def _make_group(self, numbers: tuple[int, ...]) -> _Group:
        state = self._tail.state(numbers)
        image = self._tail.image(state)
        return _Group(state, image, self.cache.segment)

    def _segmented(self, group: tuple[int, ...], edit: AnyEdit) -> tuple[Tensor, Tensor]:
        """The edited pictures and their segmentations; not segmented again when nothing changed."""
        plain, image = self._group(group), self._after(group, edit)
        if torch.equal(image, plain.image):
            return image, plain.labels
        return image, self.cache.segment(image).cpu().long()

    def _after(self, group: tuple[int, ...], edit: AnyEdit) -> Tensor:
        if isinstance(edit, StyleEdit):
            return self._after_style(group, edit)
        plain = self._group(group)
        x = plain.state["x"]
        margin = self.cache.sampler.network.layers[self.layer].margin
        size = int(x.shape[2]) - 2 * margin, int(x.shape[3]) - 2 * margin
        mask = region(edit.where, size, plain.labels, self.cache.segmenter) if edit.where else None
        if mask is not None:
            # What lies beyond the picture's border goes with the border.
            mask = F.pad(mask.float(), [margin] * 4, mode="replicate").bool().to(x.device)
        changed = apply_edit(x, edit, self.levels, mask)
        return plain.image if changed is x else self._tail.image({**plain.state, "x": changed})

    def _after_style(self, group: tuple[int, ...], edit: StyleEdit) -> Tensor:
        network, state = self.cache.sampler.network, self._entry(group)
        style = read_style(network, self.layer, state)
        changed = apply_style(style, edit, self._usual_styles)
        if changed is style:
            return self._group(group).image
        return self._tail.image_of_entry(with_style(network, self.layer, state, changed))

    @cached_property
    def _usual_styles(self) -> Styles:
        return usual_styles(self.cache.sampler, self.layer, self.cache.samples)


def _said(edit: AnyEdit) -> str:
    """All that an edit depends on: what it says, and the content of its mask."""
    where = edit.where if isinstance(edit, Edit) else None
    mask = sha256_of(where.mask) if where and where.mask and where.mask.is_file() else ""
    return f"{type(edit).__name__}{edit.model_dump_json()}{mask}"


def _inside(
    difference: Tensor, before: Tensor, after: Tensor, concepts: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Per sample and concept: the difference in the region where the concept was or came, and its pixels.

    Args:
        difference: int64 [N,H,W].
        before: segmentations int64 [N,P,h,w].
        after: segmentations int64 [N,P,h,w].
        concepts: how many.
    """
    size = int(difference.shape[1]), int(difference.shape[2])
    before, after = _resized(before, size), _resized(after, size)
    both = torch.where(before == after, before, 0)
    sums = [_tally(labels, difference, concepts) for labels in (before, after, both)]
    pixels = [_tally(labels, None, concepts) for labels in (before, after, both)]
    inside: NDArray[np.int64] = (sums[0] + sums[1] - sums[2]).numpy()
    return inside, (pixels[0] + pixels[1] - pixels[2]).numpy().astype(np.int32)


def _tally(labels: Tensor, weights: Tensor | None, concepts: int) -> Tensor:
    """Per sample and concept the pixels, or the sum of the weights [N,H,W] there: int64 [N,C]."""
    count = len(labels)
    places = labels.flatten(2) + (concepts + 1) * torch.arange(count)[:, None, None]
    given = None
    if weights is not None:
        # Sums of integers below 2^53 are exact in double precision.
        given = weights.flatten(1)[:, None].expand(places.shape).reshape(-1).double()
    found = torch.bincount(places.reshape(-1), given, minlength=count * (concepts + 1))
    return found.view(count, concepts + 1)[:, 1:].long()


def _resized(labels: Tensor, size: tuple[int, int]) -> Tensor:
    if (labels.shape[2], labels.shape[3]) == size:
        return labels
    return F.interpolate(labels.double(), size=size, mode="nearest-exact").long()


def _remember(path: Path, compute: Callable[[], dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """What is kept at `path`, else what `compute` gives now."""
    known = _load(path)
    if known is None:
        known = compute()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **known)
        write_atomically(path, buffer.getvalue())
    return known


def _load(path: Path) -> dict[str, NDArray[Any]] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # missing or damaged: counted again
