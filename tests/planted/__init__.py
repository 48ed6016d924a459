"""A network of which the truth is known, and the segmenter of its pictures."""
