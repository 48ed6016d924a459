"""Handles: what a unit is. A channel of a layer, a channel of its style, or a kind of one's own."""

from unit59.handles.base import Handle, HandleError
from unit59.handles.channels import Channel
from unit59.handles.styles import Style
from unit59.handles.units import Units, count_units, units_of

#: What a unit is unless a recipe says otherwise.
CHANNEL = Channel()

__all__ = ["CHANNEL", "Channel", "Handle", "HandleError", "Style", "Units", "count_units", "units_of"]
