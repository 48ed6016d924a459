"""The pages' look: Jinja templates and assets, each overridable by a file of the same name."""
