"""Edits: units switched off or on, the network's tail run again, and what that does to the picture."""
