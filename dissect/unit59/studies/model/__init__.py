"""The model itself: what was dissected, its concepts, a sheet of its samples."""
