"""What `mkdocs.yml` may say about the plugin."""

from __future__ import annotations

from mkdocs.config import config_options as c
from mkdocs.config.base import Config

from unit59.results.tables import STRIPS


class Unit59Config(Config):  # type: ignore[no-untyped-call]  # MkDocs leaves its hook untyped
    """The plugin's options. Paths are relative to `mkdocs.yml`."""

    results = c.Type(str, default="results")
    """The results folder, as `unit59 dissect` writes it. Example: `results: ../dissection/results`."""

    root = c.Type(str, default="")
    """Where in the site the pages go. Example: `root: dissection` puts the home page at `dissection/`."""

    models = c.ListOfItems(c.Type(str), default=[])
    """Show only these models. Example: `models: [faces]`. Default: all."""

    layers = c.ListOfItems(c.Type(str), default=[])
    """Show only layers of these names. Example: `layers: [layer2, layer3]`. Default: all."""

    strips = c.ListOfItems(c.Choice(STRIPS), default=list(STRIPS))
    """The pictures on unit pages. Example: `strips: [exemplars]` makes a site a third as large."""

    templates = c.Optional(c.Type(str))
    """A folder whose files go before those of site_templates/. Example: `templates: my_templates`."""

    nav = c.Optional(c.Type(bool))
    """Add Models, Concepts and Compare to the navigation. Default: only where `mkdocs.yml` has no `nav`."""

    look = c.Type(bool, default=False)
    """Style the whole site as Unit 59's own (colours, type, header). Default: keep the theme's look."""
