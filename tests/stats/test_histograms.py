"""Histograms of scores."""

from __future__ import annotations

import numpy as np

from unit59.stats.histograms import BINS, score_histogram


def test_a_bin_holds_its_lower_edge_and_the_last_one_both() -> None:
    edges = np.array([round(i / BINS, 2) for i in range(BINS)])
    assert score_histogram(edges) == [1] * BINS
    assert score_histogram(np.array([[0.999, 1.0], [0.0, 0.0099]])) == [2, *[0] * (BINS - 2), 2]
