"""Results as the pages see them: models, layers, units and concepts that know their address."""

from unit59.site.views.concepts import SPARE_COLOURS, ConceptView
from unit59.site.views.handles import HandleView
from unit59.site.views.layers import LayerView
from unit59.site.views.models import ModelView, view_models
from unit59.site.views.units import ConceptAgreement, UnitView, take_turns

__all__ = [
    "SPARE_COLOURS",
    "ConceptAgreement",
    "ConceptView",
    "HandleView",
    "LayerView",
    "ModelView",
    "UnitView",
    "take_turns",
    "view_models",
]
