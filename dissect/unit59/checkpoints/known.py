"""The globals of Python itself and of the published generators' own code, as inert entries."""

from __future__ import annotations

import codecs
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any

from unit59.checkpoints.base import RefusedError
from unit59.checkpoints.inert import Items, Known, PickledPairs
from unit59.checkpoints.records import PickledObject

#: `Network` of StyleGAN (and TensorFlow StyleGAN2), and of Progressive GAN.
_TENSORFLOW = ("dnnlib.tflib.network.Network", "tfutil.Network")
_CHUNK = 1 << 20


def _ordered_dict(arguments: tuple[Any, ...]) -> OrderedDict[Any, Any] | PickledPairs:
    if not arguments:
        return OrderedDict()
    pairs = arguments[0]
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise RefusedError("an OrderedDict takes a list of pairs")
    return PickledPairs(pairs)


def _items(kind: type[set[Any]] | type[frozenset[Any]], arguments: tuple[Any, ...]) -> Items:
    items = arguments[0] if arguments else []
    if not isinstance(items, list):
        raise RefusedError("a set takes a list")
    return Items(items, kind)


def _encode(arguments: tuple[Any, ...]) -> bytes | bytearray:
    """`_codecs.encode(text, 'latin1')`: how protocols below 3 hold bytes. Goes by chunks, to stay small."""
    if len(arguments) != 2 or arguments[1] not in ("latin1", "latin-1"):
        raise RefusedError("refuses an encoding other than Latin-1")
    text = arguments[0]
    try:
        if isinstance(text, str):
            return text.encode("latin-1")
        if not isinstance(text, memoryview):
            raise RefusedError("encodes something other than text")
        decoder, raw = codecs.getincrementaldecoder("utf-8")(), bytearray()
        for start in range(0, len(text), _CHUNK):
            raw += decoder.decode(text[start : start + _CHUNK]).encode("latin-1")
    except UnicodeError:
        raise RefusedError("bytes that are held as text hold something else") from None
    return raw


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    if not arguments:
        return b""
    if isinstance(arguments[0], bytes | memoryview):
        return bytes(arguments[0])
    return bytes(_encode(arguments))


def _bytearray(arguments: tuple[Any, ...]) -> bytearray:
    return bytearray(_bytes(arguments))


def _reconstructor(arguments: tuple[Any, ...]) -> Any:
    """`copyreg._reconstructor(class, base, state)`: how protocols 0 and 1 make an object."""
    if len(arguments) != 3 or not isinstance(arguments[0], Known) or arguments[0].make is None:
        raise RefusedError("refuses to make an object of a class that it does not know")
    if isinstance(arguments[2], dict):
        return PickledPairs(list(arguments[2].items()))
    return arguments[0].make(())


def _persistent_object(arguments: tuple[Any, ...]) -> PickledObject:
    """`_reconstruct_persistent_obj(meta)` of StyleGAN2-ADA and StyleGAN3; `module_src` is left alone."""
    meta = arguments[0] if len(arguments) == 1 else None
    if (
        not isinstance(meta, dict)
        or meta.get("type") != "class"
        or not isinstance(meta.get("class_name"), str)
    ):
        raise RefusedError("a persistent object without a class name")
    return PickledObject(f"torch_utils.persistence:{meta['class_name'][:200]}", state=meta.get("state"))


def _python() -> Iterator[Known]:
    yield Known("collections.OrderedDict", call=_ordered_dict, make=_ordered_dict)
    yield Known("_codecs.encode", call=_encode, copies=True)
    for builtins in ("builtins", "__builtin__"):  # protocols below 3 use Python 2's names
        yield Known(f"{builtins}.set", call=lambda arguments: _items(set, arguments))
        yield Known(f"{builtins}.frozenset", call=lambda arguments: _items(frozenset, arguments))
        yield Known(f"{builtins}.bytes", call=_bytes, copies=True)
        yield Known(f"{builtins}.bytearray", call=_bytearray, copies=True)
        yield Known(f"{builtins}.object")
        yield Known(f"{builtins}.dict")
    for copyreg in ("copyreg", "copy_reg"):
        yield Known(f"{copyreg}._reconstructor", call=_reconstructor)


def _networks() -> Iterator[Known]:
    for name in _TENSORFLOW:
        yield Known(name, make=partial(PickledObject, name))
    yield Known("dnnlib.util.EasyDict", make=lambda _: OrderedDict())
    yield Known("torch_utils.persistence._reconstruct_persistent_obj", call=_persistent_object)


PYTHON = {known.name: known for known in _python()}
NETWORKS = {known.name: known for known in _networks()}
