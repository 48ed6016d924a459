"""What a recipe may say: a YAML file that names a model, a segmenter and what to measure.

Mistakes are reported with file, line, field and the nearest valid name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from unit59.recipe.document import Document, RecipeError, explain_all, shown
from unit59.results.record import Line, Name

__all__ = [
    "CheckpointSection",
    "ClaimSection",
    "EffectsSection",
    "PassesSection",
    "Recipe",
    "RecipeError",
    "RecipeFile",
    "SearchSection",
    "SetsSection",
    "json_schema",
    "read_recipe",
]


#: Fields of `sampling` that once stood at a recipe's top.
_SAMPLING = ("psi", "cutoff", "noise", "label", "mode")

#: A sample shows a concept from this share of the grid on, where a section says nothing else.
SHOWN_FROM = 0.005
#: A part of a picture, as a field.
_Share = Annotated[float, Field(gt=0, lt=1)]
#: Bytes, as a field: a number, or one with a unit.
_Bytes = Annotated[ByteSize, Field(ge=1), WithJsonSchema({"type": ["string", "integer"]})]
#: No network makes or has more.
MOST_SAMPLES, MOST_UNITS = 10_000_000, 1_000_000

#: A field, for who gives something that is no recipe.
EXAMPLE = "model: faces"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


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


class EffectsSection(_Section):
    """What every single unit does to every concept."""

    layers: Annotated[list[str], Field(min_length=1)] | Literal["all"] = "all"
    """Of the dissected layers."""
    units: Annotated[int, Field(ge=1, le=MOST_UNITS)] | Literal["all"] = "all"
    """How many units to measure in all layers together, those that the cheap ranking puts first."""
    low_ranked: Annotated[int, Field(ge=0, le=MOST_UNITS)] = 16
    """With a number of units: how many others to measure in each layer, to see what the ranking misses."""
    samples: Annotated[int, Field(ge=8, le=MOST_SAMPLES)] = 64
    """The first samples, on which all units are measured."""
    extra: Annotated[int, Field(ge=0, le=MOST_SAMPLES)] = 32
    """At most so many further samples, that show rare concepts, for the rates."""
    floor: _Share = SHOWN_FROM
    """A sample shows a concept from this share of the grid on."""
    ablate: Literal["zero", "mean"] = "zero"
    """What switching off sets a unit to."""
    edits: Annotated[list[Literal["neutral", "down", "up"]], Field(min_length=1)] = ["neutral", "down", "up"]
    """Of units without maps, such as styles: set each to its mean, shift it down, shift it up."""
    shift: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """By how many standard deviations over samples."""


class PassesSection(_Section):
    """How the passes of network and segmenter compute."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Of convolutions, linear layers and attention; what is kept is float32."""
    memory_format: Literal["contiguous", "channels_last"] = "contiguous"
    """Of maps in memory: unit by unit, or pixel by pixel."""


class ClaimSection(_Section):
    """What someone said to be the single cause; the page shows it beside what was measured."""

    text: Annotated[str, Field(min_length=1)]
    """The claim, as one sentence."""
    source: str = ""
    """Who says so, and where."""
    network: str = ""
    """The network that it is about, where that is another one than the recipe's."""
    layer: str
    """The layer that it names; it is looked up in the recipe's network."""
    unit: Annotated[int, Field(ge=0, le=MOST_UNITS)]
    """The unit that it names."""


class SearchSection(_Section):
    """A search for the single unit that causes a concept."""

    concept: str
    """The concept's name."""
    layers: Annotated[list[str], Field(min_length=1)] | Literal["all"] = "all"
    """Of the dissected layers."""
    name: Name | None = None
    """The study's folder and address; by default made of the concept."""
    title: Line = ""
    """What the finding's page is called; by default the question that it answers."""
    claim: ClaimSection | None = None
    """A claim to set beside what is measured."""
    samples: Annotated[int, Field(ge=16, le=MOST_SAMPLES)] = 64
    """At most so many that show the concept, half to search on and half to confirm; half as many lack it."""
    floor: _Share = SHOWN_FROM
    """A sample shows the concept from this share of the grid on."""
    probe: Annotated[int, Field(ge=1, le=MOST_UNITS)] | Literal["all"] = "all"
    """How many units of a layer are switched off alone, those that the cheap ranking puts first, or all."""


