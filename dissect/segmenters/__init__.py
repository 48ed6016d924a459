"""Segmenters name the pixels of pictures; a recipe picks one, or a stack of several, by name."""

from dissect.segmenters.base import Concept, Segmenter, SegmenterError
from dissect.segmenters.registry import check_segmenter, known_segmenters, load_segmenter

__all__ = [
    "Concept",
    "Segmenter",
    "SegmenterError",
    "check_segmenter",
    "known_segmenters",
    "load_segmenter",
]
