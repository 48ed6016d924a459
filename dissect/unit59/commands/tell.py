"""`unit59 tell`: what was measured, told anew; without torch, weights or cache, and measuring nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unit59.foundation.own_code import is_own
from unit59.recipe import RecipeFile, read_recipe, recipe_of_text
from unit59.results import ResultsWriter, model_folders
from unit59.studies.registry import load_study
from unit59.studies.stored import Stored
from unit59.studies.tables import StudyError
from unit59.studies.telling import Teller, TellError, Words, kind_of, tell_part


def tell_results(root: Path, recipe: Path | None) -> tuple[list[str], list[str]]:
    """Tell the models of a results folder anew.

    Args:
        root: the results folder.
        recipe: of one model: its words go before those that the results were measured with, and the studies
            of one's own that it names are told too.

    Returns:
        The files that say something else now; and a line for each study that nobody here can tell: it stays
        as it is.

    Raises:
        Unit59Error: the results cannot be read, or the recipe is of none of its models.
    """
    file = read_recipe(recipe) if recipe else None
    folders = model_folders(root)
    if file is not None:
        folders = [folder for folder in folders if folder.name == file.recipe.model]
        if not folders:
            raise TellError(f"{root}: no results of the model {file.recipe.model!r}, which {recipe} names.")
    changed, untold = [], []
    for folder in folders:
        more, left = _tell_model(root, folder.name, file)
        changed += more
        untold += left
    return changed, untold


def _tell_model(root: Path, model: str, file: RecipeFile | None) -> tuple[list[str], list[str]]:
    writer = ResultsWriter(root, model)
    stored = Stored(writer.folder, writer.parts)
    if file is None:
        place, text = stored.recipe()
        recipe = recipe_of_text(text, f"{place}: recipe")
    else:
        recipe, text = file.recipe, file.text
    own, reasons = _own_tellers(file) if file else ({}, {})
    words, untold = Words(recipe, text, own), []
    before = {name: part.told for name, part in writer.parts.items()}
    for name in sorted(writer.parts):
        tables = stored.tables(name)
        told = tell_part(name, kind_of(name, tables.facts), tables, words, stored)
        if told is None:
            untold.append(_untold(f"{model}/{name}", str(tables.facts.get("study")), reasons))
        else:
            writer.write_told(name, told)
    changed = [
        f"{model}/{path}"
        for name, part in writer.parts.items()
        for path, entry in part.told.items()
        if before[name].get(path) != entry
    ]
    return changed, untold


def _untold(part: str, study: str, reasons: Mapping[str, str]) -> str:
    why = reasons.get(study, "give the recipe that names it with --recipe.")
    return f"{part}: stays as it was told: {study} is a study of one's own; {why}"


def _own_tellers(file: RecipeFile) -> tuple[dict[tuple[str, str], Teller], dict[str, str]]:
    """By kind and name how the studies of one's own are told that a recipe names; why the others are not."""
    tellers: dict[tuple[str, str], Teller] = {}
    reasons: dict[str, str] = {}
    for spec in file.recipe.studies:
        kind = str(next(iter(spec), "") if isinstance(spec, Mapping) else spec)
        if not is_own(kind):
            continue  # of this package: whatever its settings, it is told from its tables
        try:
            asked = load_study(spec, file.path.parent)
        except StudyError as error:
            reasons[kind] = str(error)
        else:
            tellers[asked.kind, asked.name] = asked.teller
    return tellers, reasons
