"""Heads of tables: their words, and what the schema says of the column as a tool tip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from markupsafe import Markup
from pydantic import BaseModel

from unit59.results.effects_record import Ranking
from unit59.results.layers import LayerRecord, NullSummary
from unit59.results.model import ModelRecord
from unit59.results.quality import QualityRecord
from unit59.results.report import Described
from unit59.results.schema import TABLES
from unit59.results.search_record import LayerSearch, Rule, SearchRecord
from unit59.results.sets_record import Smallest

_RECORDS: tuple[type[BaseModel], ...] = (
    LayerRecord,
    LayerSearch,
    ModelRecord,
    NullSummary,
    QualityRecord,
    Ranking,
    Rule,
    SearchRecord,
    Smallest,
)
_FIELDS = {kind.__name__: kind.model_fields for kind in _RECORDS}


@dataclass(frozen=True)
class Head:
    """The head of a column; a template that shows it gets its HTML.

    Attributes:
        words: its heading.
        said: what the column holds; empty: the words say it all.
    """

    words: str
    said: str = ""

    @cached_property
    def _html(self) -> Markup:
        """Made once: every unit's page has the same heads."""
        title = Markup(' title="{}"').format(self.said) if self.said else ""
        return Markup('<th scope="col"{}>{}</th>').format(title, self.words)

    def __html__(self) -> str:
        return self._html


@lru_cache
def head(column: str, words: str = "", more: str = "") -> Head:
    """The head of a column that the schema knows.

    >>> head("similar.rank", "place").said
    '1 for the unit whose mask overlaps most, 2 for the next …'
    >>> head("LayerRecord.above_null", "above", ", of all").said
    "Units with IoU >= 0.05 and above their null's 99 %, of all"

    Args:
        column: `table.column` of the results, or `Record.field` of a JSON file.
        words: its heading; without any, the schema's.
        more: what the page adds to the schema's words.

    Raises:
        KeyError: there is no such column.
    """
    table, _, name = column.partition(".")
    if table in _FIELDS:
        said = _FIELDS[table][name].description or ""
        return Head(words or name.replace("_", " "), f"{said.removesuffix('.')}{more}")
    found = TABLES[f"{table}.parquet"].columns[name]
    said = found.said.removeprefix("lower end of ")  # one cell shows both ends of an interval
    return Head(words or found.heading, f"{said}{more}")


def heads(table: str, **words: str) -> list[Head]:
    """The heads of several columns of a table or record, by name with their words; see `head`."""
    return [head(f"{table}.{name}", each) for name, each in words.items()]


def described_head(column: Described) -> Head:
    """The head of a column of a study's table; its cells hold the interval, too."""
    return Head(column.heading, column.meaning + ", with its 95 % interval" * bool(column.low))
