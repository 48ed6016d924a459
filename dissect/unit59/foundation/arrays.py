"""Short names for the arrays that most modules compute with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Singles = NDArray[np.float32]
Counts = NDArray[np.int64]
