"""Names from strangers' files on a terminal: it obeys control characters, so they do not reach it."""

from __future__ import annotations

import unicodedata

#: Joiners that some scripts spell words with.
_JOINERS = "\u200c\u200d"


def is_printable(text: str) -> bool:
    """Whether it holds no control character, no half of a surrogate pair, no line break."""
    return all(_shows(character) for character in text)


def printable(text: str, keep: str = "\n\t") -> str:
    """`text` with a question mark for each character that a terminal might obey, but those to `keep`."""
    return "".join(character if character in keep or _shows(character) else "?" for character in text)


def _shows(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
