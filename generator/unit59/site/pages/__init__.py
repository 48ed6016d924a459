"""Results to pages: one module a page kind, with what its template gets. Pure: nothing is written."""

from __future__ import annotations

from collections.abc import Iterator

from unit59.site.pages import (
    compare,
    concept,
    finding,
    handle,
    home,
    layer,
    model,
    models_compared,
    report,
    sets,
    studies,
)
from unit59.site.pages.unit import unit_pages
from unit59.site.site import Page, Site

__all__ = ["all_pages", "site_pages", "unit_pages"]


def all_pages(site: Site) -> Iterator[Page]:
    """Every page, those of units last."""
    yield from site_pages(site)
    for view in site.layers:
        yield from unit_pages(site, view)


def site_pages(site: Site) -> Iterator[Page]:
    """All pages but those of units. A new page kind is one more line here and one module beside this."""
    yield home.home_page(site)
    if site.findings:
        yield finding.findings_page(site)
        yield from (finding.finding_page(view) for view in site.findings)
    yield model.models_page(site)
    yield from (model.model_page(site, view) for view in site.models)
    yield from (layer.layer_page(site, view) for view in site.layers)
    yield from (handle.handle_page(view) for each in site.models for view in each.handles)
    yield concept.concepts_page(site)
    yield from (concept.concept_page(site, view) for view in site.concepts)
    if site.has_studies:
        yield studies.studies_page(site)
        if len(site.compared) > 1:
            yield models_compared.models_compared_page(site)
        yield from (sets.set_page(view) for view in site.set_studies)
        yield from (report.report_page(site, view) for view in site.studies.reports)
    yield compare.compare_page(site)
