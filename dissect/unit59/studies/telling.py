"""What was measured, told: every part's record from its tables. Never imports torch, and measures nothing.

A results folder is a stranger's: it says which study a report is of, and only studies of this package are
looked up by that. One's own are told where a recipe names them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from pydantic import BaseModel, ValidationError

from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import file_name
from unit59.recipe.sections import Recipe, SearchSection
from unit59.results import EffectsRecord, SearchRecord, to_json
from unit59.results.places import home_of
from unit59.results.report import ReportRecord, report_faults
from unit59.studies.cause.tell import tell as tell_search
from unit59.studies.quality.tell import tell as tell_quality
from unit59.studies.sets.tell import tell as tell_sets
from unit59.studies.tables import Report, Tables

Teller = Callable[[Tables], Report]

#: Name of a study in a recipe -> its room, with a module `measure` and a module `tell`, and its class.
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


def tell_part(
    part: str, tables: Tables, recipe: Recipe, own: Mapping[tuple[str, str], Teller] | None = None
) -> dict[str, bytes] | None:
    """What is told of a part, but of the model's own and of a layer's agreement: see `unit59.studies.model`.

    Args:
        part: its name.
        tables: what was measured.
        recipe: the words that a search was given.
        own: by kind and name, how the studies are told that a recipe names.

    Returns:
        Files by path in the model's folder; None for a study of one's own that nobody here can tell.

    Raises:
        TellError: the tables are not what the part measures, or a report shows what it does not have.
    """
    try:
        record = _record(part, tables, recipe, own or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise TellError(f"{part}: {place}: {first['msg']}.") from None
    return None if record is None else {f"{home_of(part)}{_file(part)}": to_json(record)}


def _file(part: str) -> str:
    if part == "quality":
        return "quality.json"
    return "effects.json" if part.startswith("layers/") else "study.json"


def is_told(part: str) -> bool:
    """Whether a part is told by itself."""
    return part == "quality" or part.startswith("studies/") or part.endswith("/effects")


def _record(
    part: str, tables: Tables, recipe: Recipe, own: Mapping[tuple[str, str], Teller]
) -> BaseModel | None:
    if part == "quality":
        return tell_quality(tables)
    if part.startswith("layers/"):
        return EffectsRecord.model_validate(tables.facts)
    kind = tables.facts.get("kind")
    if kind == "search":
        return _search(part, tables, recipe)
    if kind == "sets":
        return tell_sets(tables)
    return _report(part, tables, own)


def _search(part: str, tables: Tables, recipe: Recipe) -> SearchRecord:
    asked = next((each for each in recipe.searches if f"studies/{name_of(each)}" == part), None)
    return tell_search(tables, asked)


def name_of(section: SearchSection) -> str:
    """The folder and address of a search."""
    return section.name or file_name(f"cause-{section.concept}".replace(" ", "-"))


def _report(part: str, tables: Tables, own: Mapping[tuple[str, str], Teller]) -> ReportRecord | None:
    study, name = str(tables.facts.get("study")), str(tables.facts.get("name"))
    tell = own.get((study, name)) or _teller(study)
    if tell is None:
        return None
    report = tell(Tables(tables.frames, tables.facts.get("facts", {}), tables.pictures))
    if not isinstance(report, Report):
        raise TellError(f"study {study}: `tell` returned {type(report).__name__}, expected a Report.")
    record = ReportRecord(
        study=study,
        name=name,
        settings={key: str(value) for key, value in tables.facts.get("settings", {}).items()},
        tables=sorted(tables.frames),  # as they come back from the results, too
        **vars(report),
    )
    for missing in report_faults(record, tables.frames, tables.pictures.__contains__):
        raise TellError(f"study {study}: its report shows {missing}, which it does not have.")
    return record


def _teller(study: str) -> Teller | None:
    if study not in STUDIES:
        return None
    tell: Teller = importlib.import_module(f"{STUDIES[study][0]}.tell").tell
    return tell
