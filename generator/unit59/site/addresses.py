"""Names as parts of addresses: the same name always has the same address, whatever other names there are."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

_K = TypeVar("_K", bound=Hashable)

#: An address's part as a file's name, in bytes: letters may take four.
MOST_BYTES = 120
#: Files that lie beside pages: a page of such a name would stand in a file's place.
FILE_NAME = re.compile(r"\.(html?|md|json|js|csv|parquet|webp|ya?ml|xml|gz)$", re.IGNORECASE)


def slug(name: str) -> str:
    """A name in lower case, letters of all scripts kept, everything else folded to `-`.

    A name that cannot be read back from it (other than by spaces) carries a short hash of the name, so that
    no two names have one address.

    >>> slug("double bed"), slug("left_eye"), slug("ベッド"), slug("index.html")
    ('double-bed', 'left_eye', 'ベッド', 'index.html-0eb547')
    >>> slug("a/b") == slug("a b"), slug("a/b").startswith("a-b-")
    (False, True)
    """
    plain = unicodedata.normalize("NFC", name)
    kept = "".join(letter if _stays(letter) else " " for letter in plain.lower())
    folded = _cut("-".join(kept.split()).strip("-."))
    same = folded.replace("-", " ") == name and not FILE_NAME.search(folded)
    return folded if folded and same else _marked(folded, name)


def place(name: str) -> str:
    """A name that may be part of an address as it is; with a hash where a file might have that name.

    >>> place("layer2"), place("b8.conv0"), place("units.csv")
    ('layer2', 'b8.conv0', 'units.csv-5bb43a')
    """
    return _marked(name, name) if FILE_NAME.search(name) else name


def distinct(wanted: Mapping[_K, str], taken: Iterable[str] = ()) -> dict[_K, str]:
    """The addresses; where one is taken or wanted by several, each gets it with a short hash of its own key.

    So it does not matter in which order they come.
    """
    counts = Counter([*wanted.values(), *taken])
    return {key: text if counts[text] == 1 else _marked(text, repr(key)) for key, text in wanted.items()}


def _stays(letter: str) -> bool:
    # Marks belong to letters in many scripts.
    return letter in "_." or unicodedata.category(letter)[0] in "LMN"


def _cut(text: str) -> str:
    return text.encode()[:MOST_BYTES].decode(errors="ignore").strip("-.")


def _marked(text: str, name: str) -> str:
    """The text with the name's hash."""
    return f"{text or 'unnamed'}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:6]}"
