"""What everything stands on: errors, progress, pictures, files, sources, own code, random streams."""
