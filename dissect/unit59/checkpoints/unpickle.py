"""A pickle machine that can only make data.

It interprets the opcodes itself. A global is looked up in a table of inert `Known` entries, and never
imported; REDUCE and NEWOBJ work on those entries alone, BUILD on what they made. Work is bounded by a
`Budget`, nesting by `check_nesting`, memory by the file: long payloads are views of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from unit59.checkpoints.base import CheckpointError, RefusedError
from unit59.checkpoints.inert import Items, Known, PickledPairs, Unfinished
from unit59.checkpoints.limits import Budget, check_nesting
from unit59.checkpoints.opcodes import decode
from unit59.checkpoints.records import PickledObject

_HASH_SAFE = 1 << 60  # integers below this do not collide by construction
_LONGEST_KEY = 16
_SCALARS = (str, int, float, bytes, bool, type(None))


@dataclass
class Unpickler:
    """Reads one pickle after another out of `view`.

    Attributes:
        source: named in errors.
        view: the file, or a stream nested in it.
        known: the globals that this container may use, by ``module.name``.
        budget: shared by all pickles of one file.
        persistent: what to make of a persistent id; None refuses it.
    """

    source: str
    view: memoryview
    known: Mapping[str, Known]
    budget: Budget
    persistent: Callable[[Any], Any] | None = None
    stack: list[Any] = field(default_factory=list, init=False)
    marks: list[int] = field(default_factory=list, init=False)
    memo: dict[int, Any] = field(default_factory=dict, init=False)

    def load(self, start: int = 0) -> tuple[Any, int]:
        """The object pickled at byte `start`, and where its pickle ends.

        Raises:
            CheckpointError: names the source, the byte, the opcode, and a refused global.
        """
        self.stack, self.marks, self.memo = [], [], {}
        position, name = start, "the first"
        try:
            while True:
                name = "the next"
                self.budget.spend("opcodes")
                name, argument, end = decode(self.view, position)
                if name == "STOP":
                    break
                _STEPS[name](self, argument)
                position = end
            result = self._pop()
            if self.stack or self.marks:
                raise RefusedError("values are left over at the end")
            check_nesting(result)
        except RefusedError as error:
            raise CheckpointError(f"{self.source}: {name} opcode, at byte {position}: {error}") from None
        return result, end

    # ---- the stack

    def _pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise RefusedError("the stack is empty")
        return self.stack.pop()

    def _top(self) -> Any:
        value = self._pop()
        self.stack.append(value)
        return value

    def _pop_mark(self) -> list[Any]:
        if not self.marks:
            raise RefusedError("there is no mark")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _push(self, value: Any) -> None:
        if isinstance(value, str):
            self.budget.spend("text", len(value))
        self.stack.append(value)

    # ---- the memo

    def _put(self, key: int | None) -> None:
        value = self._top()
        key = len(self.memo) if key is None else key
        self.memo[key] = value
        if isinstance(value, Unfinished):
            value.memo_keys.append(key)

    def _get(self, key: int) -> None:
        if key not in self.memo:
            raise RefusedError(f"memo {key} was never stored")
        self.stack.append(self.memo[key])

    # ---- containers

    def _append(self, items: Iterable[Any]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise RefusedError("appends to something other than a list")
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, dict):
            raise RefusedError("sets items of something other than a dict")
        target.update(self._pairs(items))

    def _pairs(self, items: list[Any]) -> Iterable[tuple[Any, Any]]:
        if len(items) % 2:
            raise RefusedError("a key has no value")
        for key in items[::2]:
            self._check_key(key)
        return zip(items[::2], items[1::2], strict=True)

    def _set_of(self, items: Iterable[Any]) -> set[Any]:
        items = list(items)
        for item in items:
            self._check_key(item)
        return set(items)

    def _check_key(self, key: Any) -> None:
        """Strings hash with a secret; other keys can be made to collide or recurse: they are rationed."""
        if type(key) is str:
            return
        self.budget.spend("odd_keys")
        if isinstance(key, tuple) and len(key) > _LONGEST_KEY:
            raise RefusedError(f"a key of {len(key)} parts")
        for part in key if isinstance(key, tuple) else (key,):
            if not isinstance(part, _SCALARS) or (isinstance(part, int) and abs(part) >= _HASH_SAFE):
                raise RefusedError(f"a key or set item of type {type(part).__name__}")

    def _add_items(self, items: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, set):
            raise RefusedError("adds to something other than a set")
        target |= self._set_of(items)

    # ---- globals and what is made of them

    def _global(self, module: Any, name: Any) -> Known:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise RefusedError("a global's name is no string")
        known = self.known.get(f"{module}.{name}")
        if known is None:
            shown = f"{module}.{name}"[:200]
            raise RefusedError(
                f"refuses the global {shown!r}, which is none of those that this format needs "
                "(it was neither imported nor called)"
            )
        return known

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, Known) or function.call is None:
            raise RefusedError(f"refuses to call {_shown(function)}")
        if not isinstance(arguments, tuple):
            raise RefusedError(f"the arguments of {function.name} are no tuple")
        self._charge(function, arguments)
        self._push(self._checked(function.call(arguments)))

    def _new(self) -> None:
        arguments, cls = self._pop(), self._pop()
        if not isinstance(cls, Known) or cls.make is None:
            raise RefusedError(f"refuses to make an object of {_shown(cls)}")
        if not isinstance(arguments, tuple):
            raise RefusedError(f"the arguments of {cls.name} are no tuple")
        self._charge(cls, arguments)
        self._push(self._checked(cls.make(arguments)))

    def _charge(self, function: Known, arguments: tuple[Any, ...]) -> None:
        """One big argument can be passed again and again: reading it costs what writing it did."""
        for argument in (arguments, *arguments[:8]):
            if isinstance(argument, tuple | list | dict):
                self.budget.spend("opcodes", len(argument))
            elif function.copies and isinstance(argument, str | bytes | bytearray | memoryview):
                self.budget.spend("copies", len(argument))

    def _checked(self, value: Any) -> Any:
        """A call's result; lists of pairs and items become dicts and sets here, where keys are rationed."""
        if isinstance(value, PickledPairs):
            return OrderedDict(self._pairs([part for pair in value.pairs for part in pair]))
        if isinstance(value, Items):
            return value.kind(self._set_of(value.items))
        return value

    def _build(self) -> None:
        state, target = self._pop(), self._pop()
        if isinstance(target, Unfinished):
            built, keys, target.memo_keys = target.build(state), target.memo_keys, []
            for key in keys:
                self.memo[key] = built
            target = built
        elif isinstance(target, PickledObject):
            target.state = state
        elif not isinstance(target, OrderedDict):  # a state dict's `_metadata` says nothing about its tensors
            raise RefusedError(f"refuses to set the state of {_shown(target)}")
        self.stack.append(target)

    def _persistent(self, identity: Any) -> None:
        if self.persistent is None:
            raise RefusedError("a persistent id, which this format does not use")
        self.stack.append(self.persistent(identity))

    def _frame(self, length: int) -> None:
        if length > len(self.view):
            raise RefusedError("a frame runs past the end (the file is truncated or damaged)")

    def _protocol(self, version: int) -> None:
        if version > 5:
            raise RefusedError(f"pickle protocol {version} is unknown")


