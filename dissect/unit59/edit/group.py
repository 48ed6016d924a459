"""One group of samples at one place of the network, without and with a change: what probes look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unit59.edit.edits import Edit, Levels, apply_edit
from unit59.edit.regions import region
from unit59.edit.tail import Tail
from unit59.networks import State
from unit59.samples.checks import checked_pass
from unit59.samples.shards import to_uint8


class Group:
    """Unedited samples, all in one batch.

    Args:
        tail: of the units that are edited.
        levels: what these can be set to.
        numbers: of the samples, one a row.
        seeds: of other noise inputs than the samples' own, one a row.
        state: theirs, where it is known.

    Attributes:
        notes: what changes and probes remember of this group while it lasts.
    """

    def __init__(
        self,
        tail: Tail,
        levels: Levels,
        numbers: tuple[int, ...],
        seeds: tuple[int, ...] | None = None,
        state: State | None = None,
    ) -> None:
        self.tail, self.levels, self.numbers, self.seeds = tail, levels, numbers, seeds
        self.state: State = tail.state(numbers, seeds) if state is None else state
        self.notes: dict[str, Any] = {}

    @cached_property
    def image(self) -> Tensor:
        """Pictures float [N,3,H,W]."""
        return self.tail.image(self.state)

    @cached_property
    def pictures(self) -> Tensor:
        """uint8 [N,H,W,3]."""
        return to_uint8(self.image)

    @cached_property
    def labels(self) -> Tensor:
        """Segmentations int64 [N,P,h,w]; strips of pictures do without."""
        return self.segment(self.image)

    @cached_property
    def values(self) -> Tensor:
        """Of the units, [N,U,a,b]."""
        with checked_pass("the handle", self.numbers):
            return self.tail.read(self.state)

    def segment(self, image: Tensor) -> Tensor:
        """Segmentations int64 [N,P,h,w] of pictures."""
        return self.tail.cache.segment(image).to(image.device).long()

    def with_edit(self, edit: Edit) -> Tensor:
        """Pictures float [N,3,H,W] with an edit; the unedited ones where it changes nothing."""
        changed = self.edited(edit)
        return self.image if changed is None else self.tail.image(changed)

    def edited(self, edit: Edit) -> State | None:
        """The state with an edit; None where it changes nothing."""
        changed = self.values_with(edit)
        if changed is self.values:
            return None
        with checked_pass("the handle", self.numbers):
            return self.tail.write(self.state, self.values, changed)

    def values_with(self, edit: Edit) -> Tensor:
        """The units' values with an edit; the very same tensor where it edits nothing."""
        return apply_edit(self.values, edit, self.levels, self._mask(edit))

    def moved(self, edit: Edit) -> list[int]:
        """The rows in which an edit changes a bit of the edited units."""
        units = list(edit.units)
        old, new = (values[:, units].view(torch.int32) for values in (self.values, self.values_with(edit)))
        return torch.nonzero((old != new).flatten(1).any(dim=1)).flatten().tolist()

    def _mask(self, edit: Edit) -> Tensor | None:
        """Where an edit works, on the units' maps."""
        if edit.where is None:
            return None
        x, margin = self.values, self.tail.units.layer.margin
        size = int(x.shape[2]) - 2 * margin, int(x.shape[3]) - 2 * margin
        mask = region(edit.where, size, self.labels, self.tail.cache.segmenter)
        assert mask is not None  # noqa: S101  # there is a place
        # What lies beyond the picture's border goes with the border.
        return F.pad(mask.float(), [margin] * 4, mode="replicate").bool().to(x.device)


@dataclass(frozen=True)
class Pass:
    """Pictures that one pass made, of one change or of several.

    Attributes:
        group: of the samples that are changed.
        image: float [M,3,H,W].
    """

    group: Group
    image: Tensor

    @cached_property
    def labels(self) -> Tensor:
        """Segmentations int64 [M,P,h,w]."""
        return self.group.segment(self.image)


@dataclass(frozen=True)
class Share:
    """A change's part of a pass; its other rows are as before.

    Attributes:
        of: the pass.
        rows: of the group, each with its row of the pass.
    """

    of: Pass
    rows: Mapping[int, int]

    def among(self, before: Tensor, made: Tensor) -> Tensor:
        """What the pass made for these rows, among what the others were before."""
        found = before.clone()
        found[list(self.rows)] = made[list(self.rows.values())]
        return found


@dataclass(frozen=True)
class Seen:
    """A group's pictures without and with a change.

    Attributes:
        group: of samples.
        before: float [N,3,H,W].
        after: float [N,3,H,W].
        share: what made them, where several changes shared a pass.
    """

    group: Group
    before: Tensor
    after: Tensor
    share: Share | None = None

    @cached_property
    def unchanged(self) -> bool:
        """Whether the change shows nowhere."""
        return self.after is self.before or bool((self.after == self.before).all())

    @cached_property
    def difference(self) -> Tensor:
        """Absolute difference in levels of 0..255, summed over colours: int64 [N,H,W]."""
        first = self.group.pictures if self.before is self.group.image else to_uint8(self.before)
        return (self.pictures.short() - first.short()).abs().sum(dim=3).long()

    @cached_property
    def pictures(self) -> Tensor:
        """With the change, uint8 [N,H,W,3]."""
        return to_uint8(self.after)

    @cached_property
    def labels(self) -> Tensor:
        """Segmentations with the change, int64 [N,P,h,w]; not made again where nothing changed."""
        if self.unchanged and self.before is self.group.image:
            return self.group.labels
        if self.share is not None:
            return self.share.among(self.group.labels, self.share.of.labels)
        return self.group.segment(self.after)
