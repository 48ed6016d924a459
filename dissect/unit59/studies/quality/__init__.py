"""Samples beside real pictures."""
