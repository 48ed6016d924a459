"""The site's charts, one module a subject."""

from unit59.site.charts.base import Chart
from unit59.site.charts.effects import ConceptEffect, effects_chart
from unit59.site.charts.layers import count_concepts, iou_distribution, layers_chart, units_per_concept
from unit59.site.charts.models import models_chart
from unit59.site.charts.quality import presence_chart
from unit59.site.charts.report import report_chart
from unit59.site.charts.scatter import (
    ConceptInLayer,
    concept_effects_chart,
    label_effects_chart,
    largest_effects_chart,
)
from unit59.site.charts.search import alone_chart, cases_chart, staircase_chart
from unit59.site.charts.sets import sets_chart
from unit59.site.charts.units import activation_chart, agreement_chart, concept_units_chart

__all__ = [
    "Chart",
    "ConceptEffect",
    "ConceptInLayer",
    "activation_chart",
    "agreement_chart",
    "alone_chart",
    "cases_chart",
    "concept_effects_chart",
    "concept_units_chart",
    "count_concepts",
    "effects_chart",
    "iou_distribution",
    "label_effects_chart",
    "largest_effects_chart",
    "layers_chart",
    "models_chart",
    "presence_chart",
    "report_chart",
    "sets_chart",
    "staircase_chart",
    "units_per_concept",
]
