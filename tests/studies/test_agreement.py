"""Agreement against effect: verdicts of known numbers, and the report from its tables alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests import tiny
from tests.studies.telling import tables_of, told_without_torch, written_report
from unit59.studies.agreement.measure import AgreementVsEffect, compared
from unit59.studies.agreement.numbers import AgreementFacts
from unit59.studies.agreement.tell import tell
from unit59.studies.tables import Tables

STUDY = "effects: {samples: 8, extra: 0}\nstudies: [agreement-vs-effect]"


def planted(slope: float, units: int = 40) -> Tables:
    """Units of one layer that each were measured on their label only."""
    rng = np.random.default_rng(2)
    iou = rng.uniform(0, 0.4, units)
    control = slope * iou + rng.normal(0, 0.1, units)
    rows: dict[str, Any] = {"layer": ["a"] * units, "unit": list(range(units)), "kind": ["ablate"] * units}
    rows |= {"concept": [1] * units, "label": ["bed"] * units, "plane": ["object"] * units, "iou": iou}
    rows |= {"control": control, "effect": -control, "low": -control - 0.01, "high": 0.01 - control}
    rows |= {"q": [0.001] * units, "found": control > 0, "beyond": control > 0.1}
    rows |= {"before": [0.2] * units, "shown": [8] * units}
    known = {"layer": ["a"] * units, "unit": list(range(units)), "label_concept": [1] * units}
    known |= {"own_label": ["bed"] * units, "agrees": iou > 0.2}
    return compared(pl.DataFrame(rows), pl.DataFrame(known), 0)


@pytest.mark.parametrize(
    ("slope", "verdict", "said"),
    [
        (2.0, "with", "Yes, strongly: units that agree better"),
        (0.5, "with", "Yes, moderately: "),
        (0.0, "open", "No evidence that it does: "),
        (-2.0, "against", "No: units that agree better"),
    ],
)
def test_the_verdict_is_that_of_the_correlation(slope: float, verdict: str, said: str) -> None:
    tables = planted(slope)
    assert AgreementFacts.model_validate(tables.facts).verdict == verdict
    report = tell(tables)
    assert report.answer.startswith(said)
    assert report.number is not None
    assert report.number.value == tables.frames["correlations.parquet"]["rho"][0]


def test_too_few_units_have_no_verdict() -> None:
    report = tell(planted(1.0, 3))
    assert report.answer.startswith("It cannot be said: 3 measured units are too few")
    assert report.number is None


def test_hits_are_counted_among_those_that_agree_and_the_others() -> None:
    tables = planted(0.5)
    rows, facts = tables.frames["units.parquet"], AgreementFacts.model_validate(tables.facts)
    for agrees, hits in ((True, facts.agreeing), (False, facts.others)):
        mine = rows.filter(pl.col("agrees") == agrees)
        assert (hits.units, hits.hits) == (len(mine), int(mine["found"].sum()))
        assert hits.rate.value == pytest.approx(hits.hits / hits.units)


def test_without_effects_nothing_is_said() -> None:
    assert "Nothing was measured" in tell(Tables()).answer


def test_it_is_told_from_its_tables_alone(tmp_path: Path) -> None:
    tables, folder = tables_of(AgreementVsEffect, lambda: tiny.run(tmp_path, samples=16, more=STUDY))
    told = told_without_torch("unit59.studies.agreement.tell", tables, tmp_path)
    assert told == written_report(folder / "studies/agreement-vs-effect")
