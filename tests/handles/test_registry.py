"""What a recipe may name as a handle, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unit59.handles import CHANNEL, Channel, HandleError, Style
from unit59.handles.registry import HANDLES, load_handle


def test_built_in_handles_have_names(tmp_path: Path) -> None:
    assert load_handle("channel", tmp_path) == CHANNEL
    assert load_handle({"channel": None}, tmp_path) == CHANNEL
    styles = load_handle({"style": {"layers": ["layer6"], "name": "look"}}, tmp_path)
    assert isinstance(styles, Style)
    assert (styles.layers, styles.title, styles.own) == (["layer6"], "look", None)
    assert {name: kind.__name__.lower() for name, kind in HANDLES.items()} == {name: name for name in HANDLES}


def test_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from unit59.handles import Channel\nclass Mine(Channel):\n    seed: int = 0\nclass Other: pass\n"
    )
    mine = load_handle({"mine:Mine": {"seed": 3}}, tmp_path)
    assert isinstance(mine, Channel)
    assert mine.own is not None
    assert mine.own.spec == "mine:Mine"
    assert mine.title == "mine"
    for spec, says in (
        ("mine:Other", "handle mine:Other: is no subclass of unit59.handles.Handle."),
        ({"mine:Mine": {"sed": 3}}, "mine:Mine: there is no setting 'sed'; did you mean 'seed'?"),
        ({"mine:Mine": {"seed": "x"}}, "mine:Mine: setting seed: .*got 'x'"),
    ):
        with pytest.raises(HandleError, match=says):
            load_handle(spec, tmp_path)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("styles", r"there is no handle 'styles'; did you mean 'style'\? Known: channel, style, or package"),
        ({"style": {"layer": "layer6"}}, r"style: there is no setting 'layer'; did you mean 'layers'\?"),
        ({"style": "layer6"}, r"style: expected settings such as `\{layers: \[layer6\]\}`, got 'layer6'"),
        ({"style": {}, "channel": {}}, "expected a name, or one `name: settings`, got .* Known: channel,"),
        (7, "expected a name, or one `name: settings`, got 7"),
        ("nowhere:Mine", r"handle nowhere:Mine: cannot import nowhere: there is no nowhere\.py below"),
        ("os:system", "handle os:system: cannot import os"),
    ],
)
def test_mistakes(tmp_path: Path, spec: Any, says: str) -> None:
    with pytest.raises(HandleError, match=says):
        load_handle(spec, tmp_path)