def _shown(value: Any) -> str:
    return value.name if isinstance(value, Known) else f"a {type(value).__name__}"


def _refuse(name: str) -> Callable[[Unpickler, Any], NoReturn]:
    def step(_machine: Unpickler, _argument: Any) -> NoReturn:
        raise RefusedError(f"refuses the opcode {name}")

    return step


def _instance(machine: Unpickler, argument: tuple[str, str]) -> NoReturn:
    known = machine._global(*argument)
    raise RefusedError(f"refuses to make an object of {known.name}")


def _stack_global(machine: Unpickler, _argument: None) -> None:
    name, module = machine._pop(), machine._pop()
    machine.stack.append(machine._global(module, name))


def _item(machine: Unpickler, _argument: None) -> None:
    value, key = machine._pop(), machine._pop()
    machine._set_items([key, value])


def _append_one(machine: Unpickler, _argument: None) -> None:
    value = machine._pop()
    machine._append([value])


def _tuple_of(count: int) -> Callable[[Unpickler, Any], None]:
    def step(machine: Unpickler, _argument: Any) -> None:
        machine.stack.append(tuple(reversed([machine._pop() for _ in range(count)])))

    return step


def _pop_one(machine: Unpickler, _argument: None) -> None:
    """POP drops the top, or the mark if that is what lies on top."""
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine._pop()


_PUSHED = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
_REFUSED = ("OBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER")

_STEPS: dict[str, Callable[[Unpickler, Any], Any]] = {
    **dict.fromkeys(_PUSHED, Unpickler._push),
    **{name: _refuse(name) for name in _REFUSED},
    "PROTO": Unpickler._protocol,
    "FRAME": Unpickler._frame,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "POP": _pop_one,
    "POP_MARK": lambda machine, _: machine._pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine._top()),
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_SET": lambda machine, _: machine.stack.append(set()),
    "LIST": lambda machine, _: machine.stack.append(machine._pop_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine._pop_mark())),
    "DICT": lambda machine, _: machine.stack.append(dict(machine._pairs(machine._pop_mark()))),
    "FROZENSET": lambda machine, _: machine.stack.append(frozenset(machine._set_of(machine._pop_mark()))),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": _append_one,
    "APPENDS": lambda machine, _: machine._append(machine._pop_mark()),
    "SETITEM": _item,
    "SETITEMS": lambda machine, _: machine._set_items(machine._pop_mark()),
    "ADDITEMS": lambda machine, _: machine._add_items(machine._pop_mark()),
    "PUT": Unpickler._put,
    "BINPUT": Unpickler._put,
    "LONG_BINPUT": Unpickler._put,
    "MEMOIZE": Unpickler._put,
    "GET": Unpickler._get,
    "BINGET": Unpickler._get,
    "LONG_BINGET": Unpickler._get,
    "GLOBAL": lambda machine, argument: machine.stack.append(machine._global(*argument)),
    "STACK_GLOBAL": _stack_global,
    "INST": _instance,
    "REDUCE": lambda machine, _: machine._reduce(),
    "NEWOBJ": lambda machine, _: machine._new(),
    "BUILD": lambda machine, _: machine._build(),
    "PERSID": Unpickler._persistent,
    "BINPERSID": lambda machine, _: machine._persistent(machine._pop()),
}
