"""What `model.json` and `concepts.parquet` hold: what was dissected, how, with what."""

from __future__ import annotations

from typing import Any

from unit59.results.columns import ConceptName, PlaneName, Schema, column, table_row
from unit59.results.layers import LayerRecord
from unit59.results.record import SCHEMA_VERSION, Count, Line, Name, Record


@table_row
class ConceptRow:
    """A concept of the segmenter."""

    concept: int = column("number of the concept, from 1 on: the value that stands in a segmentation")
    label: ConceptName
    plane: PlaneName
    colour: str | None = column("its colour on the site, as #rrggbb")
    share: float | None = column(
        "what it takes of all pixels of its plane, over all samples", "share", "area"
    )
    presence: float | None = column("samples that show it at all", "share of samples", "shown in")


CONCEPTS = Schema(ConceptRow)


class CheckpointRecord(Record):
    """Where the weights came from."""

    file: str
    """The file, or the code that makes the network."""
    sha256: str
    """Of its content."""
    bytes: Count
    """Its size."""
    family: str
    """The kind of network."""
    source: str = ""
    """Where its authors publish it."""
    licence: str = ""
    """Licence of the weights."""
    terms: str = ""
    """Terms of the data it was trained on."""


class SegmenterRecord(Record):
    """What named the concepts."""

    names: list[str]
    """The segmenters, in order."""
    planes: list[str]
    """Their planes: in each, a place is at most one concept."""
    licence: str = ""
    """Licences of their weights."""
    limits: str = ""
    """What it cannot see, for the model's page."""


class ModelRecord(Record):
    """What was dissected, how, with what."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    name: Name
    """The model's name, which is its folder's."""
    title: Line
    """What the site calls the model."""
    summary: str = ""
    """A sentence about it, where the recipe has one."""
    family: str
    """The kind of network."""
    resolution: tuple[Count, Count]
    """Height and width of its pictures."""
    checkpoint: CheckpointRecord
    """Where the weights came from."""
    segmenter: SegmenterRecord
    """What named the concepts."""
    samples: Count
    """How many pictures everything is over."""
    overlap_samples: Count = 0
    """The first samples, on which mask overlaps were counted; 0: not said."""
    sampling: dict[str, str] = {}
    """How they were drawn: truncation, noise, class, mode of the network."""
    seed: int
    """Of everything that is drawn."""
    quantile: float | None
    """Share of a unit's values that lie in its mask; null: chosen for each unit and concept, by IQR."""
    grid: tuple[Count, Count]
    """Height and width of the compared grid."""
    tile: Count
    """Edge of one picture on the strips, in pixels."""
    sheet: tuple[Count, Count]
    """Rows and columns of pictures/samples.webp."""
    strip_rows: Count = 2
    """States on a strip: before, after."""
    network: list[dict[str, Any]]
    """Every layer of the network: name, units, height, width, path."""
    layers: list[LayerRecord]
    """The dissected layers, in forward order."""
    planned_layers: list[Name]
    """What the recipe asked for; more than `layers` after an interrupted run."""
    recipe: str
    """The recipe's text."""
    versions: dict[str, str]
    """Of the programs that measured."""
