"""From a recipe's words to a handle: ``style``, ``style: {layers: [layer6]}``, ``package.module:Class``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from unit59.foundation.own_code import OwnCode, find_own, is_own, own_calls
from unit59.foundation.suggest import explain_setting, nearest, word_and_settings
from unit59.handles.base import Handle, HandleError
from unit59.handles.channels import Channel
from unit59.handles.styles import Style

#: Name in a recipe -> class.
HANDLES: dict[str, type[Handle]] = {"channel": Channel, "style": Style}


def load_handle(spec: Any, base: Path) -> Handle:
    """The handle that an entry of a recipe's ``handles:`` names.

    Args:
        spec: a name, or one ``name: settings``.
        base: the recipe's folder, where a user's own module is found.

    Raises:
        HandleError: an unknown name or setting.
    """
    kind, given = word_and_settings(spec, "layers: [layer6]", _known(), HandleError)
    found, own = _find(kind, base)
    with own_calls(HandleError, kind, own.root) if own else nullcontext():
        try:
            handle = found.model_validate(given)
        except ValidationError as error:
            raise HandleError(f"{kind}: {explain_setting(error, found)}") from None
    handle._own = own  # pydantic's private attribute
    return handle


def _find(kind: str, base: Path) -> tuple[type[Handle], OwnCode | None]:
    if kind in HANDLES:
        return HANDLES[kind], None
    if not is_own(kind):
        raise HandleError(f"there is no handle {kind[:200]!r}{nearest(kind[:200], HANDLES)} {_known()}")
    own = find_own(kind, base, HandleError, f"handle {kind}", "unit59.handles")
    if not (isinstance(own.found, type) and issubclass(own.found, Handle)):
        raise HandleError(f"handle {kind}: is no subclass of unit59.handles.Handle.")
    return own.found, own


def _known() -> str:
    return f"Known: {', '.join([*HANDLES, 'or package.module:Class of your own'])}."
