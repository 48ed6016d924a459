"""Handles: what a unit is. A channel of a layer, a channel of its style, or a kind of one's own."""

from unit59.handles.base import Handle, HandleError, Units, units_of
from unit59.handles.channels import Channel
from unit59.handles.styles import Style

#: What a unit is unless a recipe says otherwise.
CHANNEL = Channel()

__all__ = ["CHANNEL", "Channel", "Handle", "HandleError", "Style", "Units", "units_of"]
