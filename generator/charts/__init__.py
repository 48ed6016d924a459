"""The site's charts, one module a subject."""

from generator.charts.base import Chart
from generator.charts.layers import count_concepts, iou_distribution, layers_chart, units_per_concept
from generator.charts.units import activation_chart, agreement_chart, concept_units_chart

__all__ = [
    "Chart",
    "activation_chart",
    "agreement_chart",
    "concept_units_chart",
    "count_concepts",
    "iou_distribution",
    "layers_chart",
    "units_per_concept",
]