class SetsSection(_Section):
    """What more and more units of one layer do to a concept, in several orders and at random."""

    concept: str
    """The concept's name."""
    layer: str
    """One of the dissected layers."""
    name: Name | None = None
    """The study's folder and address; by default made of layer and concept."""
    samples: Annotated[int, Field(ge=16, le=MOST_SAMPLES)] = 64
    """As for a search."""
    floor: _Share = SHOWN_FROM
    """A sample shows the concept from this share of the grid on."""
    largest: Annotated[int, Field(ge=1, le=MOST_UNITS)] = 64
    """Units in the largest set."""
    steps: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Steps of the optimisation of the average causal effect (ACE)."""


class Recipe(_Section):
    """One dissection."""

    model: Name
    """The model's name: its folder in the results and its address on the site."""
    title: Line
    """The model's name as people say it."""
    summary: str = ""
    """One or two sentences for the model's page."""
    checkpoint: CheckpointSection
    """The weights: a path, or a mapping that also says where they come from."""
    segmenter: Any
    """What names the concepts: a name, `package.module:Class`, one of these with options, or a list."""
    layers: Annotated[list[str], Field(min_length=1)] | Literal["all"] = "all"
    """Layers to dissect, in any order."""
    handles: list[Any] = []
    """Further kinds of units: a name, `package.module:Class` of your own, or one of these with settings."""
    samples: Annotated[int, Field(ge=8, le=MOST_SAMPLES)] = 1024
    """How many pictures to measure on."""
    cache: _Bytes = ByteSize(10**10)
    """Disk for samples, e.g. `10 GB`; if that is too little, of large maps only the tails are kept."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 59
    """Everything random derives from this and the sample's number."""
    threshold: Literal["share", "iqr"] = "share"
    """Where a mask ends: at one share of each unit's values, or for each concept at the share of best IQR."""
    quantile: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    """Share of grid pixels in a unit's mask, with `threshold: share`."""
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
    sampling: dict[str, Any] = {}
    """How samples are drawn; its fields are those of the network's family (see the guide)."""
    passes: PassesSection = PassesSection()
    """How the passes of network and segmenter compute."""
    inputs: Any = None
    """Conditional inputs of a picture-to-picture network (see the guide)."""
    real: Any = None
    """Real pictures to compare the samples with, in the same forms as `inputs`."""
    effects: EffectsSection | None = None
    """Measure single units' effects; `{}` takes the defaults, by default none are measured."""
    searches: list[SearchSection] = []
    """Searches for single causes, each a study."""
    sets: list[SetsSection] = []
    """Studies of unit sets."""
    studies: list[Any] = []
    """Experiments with a page each: a name, `package.module:Class`, or one of these with settings."""

    def settings(self, names: Iterable[str]) -> dict[str, Any]:
        """Fields by name, for the keys of what depends on them.

        ``quantile`` stands for all that masks depend on: with `threshold: iqr` for that rule instead.
        """
        chosen = self.threshold != "share"
        return self.model_dump(
            include={"threshold" if chosen and each == "quantile" else each for each in names}
        )

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

    def __init__(self, document: Document, recipe: Recipe) -> None:
        self.path, self.text, self.recipe = document.path, document.text, recipe
        self._document = document

    def resolve(self, name: str) -> Path:
        """A path that the recipe names, taken from the recipe's folder."""
        return self.path.parent / name

    def explain(self, fault: Any, model: type[BaseModel], within: tuple[str | int, ...]) -> str:
        """See `Document.explain`."""
        return self._document.explain(fault, model, within)

    def fail(self, place: tuple[str | int, ...], what: str) -> RecipeError:
        """An error at a field, e.g. ``("layers", 1)``."""
        return RecipeError(self._document.at(place, what))


def read_recipe(path: Path) -> RecipeFile:
    """Read and validate a recipe.

    Raises:
        RecipeError: missing, not YAML, or with a field that is unknown or of the wrong type.
    """
    return _validated(Document(path, EXAMPLE))


def recipe_of_text(text: str, source: str) -> Recipe:
    """The recipe in a text that lies elsewhere than in a file of its own: in results.

    Raises:
        RecipeError: as `read_recipe`; it names `source`.
    """
    return _validated(Document(Path(source), EXAMPLE, text.encode())).recipe


def _validated(document: Document) -> RecipeFile:
    try:
        recipe = Recipe.model_validate(document.content)
    except ValidationError as error:
        # The other half of a fault about a list or `all` says it better.
        faults = [fault for fault in error.errors() if fault["loc"][-1] != "literal['all']"]
        moved = [fault for fault in faults if _is_sampling(fault)]
        said = [_below_sampling(document, moved)] if moved else []
        others = [fault for fault in faults if not _is_sampling(fault)]
        said += explain_all(others, lambda fault: _explain(document, fault))
        raise RecipeError("\n".join(said)) from None
    return RecipeFile(document, recipe)


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


def _is_sampling(fault: Any) -> bool:
    """Whether a field stands at the recipe's top that belongs below `sampling` now."""
    return fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1 and fault["loc"][0] in _SAMPLING


def _below_sampling(document: Document, faults: Sequence[Any]) -> str:
    """One suggestion for all such fields, with what stands there already: it can be pasted as it is."""
    there = document.content.get("sampling")
    moved = {fault["loc"][0]: fault["input"] for fault in faults}
    example = yaml.safe_dump(
        {**(there if isinstance(there, dict) else {}), **moved},
        default_flow_style=True,
        width=1000,
        sort_keys=False,
    )
    first, *others = moved
    too = f", and so do{'es' if len(others) == 1 else ''} {', '.join(others)}" if others else ""
    return document.at((first,), f"goes below `sampling:` now{too}: `sampling: {example.strip()}`.")


def _explain(document: Document, fault: Any) -> str:
    lists = [index for index, step in enumerate(fault["loc"]) if str(step).endswith("layers")]
    if lists and fault["type"] == "list_type":
        place = fault["loc"][: lists[0] + 1]
        return document.at(place, f"expected a list such as [layer2], or all, got {shown(fault['input'])}.")
    return document.explain(fault, Recipe)
