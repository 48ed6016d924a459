"""The pickle machine: everything that the standard library pickles from plain data, and nothing else."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit59.checkpoints import CheckpointError, read_checkpoint
from unit59.checkpoints.known import NETWORKS, PYTHON
from unit59.checkpoints.limits import Budget
from unit59.checkpoints.unpickle import Unpickler

_KEYS = st.one_of(
    st.text(), st.integers(-(2**59), 2**59), st.booleans(), st.none(), st.floats(allow_nan=False), st.binary()
)
_PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**2000), 2**2000),
        st.floats(allow_nan=False),
        st.text(),
        st.binary(max_size=200),
        st.sets(_KEYS, max_size=5),
        st.frozensets(_KEYS, max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(_KEYS, inner, max_size=5),
        st.dictionaries(st.text(), inner, max_size=3).map(OrderedDict),
    ),
    max_leaves=30,
)


def load(data: bytes, budget: Budget | None = None) -> Any:
    view = memoryview(bytearray(data))
    value, end = Unpickler("file", view, PYTHON | NETWORKS, budget or Budget()).load()
    assert end == len(data)
    return value


@given(_PLAIN, st.integers(0, 5))
def test_reads_what_the_standard_library_writes(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@given(_PLAIN, st.integers(0, 5), st.data())
def test_damaged_plain_data_is_refused_or_read(value: Any, protocol: int, data: st.DataObject) -> None:
    damaged = bytearray(pickle.dumps(value, protocol))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        Unpickler("file", memoryview(damaged), PYTHON, Budget()).load()
    except CheckpointError as error:
        assert "file" in str(error)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        Unpickler("file", memoryview(bytearray(b"\x80\x04" + data)), PYTHON, Budget()).load()
    except CheckpointError as error:
        assert "at byte" in str(error)


def test_long_bytes_are_views_of_the_file() -> None:
    value = load(pickle.dumps(bytes(range(256)) * 4))
    assert isinstance(value, memoryview)
    assert bytes(value) == bytes(range(256)) * 4


def test_shared_objects_stay_shared() -> None:
    shared = [1]
    first, second = load(pickle.dumps([shared, shared]))
    assert first is second


REFUSED = {
    "posix.system": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "os.system": b"cos\nsystem\n(S'touch pwned'\ntR.",
    "builtins.eval": b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
    "subprocess.Popen": b"(isubprocess\nPopen\n.",
    "builtins.getattr": b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.",
    "numpy.load": b"cnumpy\nload\n.",
    "torch.load": b"ctorch\nload\n.",
    "torch.hub.load": b"ctorch\nhub.load\n.",
    "torch.storage._load_from_bytes": b"ctorch.storage\n_load_from_bytes\n(C\x01\x00tR.",
}


@pytest.mark.parametrize("name", REFUSED)
def test_unknown_globals_are_refused_by_name(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"refuses the global '{name}'"):
        load(REFUSED[name])


MALFORMED = {
    "extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "object": (b"(ccollections\nOrderedDict\no.", "OBJ"),
    "keyword arguments": (b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "NEWOBJ_EX"),
    "out-of-band buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "call of data": (b"\x80\x02K\x01)R.", "refuses to call a int"),
    "call of what cannot be called": (b"cbuiltins\nobject\n)R.", "refuses to call builtins.object"),
    "new object of data": (b"\x80\x02K\x01)\x81.", "refuses to make an object of a int"),
    "state of a list": (b"\x80\x02]}b.", "refuses to set the state of a list"),
    "state of a global": (b"ccollections\nOrderedDict\n}b.", "set the state of collections.OrderedDict"),
    "persistent id": (b"\x80\x02K\x01Q.", "persistent id"),
    "persistent line": (b"Pabc\n.", "persistent id"),
    "empty stack": (b"\x80\x02R.", "stack is empty"),
    "pop below a mark": (b"K\x01(R.", "stack is empty"),
    "no mark": (b"\x80\x02u.", "no mark"),
    "odd items": (b"\x80\x02}(K\x01u.", "a key has no value"),
    "append to a dict": (b"\x80\x02}K\x01a.", "other than a list"),
    "items of a list": (b"\x80\x02](K\x01K\x02u.", "other than a dict"),
    "add to a list": (b"\x80\x04](K\x01\x90.", "other than a set"),
    "unhashable key": (b"\x80\x02}]K\x01s.", "a key or set item of type list"),
    "global as a key": (b"\x80\x02}ccollections\nOrderedDict\nK\x01s.", "of type Known"),
    "nested tuple as a key": (b"\x80\x02}K\x01\x85\x85K\x01s.", "of type tuple"),
    "long key": (b"\x80\x02}(" + b"N" * 17 + b"tK\x01s.", "a key of 17 parts"),
    "colliding key": (b"\x80\x02}\x8a\x08" + (2**61 - 1).to_bytes(8, "little") + b"K\x01s.", "of type int"),
    "memo never stored": (b"\x80\x02h\x05.", "memo 5"),
    "leftovers": (b"\x80\x02K\x01K\x02.", "left over"),
    "leftover mark": (b"\x80\x02K\x01(K\x02.", "left over"),
    "no stop": (b"\x80\x02K\x01", "truncated"),
    "protocol": (b"\x80\x06K\x01.", "protocol 6"),
    "frame": (b"\x80\x04\x95" + b"\xff" * 8 + b"K\x01.", "frame"),
    "terabytes": (b"\x80\x04\x8e" + struct.pack("<Q", 2**42) + b"x.", "runs past the end"),
    "terabytes of text": (b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"x.", "runs past the end"),
    "long integer": (b"\x80\x02\x8b" + struct.pack("<i", 2**30) + b"x.", "runs past the end"),
    "negative length": (b"\x80\x02\x8b" + struct.pack("<i", -5) + b"x.", "runs past the end"),
    "integer of a million digits": (b"L" + b"1" * 1_000_000 + b"L\n.", "malformed"),
    "integer": (b"Iabc\n.", "malformed"),
    "text": (b"\x80\x02X\x01\x00\x00\x00\xff.", "malformed"),
    "no opcode": (b"\x80\x02\x00.", "no pickle opcode"),
    "holds itself": (b"\x80\x02]q\x00h\x00a.", "holds itself"),
    "deep lists": (b"\x80\x02" + b"]" * 300 + b"a" * 299 + b".", "nested deeper"),
    "deep tuples": (b"\x80\x02)" + b"\x85" * 100_000 + b".", "nested deeper"),
    "encoding": (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.", "other than Latin-1"),
    "class of data": (b"ccopy_reg\n_reconstructor\n(K\x01c__builtin__\nobject\nNtR.", "does not know"),
    "persistent object": (
        b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n(}tR.",
        "without a class name",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_pickles_are_refused(name: str) -> None:
    data, message = MALFORMED[name]
    with pytest.raises(CheckpointError, match=message) as caught:
        load(data)
    assert "opcode, at byte" in str(caught.value)


def test_nesting_is_that_of_the_longest_way() -> None:
    """A part that lies near the top and, shared, also far below."""
    part: list[Any] = []
    for _ in range(150):
        part = [part]
    deep = part
    for _ in range(100):
        deep = [deep]
    for value in ([part, deep], [deep, part]):
        with pytest.raises(CheckpointError, match="nested deeper"):
            load(pickle.dumps(value))
    assert load(pickle.dumps([part, part]))


def test_work_is_bounded() -> None:
    with pytest.raises(CheckpointError, match="more opcodes"):
        load(b"\x80\x02" + b"}0" * 1000 + b"N.", Budget(opcodes=1000))
    with pytest.raises(CheckpointError, match="more text"):
        load(pickle.dumps(["x" * 5000, "y" * 5001]), Budget(text=10_000))
    with pytest.raises(CheckpointError, match="more odd keys"):
        load(pickle.dumps({float(n): n for n in range(101)}), Budget(odd_keys=100))


def test_passing_the_same_argument_again_costs_as_much() -> None:
    """A handful of opcodes that each make a large object out of one that is already there."""
    pairs = pickle.dumps([["a", 1]] * 1000, 2)[:-1]
    again = b"h\xf0\x85R0"
    attack = b"ccollections\nOrderedDict\nq\xf10" + pairs + b"q\xf00" + (b"h\xf1" + again) * 100 + b"N."
    with pytest.raises(CheckpointError, match="more opcodes"):
        load(attack, Budget(opcodes=20_000))
    text = pickle.dumps("x" * 1000, 2)[:-1]
    call = b"h\xf1(h\xf0X\x06\x00\x00\x00latin1tR0"
    attack = b"c_codecs\nencode\nq\xf10" + text + b"q\xf00" + call * 11 + b"N."
    with pytest.raises(CheckpointError, match="more copies"):
        load(attack, Budget(copies=10_000))
    assert load(attack) is None


def test_shared_containers_are_not_walked_again() -> None:
    """Each level holds the one below twice: 2 to the power of 60 ways, 60 lists."""
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    assert len(load(pickle.dumps(value))) == 2


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    for content, message in {
        b"": "empty",
        b"<!DOCTYPE html><html>": "web page",
        b"version https://git-lfs.github.com/spec/v1\noid": "Git LFS pointer",
        b"\x1f\x8b\x08": "gzipped",
        b"\x00" * 257 + b"ustar": "tar file",
        b"PK\x03\x04": "zip file is truncated",
        b"\xff\xd8\xff": "neither a pickle",
    }.items():
        path = tmp_path / "file.pkl"
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=message) as caught:
            read_checkpoint(path)
        assert str(path) in str(caught.value)
    with pytest.raises(CheckpointError, match="a folder"):
        read_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "nothing.pkl")


def test_an_ordered_dict_in_every_spelling() -> None:
    pairs = b"(]](X\x01\x00\x00\x00aK\x01eat"
    for call in (b"R.", b"\x81."):
        made = load(b"ccollections\nOrderedDict\n" + pairs + call)
        assert made == OrderedDict(a=1)
        assert isinstance(made, OrderedDict)
