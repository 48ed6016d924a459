"""The search for the one unit that causes a concept."""
