"""The bundled world: drawn bedrooms with exact label maps."""
