"""What is measured of a layer: thresholds, agreement with concepts and its null, exemplars, overlaps."""
