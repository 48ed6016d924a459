"""YAML files that people write: read with the line of every field, and mistakes said with file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from unit59.foundation.errors import Unit59Error
from unit59.foundation.printable import is_printable
from unit59.foundation.suggest import nearest

#: What a recipe may hold: bytes, values (aliases counted wherever they stand), nesting, digits of a number.
MAX_BYTES, MAX_NODES, MAX_DEPTH, MAX_DIGITS = 256 * 1024, 20_000, 40, 100

#: Of many mistakes so many are said, and of a long value so many characters.
MOST_SAID, MOST_SHOWN = 20, 200

#: Where a field stands: ``("layers", 1)``.
Place = tuple[str | int, ...]


class RecipeError(Unit59Error):
    """A recipe that says something it may not: names file, line and field."""


class Document:
    """A YAML file whose top is a mapping.

    Args:
        path: the file.
        example: a field, for the message when it is no mapping.
        raw: its content, where it is known already; nothing is read then, and `path` only names it.

    Attributes:
        path: the file.
        text: its text.
        content: the mapping.

    Raises:
        RecipeError: missing, too large, not UTF-8, not YAML, no mapping, or a field stands there twice.
    """

    def __init__(self, path: Path, example: str, raw: bytes | None = None) -> None:
        self.path = path
        if raw is None:
            try:
                with path.open("rb") as file:
                    raw = file.read(MAX_BYTES + 1)
            except OSError as error:
                raise RecipeError(f"{path}: {error.strerror or error}. {_others(path)}") from None
        if len(raw) > MAX_BYTES:
            raise RecipeError(f"{path}: more than the {MAX_BYTES} bytes that a recipe has at most.")
        try:
            self.text = raw.decode("utf-8")
            loader = yaml.SafeLoader(self.text)
            node = loader.get_single_node()
            _check_nodes(path, node)
            self.content: Any = loader.construct_document(node) if node is not None else None
        except UnicodeDecodeError as error:
            raise RecipeError(f"{path}: not UTF-8 text (byte {error.start}).") from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise RecipeError(f"{path}:{line}: not valid YAML: {error.problem}.") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise RecipeError(f"{path}: not valid YAML: {error}.") from None
        if not isinstance(self.content, dict):
            raise RecipeError(f"{path}: a recipe is a mapping of fields such as `{example}`.")
        self._lines = dict(_marks(node, ()))
        self._steps = {step for place in self._lines for step in place}

    def at(self, place: Iterable[str | int], what: str) -> str:
        """`what` with the file, the line and the name of the field."""
        place = tuple(place)
        known = place
        while known and known not in self._lines:
            known = known[:-1]
        return f"{self.path}:{self._lines.get(known, 1)}: {'.'.join(map(str, place))}: {what}"

    def explain(self, fault: Any, model: type[BaseModel], within: Place = ()) -> str:
        """One of pydantic's errors about what stands at `within`, as a person wants to read it."""
        inner = tuple(step for step in fault["loc"] if step in self._steps)
        place = (*within, *inner)
        kind, last = fault["type"], str(place[-1]) if place else ""
        if kind == "extra_forbidden":
            return self.at(place, f"there is no such field{nearest(last, _fields(model, inner[:-1]))}")
        if kind == "missing":
            return self.at((*within, *fault["loc"]), "the field is missing.")
        if kind == "literal_error":
            valid = fault["ctx"]["expected"]
            hint = nearest(str(fault["input"]), valid.replace("'", "").replace(" or ", ", ").split(", "))
            return self.at(place, f"expected {valid}, got {shown(fault['input'])}{hint}")
        if not place:  # about the recipe as a whole
            return f"{self.path}: {fault['msg'].removeprefix('Value error, ')}."
        return self.at(place, f"{fault['msg']} (got {shown(fault['input'])}).")


def shown(value: Any) -> str:
    """A value as it stands in a message: its beginning, where it is long."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def explain_all(faults: Sequence[Any], explain: Callable[[Any], str]) -> list[str]:
    """What is said of pydantic's errors, a line each; of many the first, and how many more there are."""
    said = list(dict.fromkeys(map(explain, faults[:MOST_SAID])))
    if len(faults) > MOST_SAID:
        said.append(f"And {len(faults) - MOST_SAID} more.")
    return said


def _check_nodes(path: Path, top: Any) -> None:
    """Refuse, before anything is made of them, nodes that would take much memory or time, or mislead.

    Raises:
        RecipeError: an alias holds itself; too many or too deep nodes, aliases counted wherever they stand;
            a field stands twice in its mapping; a character that cannot be shown, or an endless number.
    """
    counts: dict[int, int] = {}

    def fail(node: Any, what: str) -> RecipeError:
        return RecipeError(f"{path}:{node.start_mark.line + 1}: {what}")

    def count(node: Any, depth: int) -> int:
        if counts.setdefault(id(node), 0) < 0:
            raise fail(node, "an alias that holds itself.")
        if depth > MAX_DEPTH:
            raise fail(node, f"nested deeper than {MAX_DEPTH}.")
        if not counts[id(node)]:
            counts[id(node)] = -1
            if isinstance(node, yaml.ScalarNode):
                _check_scalar(node, fail)
                parts: list[Any] = []
            elif isinstance(node, yaml.MappingNode):
                seen: set[tuple[str, str]] = set()
                for key, _ in node.value:
                    if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                        raise fail(key, f"{key.value}: the field stands there twice.")
                    seen.add((key.tag, str(key.value)) if isinstance(key, yaml.ScalarNode) else ("", ""))
                parts = [part for pair in node.value for part in pair]
            else:
                parts = node.value
            total = 1 + sum(count(part, depth + 1) for part in parts)
            if total > MAX_NODES:
                raise fail(node, f"more than {MAX_NODES} values, aliases counted wherever they stand.")
            counts[id(node)] = total
        return counts[id(node)]

    if top is not None:
        count(top, 0)


def _check_scalar(node: Any, fail: Callable[[Any, str], RecipeError]) -> None:
    if not is_printable(node.value.replace("\n", "").replace("\t", "")):
        raise fail(node, f"{node.value[:60]!r} holds a character that cannot be shown.")
    if node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float") and len(node.value) > MAX_DIGITS:
        raise fail(node, f"a number of {len(node.value)} characters; at most {MAX_DIGITS}.")


def _others(path: Path) -> str:
    beside = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    hint = nearest(path.stem, beside)
    return (
        f"Recipes there: {', '.join(beside)}{hint}" if beside else "Give the path of a recipe (a YAML file)."
    )


def _marks(node: Any, place: Place) -> Iterable[tuple[Place, int]]:
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


def _fields(model: type[BaseModel], place: Place) -> list[str]:
    """The fields that the section at `place` has."""
    for step in place:
        if isinstance(step, str) and step in model.model_fields:
            model = _section(model.model_fields[step].annotation) or model
    return list(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model in an annotation such as ``list[Phase]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section, get_args(annotation))), None)
