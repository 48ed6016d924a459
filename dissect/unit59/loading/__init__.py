"""What a recipe names, loaded: network, sampling, layers, inputs, segmenter.

What is wrong is said with the recipe's file, line and field.
"""

from unit59.loading.layers import open_handles, wanted_layers
from unit59.loading.networks import checked_device, load_network, open_sampling
from unit59.loading.samples import check_names, open_inputs, open_real, open_segmenter, segmenter_names

__all__ = [
    "check_names",
    "checked_device",
    "load_network",
    "open_handles",
    "open_inputs",
    "open_real",
    "open_sampling",
    "open_segmenter",
    "segmenter_names",
    "wanted_layers",
]
