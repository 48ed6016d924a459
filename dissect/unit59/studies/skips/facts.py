"""What the study of skips hands from measuring to telling, beside its tables. Never imports torch."""

from __future__ import annotations

from typing import Literal

from unit59.results.record import Record
from unit59.stats.scores import Interval

#: Where a layer is silent -> what rows of pictures say.
WAYS = {"skip": "silent in the skip", "deeper": "silent for what lies deeper", "both": "silent in both"}

MIRRORED: Literal["mirrored"] = "mirrored"
OTHER_ENCODER: Literal["other encoder layer"] = "other encoder layer"
BEFORE: Literal["decoder layer before"] = "decoder layer before"
#: How a layer is related to the decoder layer that it is compared with: joined by a skip connection, not
#: joined, or also read by it and of the mirrored layer's size.
PairKind = Literal["mirrored", "other encoder layer", "decoder layer before"]


class SkipFacts(Record):
    """`facts.json` of the study."""

    mirrors: list[tuple[str, str]]  # layers of the encoder, and their mirrors
    compared: int  # samples whose masks were compared
    shifts: int  # of the null
    units: int  # of the decoder layers that have a mirror
    samples: list[int]  # that were edited
    shown: list[int]  # samples on the strip
    # Overlap above chance with the mirrored layer, less that with such layers.
    against: dict[PairKind, Interval]
    overlap_more: bool  # than with other encoder layers, beyond doubt
    best_is_mirror: int  # decoder layers of which no encoder layer overlaps more than the mirrored one
    correlation: dict[PairKind, float]  # of the concepts of two layers, mean over pairs of this kind
    suffer_from_skip: list[str] | None  # layers whose silence in the skip costs more outlines than for what
    suffer_from_deeper: list[str] | None  # lies deeper, and the other way round; None: nothing known is asked
