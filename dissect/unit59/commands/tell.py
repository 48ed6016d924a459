"""`unit59 tell`: what was measured, told anew; without torch, weights or cache, and measuring nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unit59.recipe import Recipe, RecipeFile, read_recipe, recipe_of_text
from unit59.results import ResultsWriter, model_folders, to_json
from unit59.studies.model.tell import tell as tell_model
from unit59.studies.stored import Stored
from unit59.studies.telling import Teller, TellError, is_told, tell_part


def tell_results(root: Path, recipe: Path | None) -> tuple[list[str], list[str]]:
    """Tell the models of a results folder anew.

    Args:
        root: the results folder.
        recipe: of one model: its words go before those that the results were measured with, and the studies
            of one's own that it names are told too.

    Returns:
        The files that say something else now, and the studies that nobody here can tell: they stay as they
        are.

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
    facts = stored.facts("model")
    text = file.text if file else str(facts.get("recipe", ""))
    recipe = file.recipe if file else recipe_of_text(text, f"{writer.folder / 'facts.json'}: recipe")
    own = _own_tellers(file) if file else {}
    untold = []
    before = {name: part.told for name, part in writer.parts.items()}
    for name in sorted(writer.parts):
        if not is_told(name):
            continue
        told = tell_part(name, stored.tables(name), recipe, own)
        if told is None:
            untold.append(f"{model}: {name.removeprefix('studies/')}")
        else:
            writer.write_told(name, told)
    layers = [stored.facts(f"layers/{name}") for name in _layers(recipe, facts, writer)]
    writer.write_told("model", {"model.json": to_json(tell_model(facts, layers))})
    changed = [
        f"{model}/{path}"
        for name, part in writer.parts.items()
        for path, entry in part.told.items()
        if before[name].get(path) != entry
    ]
    return changed, untold


def _layers(recipe: Recipe, facts: Mapping[str, object], writer: ResultsWriter) -> list[str]:
    """The layers that are there, in forward order."""
    planned = facts.get("planned_layers")
    names = [str(name) for name in planned] if isinstance(planned, list) else []
    return [name for name in names if f"layers/{name}" in writer.parts]


def _own_tellers(file: RecipeFile) -> dict[str, Teller]:
    """How the studies of one's own that a recipe names are told."""
    from unit59.studies.registry import load_study
    from unit59.studies.telling import STUDIES

    asked = [load_study(spec, file.path.parent) for spec in file.recipe.studies]
    return {each.kind: each.tell for each in asked if each.kind not in STUDIES}
