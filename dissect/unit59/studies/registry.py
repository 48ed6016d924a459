"""From a recipe's words to a study: ``noise``, ``noise: {layers: [layer6]}``, ``package.module:Class``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from unit59.foundation.own_code import OwnCode, find_own, is_own, own_calls
from unit59.foundation.suggest import explain_setting, nearest, word_and_settings
from unit59.results import table_bytes, to_json
from unit59.results.columns import Schema
from unit59.results.json_files import parsed
from unit59.results.places import owner_of
from unit59.results.record import NAME_RULE, is_name
from unit59.results.tables import fitted
from unit59.studies.base import Study, StudyError
from unit59.studies.tables import Report, Tables
from unit59.studies.telling import STUDIES, Teller

if TYPE_CHECKING:
    from unit59.studies.dissected import Dissected


@dataclass(frozen=True)
class NamedStudy:
    """A study that a recipe asks for.

    Attributes:
        kind: as the recipe names it.
        study: with its settings.
        own: the user's own code, if it is.
    """

    kind: str
    study: Study
    own: OwnCode | None = None

    @property
    def name(self) -> str:
        """Its folder and address."""
        return self.study.name or self.kind.rpartition(":")[2].lower()

    def measure(self, model: Dissected) -> Tables:
        """Measure; what goes wrong in a user's own study is said in a sentence, with its line."""
        with self.calls():
            tables = self.study.measure(model)
            schemas = self.study.schemas
            if self.own is not None:
                _check(tables, f"studies/{self.name}", schemas)
            described = {
                name: fitted(tables.frames[name], schemas[name]) for name in schemas if name in tables.frames
            }
            return replace(tables, frames={**tables.frames, **described})

    def tell(self, tables: Tables) -> Report:
        """Tell what was measured; likewise."""
        with self.calls():
            return self.study.tell(tables)

    @property
    def teller(self) -> Teller:
        """How it is told."""
        return Teller(self.tell, self.study.schemas)

    @property
    def code(self) -> str:
        """A hash of a user's own code; results depend on it."""
        return self.own.fingerprint if self.own else ""

    def calls(self) -> AbstractContextManager[None]:
        """Around every call of the study: what a user's own raises becomes a `StudyError`."""
        return own_calls(StudyError, f"study {self.kind}", self.own.root) if self.own else nullcontext()


def _check(tables: Any, part: str, schemas: Mapping[str, Schema]) -> None:
    """Refuse what cannot be kept of a user's own study.

    Raises:
        TypeError: it is no `Tables`, or holds something else than it should.
        ValueError: a name that no file of the part may have.
        StudyError: a table or facts that no file can hold, or a table without a column that its schema has.
    """
    if not isinstance(tables, Tables):
        raise TypeError(f"measure returned {type(tables).__name__}, expected Tables")
    for name, frame in tables.frames.items():
        if not isinstance(frame, pl.DataFrame):
            raise TypeError(f"the table {name!r} is a {type(frame).__name__}, expected a polars.DataFrame")
        with own_calls(StudyError, f"{part}: the table {name!r}"):
            table_bytes(frame, schemas.get(name, frame.schema))
    for name, picture in tables.pictures.items():
        if not isinstance(picture, bytes):
            raise TypeError(f"the picture {name!r} is a {type(picture).__name__}, expected bytes")
    for name in [*tables.frames, *(f"pictures/{name}" for name in tables.pictures)]:
        if owner_of(f"{part}/{name}") != part:
            raise ValueError(f"{name!r} is no name of a file of {part}")
    with own_calls(StudyError, f"{part}: its facts"):
        parsed(Path(part), to_json({"facts": tables.facts}))  # as they will be read


def known_studies() -> list[str]:
    """The names that a recipe may use beside ``package.module:Class``."""
    return sorted(STUDIES)


def load_study(spec: Any, base: Path) -> NamedStudy:
    """The study that an entry of a recipe's ``studies:`` names.

    Args:
        spec: a name, or one ``name: settings``.
        base: the recipe's folder, where a user's own module is found.

    Raises:
        StudyError: an unknown name or setting.
    """
    kind, given = word_and_settings(spec, "name: mine", _names(), StudyError)
    found, own = _find(kind, base)
    with own_calls(StudyError, kind, own.root) if own else nullcontext():
        try:
            named = NamedStudy(kind, found.model_validate(given), own)
        except ValidationError as error:
            raise StudyError(f"{kind}: {explain_setting(error, found)}") from None
    if not is_name(named.name):
        raise StudyError(f"{kind}: {named.name!r} is no name for a folder ({NAME_RULE}). Give it a `name`.")
    return named


def _find(kind: str, base: Path) -> tuple[type[Study], OwnCode | None]:
    if kind in STUDIES:
        room, attribute = STUDIES[kind]
        return getattr(importlib.import_module(f"{room}.measure"), attribute), None
    if not is_own(kind):
        raise StudyError(f"there is no study {kind[:200]!r}{nearest(kind[:200], STUDIES)} {_names()}")
    own = find_own(kind, base, StudyError, f"study {kind}", "unit59.studies")
    if not (isinstance(own.found, type) and issubclass(own.found, Study)):
        raise StudyError(f"study {kind}: is no subclass of unit59.studies.base.Study.")
    return own.found, own


def _names() -> str:
    return f"Known: {', '.join([*known_studies(), 'or package.module:Class of your own'])}."
