"""What a recipe may say: a YAML file that names a model, a segmenter and what to measure.

Mistakes are reported with file, line, field and the nearest valid name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dissect.errors import Unit59Error
from dissect.results.schema import Name
from dissect.suggest import nearest

MAX_BYTES = 256 * 1024


class RecipeError(Unit59Error):
    """A recipe that says something it may not: names file, line and field."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CheckpointSection(_Section):
    """The weights."""

    file: str
    """Path from the recipe's folder, or `package.module:factory` of your own network."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """When given, another file is refused."""
    source: str = ""
    """Where its authors publish it; shown on the model's page and when the file is missing."""
    licence: str = ""
    """Licence of the weights."""
    terms: str = ""
    """Terms of the data it was trained on."""


class Recipe(_Section):
    """One dissection."""

    model: Name
    """The model's name: its folder in the results and its address on the site."""
    title: str
    """The model's name as people say it."""
    summary: str = ""
    """One or two sentences for the model's page."""
    checkpoint: CheckpointSection
    """The weights: a path, or a mapping that also says where they come from."""
    segmenter: Any
    """What names the concepts: a name, `package.module:Class`, one of these with options, or a list."""
    layers: Annotated[list[str], Field(min_length=1)] | Literal["all"] = "all"
    """Layers to dissect, in any order."""
    samples: Annotated[int, Field(ge=8, le=10_000_000)] = 1024
    """How many pictures to measure on."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 59
    """Everything random derives from this and the sample's number."""
    quantile: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    """Share of grid pixels in a unit's mask."""
    grid: Annotated[int, Field(ge=4, le=4096)] | None = None
    """Edge of the compared grid; by default the segmenter's own resolution."""
    shuffles: Annotated[int, Field(ge=2, le=1000)] = 20
    """How often the segmentations are shuffled for the null."""
    bootstrap: Annotated[int, Field(ge=20, le=10_000)] = 200
    """Bootstrap draws for the intervals."""
    exemplars: Annotated[int, Field(ge=1, le=64)] = 8
    """Pictures on each strip of a unit's page."""
    similar: Annotated[int, Field(ge=0, le=100)] = 8
    """How many similar units a unit's page lists."""
    insert_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.995
    """Switching a unit on sets it to this quantile of its values."""
    psi: float = 1.0
    """Truncation (StyleGAN families); 1 is none."""
    cutoff: Annotated[int, Field(ge=0)] | None = None
    """Layers below this number are truncated; by default all."""
    noise: Literal["sample", "const", "none"] = "sample"
    """Noise inputs: drawn with the sample, the stored ones, or none."""
    label: Annotated[int, Field(ge=0)] | None = None
    """Class of a conditional network; by default drawn with the sample."""
    inputs: Any = None
    """Conditional inputs of a picture-to-picture network (see the guide)."""

    @field_validator("checkpoint", mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value


class RecipeFile:
    """A recipe with the file it came from.

    Attributes:
        path: the file.
        text: its text, as published with the results.
        recipe: what it says.
    """

    def __init__(
        self, path: Path, text: str, recipe: Recipe, lines: dict[tuple[str | int, ...], int]
    ) -> None:
        self.path, self.text, self.recipe, self._lines = path, text, recipe, lines

    def resolve(self, name: str) -> Path:
        """A path that the recipe names, taken from the recipe's folder."""
        return self.path.parent / name

    def fail(self, place: tuple[str | int, ...], what: str) -> RecipeError:
        """An error at a field, e.g. ``("layers", 1)``."""
        return RecipeError(_at(self.path, self._lines, place, what))


def read_recipe(path: Path) -> RecipeFile:
    """Read and validate a recipe.

    Raises:
        RecipeError: missing, not YAML, or with a field that is unknown or of the wrong type.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror or error}. {_others(path)}") from None
    if len(raw) > MAX_BYTES:
        raise RecipeError(f"{path}: {len(raw)} bytes; a recipe is at most {MAX_BYTES}.")
    try:
        text = raw.decode("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(f"{path}:{line}: not valid YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: not valid YAML: {error}.") from None
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of fields such as `model: faces`.")
    lines = dict(_marks(node, ()))
    _refuse_repeats(path, node)
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        said = [_explain(path, lines, fault) for fault in error.errors()]
        raise RecipeError("\n".join(filter(None, said))) from None
    return RecipeFile(path, text, recipe, lines)


def json_schema() -> str:
    """The recipe's JSON schema, for editors."""
    schema = Recipe.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    checkpoint = schema["properties"]["checkpoint"]
    schema["properties"]["checkpoint"] = {
        "description": checkpoint["description"],
        "anyOf": [{"type": "string"}, {"$ref": checkpoint["$ref"]}],
    }
    return json.dumps(schema, indent=2) + "\n"


def _others(path: Path) -> str:
    beside = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    hint = nearest(path.stem, beside)
    return (
        f"Recipes there: {', '.join(beside)}{hint}" if beside else "Give the path of a recipe (a YAML file)."
    )


def _marks(node: Any, place: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], int]]:
    """(place of a field, its line) for everything in the document."""
    yield place, node.start_mark.line + 1 if node is not None else 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield (*place, key.value), key.start_mark.line + 1
                yield from (
                    (deep, line)
                    for deep, line in _marks(value, (*place, key.value))
                    if deep != (*place, key.value)
                )
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _marks(value, (*place, index))


def _refuse_repeats(path: Path, node: Any) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise RecipeError(f"{path}:{key.start_mark.line + 1}: {key.value}: the field stands there twice.")
        seen.add(key.value)


def _explain(path: Path, lines: dict[tuple[str | int, ...], int], fault: Any) -> str:
    place = tuple(step for step in fault["loc"] if step in _steps(lines))
    kind, last = fault["type"], str(fault["loc"][-1])
    if fault["loc"] == ("layers", "literal['all']"):
        return ""  # the other half of the same fault says it better
    if fault["loc"][0] == "layers" and kind == "list_type":
        return _at(
            path, lines, ("layers",), f"expected a list such as [layer2], or all, got {fault['input']!r}."
        )
    if kind == "extra_forbidden":
        section = CheckpointSection if fault["loc"][0] == "checkpoint" else Recipe
        return _at(path, lines, fault["loc"], f"there is no such field{nearest(last, section.model_fields)}")
    if kind == "missing":
        return _at(path, lines, fault["loc"], "the field is missing.")
    if kind == "literal_error":
        valid = fault["ctx"]["expected"]
        hint = nearest(str(fault["input"]), valid.replace("'", "").replace(" or ", ", ").split(", "))
        return _at(path, lines, place, f"expected {valid}, got {fault['input']!r}{hint}")
    return _at(path, lines, place, f"{fault['msg']} (got {fault['input']!r}).")


def _steps(lines: dict[tuple[str | int, ...], int]) -> set[str | int]:
    return {step for place in lines for step in place}


def _at(path: Path, lines: dict[tuple[str | int, ...], int], place: Iterable[str | int], what: str) -> str:
    place = tuple(place)
    known = place
    while known and known not in lines:
        known = known[:-1]
    return f"{path}:{lines.get(known, 1)}: {'.'.join(map(str, place))}: {what}"
