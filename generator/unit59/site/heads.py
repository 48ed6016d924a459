"""Heads of tables: their words, and what the schema says of the column as a tool tip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup
from pydantic import BaseModel

from unit59.results.layers import LayerRecord, NullSummary
from unit59.results.model import ModelRecord
from unit59.results.quality import QualityRecord
from unit59.results.report import Described
from unit59.results.schema import TABLES
from unit59.results.search_record import LayerSearch, Rule
from unit59.results.sets_record import Smallest

_RECORDS: dict[str, type[BaseModel]] = {
    kind.__name__: kind
    for kind in (LayerRecord, LayerSearch, ModelRecord, NullSummary, QualityRecord, Rule, Smallest)
}


@dataclass(frozen=True)
class Head:
    """The head of a column; a template that shows it gets its HTML.

    Attributes:
        words: its heading.
        said: what the column holds; empty: the words say it all.
    """

    words: str
    said: str = ""

    def __html__(self) -> str:
        title = Markup(' title="{}"').format(self.said) if self.said else ""
        return Markup('<th scope="col"{}>{}</th>').format(title, self.words)


@lru_cache
def head(column: str, words: str = "", more: str = "") -> Head:
    """The head of a column that the schema knows.

    >>> head("similar.rank", "place").said
    '1 for the unit whose mask overlaps most, 2 for the next …'
    >>> head("LayerRecord.above_null", "above", ", of all").said
    "Of those, units above their null's 99 %, of all"

    Args:
        column: `table.column` of the results, or `Record.field` of a JSON file.
        words: its heading; without any, the schema's.
        more: what the page adds to the schema's words.

    Raises:
        KeyError: there is no such column.
    """
    table, _, name = column.partition(".")
    if table in _RECORDS:
        said = _RECORDS[table].model_fields[name].description or ""
        return Head(words or name.replace("_", " "), f"{said.removesuffix('.')}{more}")
    found = TABLES[f"{table}.parquet"].columns[name]
    said = found.said.removeprefix("lower end of ")  # one cell shows both ends of an interval
    return Head(words or found.heading, f"{said}{more}")


def described_head(column: Described) -> Head:
    """The head of a column of a study's table; its cells hold the interval, too."""
    return Head(column.heading, column.meaning + ", with its 95 % interval" * bool(column.low))
