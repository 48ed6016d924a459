"""From a training recipe to a training: `unit59 train`."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from unit59.foundation.progress import Reporter
from unit59.foundation.suggest import nearest
from unit59.recipe.document import Document, RecipeError, explain_all
from unit59.training.data import open_data
from unit59.training.gan import GanTrainer
from unit59.training.loop import Trainer, Training
from unit59.training.pix2pix import Pix2PixTrainer
from unit59.training.recipe import GanRecipe, Pix2PixRecipe, SegmenterRecipe, TrainingRecipe
from unit59.training.segmenter import SegmenterTrainer

#: Family -> what its recipe may say.
RECIPES: dict[str, type[TrainingRecipe]] = {
    "progan": GanRecipe,
    "stylegan": GanRecipe,
    "pix2pix": Pix2PixRecipe,
    "segmenter": SegmenterRecipe,
}


def read_training(path: Path) -> TrainingRecipe:
    """Read and validate a training recipe.

    Raises:
        RecipeError: names file, line and field.
    """
    document = Document(path, "family: stylegan")
    family = document.content.get("family")
    if family not in RECIPES:
        shown = "the field is missing" if family is None else f"there is no {family!r}"
        hint = nearest(str(family), RECIPES)
        raise RecipeError(document.at(("family",), f"{shown}{hint} Known: {', '.join(RECIPES)}."))
    model = RECIPES[family]
    try:
        recipe = model.model_validate(document.content)
    except ValidationError as error:
        said = explain_all(error.errors(), lambda fault: document.explain(fault, model))
        raise RecipeError("\n".join(said)) from None
    if isinstance(recipe, GanRecipe):
        for number, phase in enumerate(recipe.phases):
            if phase.side > recipe.side:
                what = (
                    f"{phase.side}, but {len(recipe.channels)} channels make {recipe.side} x {recipe.side}."
                )
                raise RecipeError(document.at(("phases", number, "side"), what))
    return recipe


def start(path: Path, trainings: Path, device: str, report: Reporter) -> Training:
    """The training that a recipe names, at its beginning or where it was interrupted.

    Args:
        path: the recipe.
        trainings: the folder that holds a folder for each.
        device: where it runs.
        report: what a person sees.

    Raises:
        Unit59Error: the recipe, its data or an old checkpoint is wrong.
    """
    recipe = read_training(path)
    return Training(recipe, _trainer(recipe, path.parent, device), trainings / recipe.name, report)


def _trainer(recipe: TrainingRecipe, base: Path, device: str) -> Trainer:
    if isinstance(recipe, SegmenterRecipe):
        return SegmenterTrainer(recipe, device)
    if isinstance(recipe, Pix2PixRecipe):
        return Pix2PixTrainer(recipe, open_data(recipe.data, base, 2**recipe.levels, recipe.seed), device)
    return GanTrainer(recipe, open_data(recipe.data, base, recipe.side, recipe.seed), device)
