"""What every unit of a layer agrees with, and what chance alone would give."""
