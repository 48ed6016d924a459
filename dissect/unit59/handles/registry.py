"""From a recipe's words to a handle of one's own: ``package.module:Class``, or one of these with settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from unit59.foundation.own_code import find_own, is_own, own_calls
from unit59.foundation.suggest import explain_setting
from unit59.handles.base import Handle, HandleError


def load_handle(spec: Any, base: Path) -> Handle:
    """The handle that an entry of a recipe's ``handles:`` names.

    Args:
        spec: ``package.module:Class``, or one ``name: settings``.
        base: the recipe's folder, where the module is found.

    Raises:
        HandleError: it is no handle, or has a wrong setting.
    """
    given: Any = None
    kind = spec
    if isinstance(spec, Mapping) and len(spec) == 1:
        kind, given = next(iter(spec.items()))
    if not isinstance(kind, str) or not is_own(kind):
        raise HandleError(
            f"expected package.module:Class, or one `package.module:Class: settings`, got {spec!r}."
        )
    if given is not None and not isinstance(given, Mapping):
        raise HandleError(f"{kind}: expected settings such as `{{layers: [layer6]}}`, got {given!r}.")
    own = find_own(kind, base, HandleError, f"handle {kind}", "unit59.handles")
    found = own.found
    if not (isinstance(found, type) and issubclass(found, Handle)):
        raise HandleError(f"handle {kind}: is no subclass of unit59.handles.Handle.")
    with own_calls(HandleError, str(kind), own.root):
        try:
            handle: Handle = found.model_validate(dict(given or {}))
        except ValidationError as error:
            raise HandleError(f"{kind}: {explain_setting(error, found)}") from None
    handle._code = own.fingerprint  # pydantic's private attribute
    return handle
