"""Segmenters name the pixels of pictures; a recipe picks one, or a stack of several, by name."""

from unit59.segmenters.base import Concept, Segmenter, SegmenterError
from unit59.segmenters.registry import check_segmenter, known_segmenters, load_segmenter

__all__ = [
    "Concept",
    "Segmenter",
    "SegmenterError",
    "check_segmenter",
    "known_segmenters",
    "load_segmenter",
]
