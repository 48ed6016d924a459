"""The page of units without maps: what each of them does."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.site.pages.handles import edits_of
from unit59.site.site import Page
from unit59.site.views import HandleView, UnitView
from unit59.site.views.effects import Summary


@dataclass(frozen=True)
class HandleRow:
    """What one edit of one unit does most."""

    number: int
    unit: UnitView | None  # the channel that it belongs to
    edit: str
    does: Summary


def handle_page(view: HandleView) -> Page:
    """`models/<model>/<layer>.<handle>/`."""
    record, words = view.effects.record, edits_of(view.title)
    beside = next((layer for layer in view.model.layers if layer.name == view.beside), None)
    rows = [
        HandleRow(number, beside.by_number.get(number) if beside else None, words[kind], does)
        for kind in record.kinds
        for number, does in view.effects.summaries.get(kind, {}).items()
    ]
    rows.sort(key=lambda row: (row.does.concept is None, -abs(row.does.value), row.number))
    found = {row.number for row in rows if row.does.concept}
    return Page(
        path=view.path,
        title=f"{view.name} · {view.model.title}",
        description=(
            f"{len(found)} of the {record.ranking.units} {view.title} units of {view.name} in "
            f"{view.model.title} change the share of some concept."
        ),
        template="handle.html",
        context={
            "handle": view,
            "model": view.model,
            "record": record,
            "beside": beside,
            "rows": rows,
            "found": len(found),
        },
        files=view.files,
    )
