"""Unit sets: what more and more units do to a concept."""
