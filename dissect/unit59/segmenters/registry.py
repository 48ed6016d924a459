"""From a recipe's words to a segmenter.

A spec is a name (``colours``), a class of the user's own (``package.module:Class``), one of these with
options (``{upernet: {folder: weights/upp, segsizes: [256]}}``), or a list of such specs: a stack.
A value that is no mapping is the first option: ``{transformers: nvidia/segformer-b0-finetuned-ade-512-512}``.

Of your own, only a class with a method `segment`, or a function that makes such an object, is ever called,
and only if it is defined below the recipe's folder or declared by an installed package (see
`unit59.foundation.own_code`).

A segmenter's options are the keyword parameters of its class, checked against their annotations. A
``Path`` is taken from the recipe's folder; a ``Path | str`` only where such a file or folder exists.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from unit59.foundation.files import sha256_of
from unit59.foundation.own_code import OwnCode, find_own, is_own, own_calls
from unit59.foundation.suggest import first_fault, nearest
from unit59.segmenters.base import Segmenter, SegmenterError
from unit59.segmenters.checked import Checked, check_concepts
from unit59.segmenters.stack import Stack

#: Name in a recipe -> class, imported when it is asked for.
_KNOWN = {
    "ade20k": "unit59.segmenters.ade20k:ADE20K",
    "bedrooms": "unit59.bedrooms.segmenter:Bedrooms",
    "colours": "unit59.segmenters.colours:Colours",
    "faces": "unit59.segmenters.faces:Faces",
    "transformers": "unit59.segmenters.transformers:Transformers",
    "upernet": "unit59.segmenters.upernet:UnifiedParsing",
}


def known_segmenters() -> list[str]:
    """The names that a recipe may use beside ``package.module:Class``."""
    return sorted(_KNOWN)


def load_segmenter(spec: Any, base: Path) -> Segmenter:
    """Load the segmenter that a spec names.

    Args:
        spec: see the module's text.
        base: the folder that relative paths start from, and below which a user's own module is found.

    Raises:
        SegmenterError: an unknown name or option, a missing file or package, weights that do not fit.
    """
    parts = [(choice.name, _construct(choice)) for choice in _choices(spec, base)]
    loaded = parts[0][1] if len(parts) == 1 else Stack(parts)
    check_concepts(loaded, " + ".join(name for name, _ in parts))
    return loaded


def check_segmenter(spec: Any, base: Path) -> None:
    """Check a spec's names and options without reading any weights.

    Raises:
        SegmenterError: as `load_segmenter`, as far as the spec alone tells.
    """
    _choices(spec, base)


@dataclass(frozen=True)
class _Choice:
    """One entry of a spec, checked."""

    name: str
    factory: Any
    options: dict[str, Any]
    own: OwnCode | None = None


def _choices(spec: Any, base: Path) -> list[_Choice]:
    entries = spec if isinstance(spec, list | tuple) else [spec]
    if not entries:
        raise SegmenterError("segmenter: an empty list; name at least one.")
    return [_choice(entry, base) for entry in entries]


def _choice(entry: Any, base: Path) -> _Choice:
    given: Any = None
    if isinstance(entry, str):
        name = entry
    elif isinstance(entry, Mapping) and len(entry) == 1:
        name, given = next(iter(entry.items()))
    else:
        raise SegmenterError(
            f"segmenter: expected a name, one `name: options`, or a list of these, got {entry!r}. "
            f"Names: {', '.join(known_segmenters())}, or package.module:Class of your own."
        )
    name = str(name)
    own = _find_own(name, base) if name not in _KNOWN else None
    factory = own.found if own else _known(name)
    return _Choice(name, factory, _options(name, factory, given, base), own)


def _known(name: str) -> Any:
    module, _, attribute = _KNOWN[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def _find_own(name: str, base: Path) -> OwnCode:
    if not is_own(name):
        raise SegmenterError(
            f"segmenter: there is no {name[:200]!r}{nearest(name[:200], _KNOWN)} "
            f"Known: {', '.join(known_segmenters())}, or package.module:Class of your own."
        )
    own = find_own(name, base, SegmenterError, f"segmenter {name}", "unit59.segmenters")
    if isinstance(own.found, type) and not callable(getattr(own.found, "segment", None)):
        raise SegmenterError(f"segmenter {name}: the class has no method `segment`, so it is no segmenter.")
    return own


def _options(name: str, factory: Any, given: Any, base: Path) -> dict[str, Any]:
    parameters = _parameters(factory)
    if not isinstance(given, Mapping):
        if given is None:
            given = {}
        elif not parameters:
            raise SegmenterError(f"segmenter {name}: takes no options, got {given!r}.")
        else:
            given = {next(iter(parameters)): given}
    model: type[BaseModel] = create_model(name, __config__=_CONFIG, **parameters)
    try:
        checked = model.model_validate(dict(given))
    except ValidationError as error:
        raise SegmenterError(f"segmenter {name}: {_explain(error, parameters)}") from None
    return {
        key: _resolve(getattr(checked, key), parameters[key][0], base)
        for key in parameters
        if key in checked.model_fields_set
    }


_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


def _parameters(factory: Any) -> dict[str, Any]:
    """{option: (type, default)} of a class's or function's parameters; ``...`` is no default."""
    target = factory.__init__ if inspect.isclass(factory) else factory
    hints = get_type_hints(target, include_extras=True)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        key: (hints.get(key, Any), ... if parameter.default is parameter.empty else parameter.default)
        for key, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind in named
    }


def _explain(error: ValidationError, parameters: Mapping[str, Any]) -> str:
    first = first_fault(error)
    option = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        known = ", ".join(parameters) or "none"
        return f"there is no option {option!r}{nearest(option, parameters)} It has {known}."
    if first["type"] == "missing":
        return f"option {option!r} is missing."
    place = ".".join([option, *(str(part) for part in first["loc"][1:] if isinstance(part, int))])
    return f"option {place}: {first['msg']} (got {first['input']!r})."


def _resolve(value: Any, annotation: Any, base: Path) -> Any:
    kinds = set(get_args(annotation)) | {annotation}
    if isinstance(value, Path):
        return base / value
    if Path in kinds and isinstance(value, str) and (base / value).exists():
        return base / value
    return value


def _construct(choice: _Choice) -> Segmenter:
    if choice.own is None:
        made: Segmenter = choice.factory(**choice.options)
        return made
    with own_calls(SegmenterError, f"segmenter {choice.name}", choice.own.root):
        inner = choice.factory(**choice.options)
        return Checked(choice.name, inner, _code(choice, choice.own), choice.own.root)


def _code(choice: _Choice, own: OwnCode) -> str:
    """A hash of the code and the options; of a file that an option names, its content counts."""
    said = [own.fingerprint]
    for key, value in sorted(choice.options.items()):
        content = sha256_of(value) if isinstance(value, Path) and value.is_file() else repr(value)
        said.append(f"{key} {content}")
    return hashlib.sha256("\n".join(said).encode("utf-8", "backslashreplace")).hexdigest()
