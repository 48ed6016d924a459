"""Interventions: units switched off or on, and what that does to the picture."""
