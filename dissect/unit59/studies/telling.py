"""What was measured, told: every part's record from its tables. Never imports torch, and measures nothing.

A results folder is a stranger's: it says which study a report is of, and only studies of this package are
looked up by that. One's own are told where a recipe names them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import file_name
from unit59.recipe.sections import Recipe, SearchSection
from unit59.results import EffectsRecord, to_json
from unit59.results.columns import Schema
from unit59.results.places import home_of
from unit59.results.report import Columns, ReportRecord, report_faults
from unit59.studies.cause.tell import tell as tell_search
from unit59.studies.model.tell import layers_of, words_of
from unit59.studies.model.tell import tell as tell_model
from unit59.studies.quality.tell import tell as tell_quality
from unit59.studies.sets.tell import tell as tell_sets
from unit59.studies.stored import Stored
from unit59.studies.tables import Report, Tables


@dataclass(frozen=True)
class Teller:
    """How a study is told.

    Attributes:
        tell: see `unit59.studies.base.Study.tell`.
        schemas: what the columns of its tables hold, by file name.
    """

    tell: Callable[[Tables], Report]
    schemas: Mapping[str, Schema] = field(default_factory=dict)


#: Name of a study in a recipe -> its room, with modules `measure`, `tables` and `tell`, and its class.
STUDIES: Mapping[str, tuple[str, str]] = {
    "agreement-vs-effect": ("unit59.studies.agreement", "AgreementVsEffect"),
    "artifacts": ("unit59.studies.artifacts", "Artifacts"),
    "noise": ("unit59.studies.noise", "Noise"),
    "outlines": ("unit59.studies.outlines", "Outlines"),
    "skips": ("unit59.studies.skips", "Skips"),
    "textures": ("unit59.studies.textures", "Textures"),
}


class TellError(Unit59Error):
    """Tables that cannot be told, or a report that shows what it does not have."""


@dataclass(frozen=True)
class Words:
    """What parts are told with, besides what was measured.

    Attributes:
        recipe: its titles and claims.
        text: the recipe's, whole.
        own: by kind and name, how studies are told that a recipe names.
    """

    recipe: Recipe
    text: str = ""
    own: Mapping[tuple[str, str], Teller] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """How parts of a kind are told.

    Attributes:
        file: of the record, in the part's folder.
        tell: makes it of the part's tables, the recipe's words and, where it gathers several, of other parts;
            None for a study of one's own that nobody here can tell.
    """

    file: str
    tell: Callable[[Tables, Words, Stored], BaseModel | None]


def _model(tables: Tables, words: Words, others: Stored) -> BaseModel:
    layers = [others.facts(part) for part in layers_of(tables.facts) if part in others]
    return tell_model(tables.facts, layers, words_of(words.recipe, words.text))


def _search(tables: Tables, words: Words, others: Stored) -> BaseModel:
    name = tables.facts.get("name")
    return tell_search(tables, next((each for each in words.recipe.searches if name_of(each) == name), None))


def _report(tables: Tables, words: Words, others: Stored) -> BaseModel | None:
    study, name = str(tables.facts.get("study")), str(tables.facts.get("name"))
    teller = words.own.get((study, name)) or _teller(study)
    return None if teller is None else _checked(teller, study, name, tables)


#: How each kind of part is told. A layer's part is told in the model's record.
KINDS: Mapping[str, Kind] = {
    "model": Kind("model.json", _model),
    "effects": Kind("effects.json", lambda tables, *_: EffectsRecord.model_validate(tables.facts)),
    "quality": Kind("quality.json", lambda tables, *_: tell_quality(tables)),
    "search": Kind("study.json", _search),
    "sets": Kind("study.json", lambda tables, *_: tell_sets(tables)),
    "report": Kind("study.json", _report),
}


def kind_of(part: str, facts: Mapping[str, Any]) -> str:
    """The kind of a part that is in results, by its name; a study says in its facts if it is no report."""
    match part.split("/"):
        case ["layers", _]:
            return "layer"
        case ["layers", _, kind]:
            return kind
        case ["studies", _]:
            kind = str(facts.get("kind"))
            return kind if kind in {"search", "sets"} else "report"
    return part


def tell_part(part: str, kind: str, tables: Tables, words: Words, others: Stored) -> dict[str, bytes] | None:
    """What is told of a part.

    Args:
        part: its name.
        kind: see `KINDS`.
        tables: what was measured.
        words: what the recipe adds.
        others: the parts that are there.

    Returns:
        Files by path in the model's folder; None for a study of one's own that nobody here can tell.

    Raises:
        TellError: the tables are not what the part measures, or a report shows what it does not have.
    """
    how = KINDS.get(kind)
    if how is None:
        return {}
    try:
        record = how.tell(tables, words, others)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise TellError(f"{part}: {place}: {first['msg']}.") from None
    return None if record is None else {f"{home_of(part)}{how.file}": to_json(record)}


def name_of(section: SearchSection) -> str:
    """The folder and address of a search."""
    return section.name or file_name(f"cause-{section.concept}".replace(" ", "-"))


def _checked(teller: Teller, study: str, name: str, tables: Tables) -> ReportRecord:
    """A study's report, which shows nothing that it does not have."""
    report = teller.tell(Tables(tables.frames, tables.facts.get("facts", {}), tables.pictures))
    if not isinstance(report, Report):
        raise TellError(f"study {study}: `tell` returned {type(report).__name__}, expected a Report.")
    record = ReportRecord(
        study=study,
        name=name,
        settings={key: str(value) for key, value in tables.facts.get("settings", {}).items()},
        tables=sorted(tables.frames),  # as they come back from the results, too
        columns={
            file: Columns.of(schema)
            for file, schema in sorted(teller.schemas.items())
            if file in tables.frames
        },
        **vars(report),
    )
    for missing in report_faults(record, tables.frames, tables.pictures.__contains__):
        raise TellError(f"study {study}: its report shows {missing}, which it does not have.")
    return record


def _teller(study: str) -> Teller | None:
    if study not in STUDIES:
        return None
    room = STUDIES[study][0]
    return Teller(
        importlib.import_module(f"{room}.tell").tell, importlib.import_module(f"{room}.tables").SCHEMAS
    )
