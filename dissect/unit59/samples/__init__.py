"""Numbered samples: how they are drawn, what they are made of, what is kept of them."""
