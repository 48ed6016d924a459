"""What a GPU gives, against the processor: real where one is, pretended where none is."""
