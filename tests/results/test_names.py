"""Names that become folders and addresses: none breaks a page, moves, or meets another."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from unit59.foundation.files import file_name
from unit59.results.record import Line, Name

NAME, LINE = TypeAdapter(Name), TypeAdapter(Line)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".git", "index.html", "INDEX.HTML", "a.md", "a/b", "a\x00b", "a\n", "a-", "é"]
)
def test_a_name_that_breaks_an_address_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@pytest.mark.parametrize(
    "text", ["index.html", "README.md", "枕", "枕頭", "café", "???", "", "x" * 200, "a b", "_x", "b8.conv0"]
)
def test_every_text_has_a_name(text: str) -> None:
    assert NAME.validate_python(file_name(text)) == file_name(file_name(text))


def test_other_scripts_keep_names_of_their_own() -> None:
    names = {file_name(text) for text in ("枕", "枕頭", "подушка", "???", "x" * 200, "x" * 201)}
    assert len(names) == 6
    assert file_name("a b/c") == "a-b-c"


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\x00", "a\nb"])
def test_a_line_holds_no_control_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)
