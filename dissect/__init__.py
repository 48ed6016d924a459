"""The dissect stage: recipe and weights in, results out."""

__version__ = "0.1.0"
