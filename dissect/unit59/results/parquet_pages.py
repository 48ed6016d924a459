"""What a Parquet file holds when it is unpacked, by the headers of its pages, before anything is unpacked.

A few bytes may stand for a list of a billion numbers, or for gigabytes of text, and a footer may say less
than its pages hold. So the pages themselves are asked, as a reader goes through them. Headers and footer are
structures of the compact protocol of Thrift, of which this reads what Parquet uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Bytes of a footer, and pages, of which none of our tables has a hundredth.
MOST_FOOTER, MOST_PAGES = 1 << 22, 100_000

_MAGIC = b"PAR1"
# Fields of the structures, by their numbers in Parquet's definition.
_ROW_GROUPS, _COLUMNS, _METADATA = 4, 1, 3
_COMPRESSED, _DATA_AT, _DICTIONARY_AT = 7, 9, 11
_UNPACKED_SIZE, _SIZE, _DATA_PAGES, _VALUES = 2, 3, (5, 8), 1


def unpacked(data: bytes) -> tuple[int, int]:
    """How many values all pages of a file hold, and how many bytes they take, unpacked.

    Raises:
        ValueError: it is no Parquet file.
    """
    values = size = 0
    try:
        for number, page in enumerate(_pages(data)):
            if number == MOST_PAGES:
                raise ValueError(f"more than {MOST_PAGES} pages")
            values += sum(page[kind][_VALUES] for kind in _DATA_PAGES if kind in page)
            size += page[_UNPACKED_SIZE]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"a header that is none ({type(error).__name__})") from None
    return values, size


def _pages(data: bytes) -> Iterator[dict[int, Any]]:
    """The header of every page."""
    footer = int.from_bytes(data[-8:-4], "little")
    if not data.endswith(_MAGIC) or footer > min(MOST_FOOTER, len(data)):
        raise ValueError("no footer")
    left = len(data)
    for group in _Compact(data, left - 8 - footer, left - 8).struct()[_ROW_GROUPS]:
        for column in group[_COLUMNS]:
            known = column[_METADATA]
            at = known.get(_DICTIONARY_AT, known[_DATA_AT])
            end = at + known[_COMPRESSED]
            left -= known[_COMPRESSED]
            if not 0 <= at <= end <= len(data) or left < 0:
                raise ValueError("columns that leave the file, or overlap")
            while at < end:
                reader = _Compact(data, at, end)
                page = reader.struct()
                if page[_SIZE] < 0 or page[_UNPACKED_SIZE] < 0:
                    raise ValueError("a page of less than nothing")
                at = reader.at + page[_SIZE]
                yield page


class _Compact:
    """Reads Thrift's compact protocol.

    Args:
        data: the bytes.
        at: where a structure begins.
        end: where nothing of it is any more.

    Attributes:
        at: where what is read next begins.
    """

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self.at, self._end = data, at, end

    def struct(self) -> dict[int, Any]:
        """A structure: its values by the numbers of its fields; text is left out."""
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            found[field] = kind == 1 if kind in (1, 2) else self._value(kind)  # a field's kind is its truth
        return found

    def _value(self, kind: int) -> Any:
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (7, 8):
            self._skip(8 if kind == 7 else self._unsigned())
            return None
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15) for _ in range(count)]
        if kind == 12:
            return self.struct()
        raise ValueError(f"a value of the unknown kind {kind}")

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > self._end:
            raise ValueError("a header without an end")

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self.at - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("an endless number")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
