"""A study of unit sets: what more and more units do to a concept, and the smallest set that erases it."""

from __future__ import annotations

from unit59.results.rows import StaircaseRow
from unit59.site.charts import sets_chart
from unit59.site.pages.finding_words import rate_words
from unit59.site.site import Page
from unit59.site.studies import SetStudy


def set_page(study: SetStudy) -> Page:
    """`studies/<model>-<name>/`: how many units does it take?"""
    record = study.record
    charts = [
        sets_chart(record.label, kind, study.rows("staircase.parquet", StaircaseRow, kind=kind))
        for kind in ("ablate", "insert")
    ]
    return Page(
        path=study.path,
        title=question(study),
        description=f"{study.model.title}: {answer(study)}",
        template="sets.html",
        context={
            "study": study,
            "record": record,
            "model": study.model,
            "concept": study.concept,
            "answer": answer(study),
            "charts": [chart for chart in charts if chart],
        },
        keywords=f"{record.label} {record.layer} {study.model.title}",
        files=study.files,
    )


def question(study: SetStudy) -> str:
    """What the page answers."""
    return f"How many units of {study.record.layer} carry {study.record.label}?"


def answer(study: SetStudy) -> str:
    """The smallest set that erases, in a sentence."""
    record = study.record
    if not record.orders:
        return f"Too rare to say: {record.shown_by} of {record.samples} samples show {record.label}."
    found = [each for each in record.smallest if each.units]
    if not found:
        return f"No set along any order makes {record.label} go."
    best = min(found, key=lambda each: len(each.units))
    size = len(best.units)
    most = "" if best.minimised else " at most"
    return (
        f"{size} of {record.units} units{most} {'is' if size == 1 else 'are'} enough: with "
        f"{'it' if size == 1 else 'them'} off, {record.label} disappears in {rate_words(best.erasure)}."
    )
