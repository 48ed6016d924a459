"""What a unit is: a channel of a layer, a style."""
