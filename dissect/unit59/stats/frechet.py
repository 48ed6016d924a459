"""The Fréchet distance between two samples, each taken as normally distributed."""

from __future__ import annotations

import numpy as np

from unit59.foundation.arrays import Numbers


def frechet(first: Numbers, second: Numbers) -> float:
    """Fréchet distance between the normal distributions with the samples' means and covariances.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson and Landau 1982). The trace of the root is the sum of
    the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric.

    Args:
        first: [N,C], N >= 2.
        second: [M,C].
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ two @ root)
    distance = means @ means + np.trace(one) + np.trace(two) - 2 * np.sqrt(mixed.clip(0)).sum()
    return float(max(distance, 0.0))
