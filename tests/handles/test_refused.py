"""What a handle of one's own may do wrong: one line with handle, layer and samples, exit status 2."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.newcomers import planted, running
from tests.test_cli import call

MODULE = """
import sys
import torch
from unit59.handles import Handle

class Mine(Handle):
    def units(self, network, layer):
        {units}
        return layer.units
    def read(self, network, layer, state):
        x = state["x"]
        {read}
        return x
    def write(self, network, layer, state, old, new):
        {write}
        return {{**state, "x": new}}
    def silent(self, usual):
        {silent}
        return torch.zeros_like(usual)

class Flat(Mine):
    maps = False
"""
PLACES = ("units", "read", "write", "silent")


def write(folder: Path, handles: str, more: str = "", **faults: str) -> Path:
    shutil.copy(planted.__file__, folder)
    (folder / "mine.py").write_text(MODULE.format(**{**dict.fromkeys(PLACES, "pass"), **faults}))
    recipe = folder / "planted.yaml"
    recipe.write_text(
        running.RECIPE.format(checkpoint="planted:network") + f"layers: [layer1]\nhandles: {handles}\n" + more
    )
    return recipe


def refused(capsys: pytest.CaptureFixture[str], recipe: Path) -> str:
    folder = recipe.parent
    places = ("--results", folder / "results", "--cache", folder / "cache", "--quiet")
    status, out, err = call(capsys, "dissect", recipe, *places)
    assert (status, out) == (2, ""), err
    assert "Traceback" not in err
    assert err.startswith("unit59: ")
    return err


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"units": "raise ValueError('how many?')"}, "units: ValueError: how many? ({file}, line 8)"),
        ({"units": "return 'all'"}, "units returned 'all', expected a number from 0 to 65536."),
        ({"units": "return -1"}, "units returned -1, expected a number from 0 to 65536."),
        ({"units": "return True"}, "units returned True, expected a number from 0 to 65536."),
        ({"units": "return 10**9"}, "units returned 1000000000, expected a number from 0 to 65536."),
        ({"units": "return 0"}, "no dissected layer of this planted has mine units."),
    ],
)
def test_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fault: dict[str, str], says: str
) -> None:
    said = refused(capsys, write(tmp_path, "[mine:Mine]", **fault))
    assert "planted.yaml:12: handles.0: " in said
    assert says.format(file=tmp_path / "mine.py") in said
    assert nothing_made(tmp_path)


def test_a_name_that_no_folder_can_have(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = refused(capsys, write(tmp_path, f"[mine:Mine: {{name: {'x' * 80}}}]"))
    assert f"handles.0: 'layer1.{'x' * 80}' is no name for a folder" in said


def nothing_made(folder: Path) -> bool:
    """Whether the cache holds no sample."""
    return not list((folder / "cache").rglob("samples"))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"read": "raise ValueError('bad day')"}, "read: ValueError: bad day ({file}, line 12)"),
        ({"read": "sys.exit(0)"}, "read: it called sys.exit(0)"),
        ({"read": "x = x[:, :3]"}, "read returned torch.float32 [8, 3, 16, 16], expected [8, 12, 16, 16]."),
        ({"read": "x = x.mean((2, 3), keepdim=True)"}, "[8, 12, 1, 1], expected [8, 12, 16, 16]."),
        (
            {"read": "x = x.half()"},
            "read returned torch.float16 [8, 12, 16, 16], expected dense maps, float32",
        ),
        ({"read": "x = x.to(torch.complex64)"}, "read returned torch.complex64"),
        ({"read": "x = x.to_sparse()"}, "read returned torch.float32 [8, 12, 16, 16], expected dense maps"),
        ({"read": "x = None"}, "read returned NoneType, expected dense maps"),
        ({"write": "raise KeyError('w')"}, "write: KeyError: 'w' ({file}, line 15)"),
        ({"write": "return new"}, "write returned torch.float32 [8, 12, 16, 16], expected the state"),
        ({"write": "sys.exit(0)"}, "write: it called sys.exit(0)"),
        ({"write": "new = None"}, "write returned NoneType, expected float32 [8, 12, 16, 16] as its `x`"),
        ({"write": "new = new * float('nan')"}, "write returned values that are not finite"),
        (
            {"write": "new = new[:4]"},
            "write returned torch.float32 [4, 12, 16, 16], expected float32 [8, 12, 16, 16]",
        ),
    ],
)
def test_while_samples_are_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fault: dict[str, str], says: str
) -> None:
    said = refused(capsys, write(tmp_path, "[mine:Mine]", **fault))
    where = "samples 0 to 7" if "read" in fault else "sample 0"  # all of a pass, the first on a strip
    assert f"the handle, {where}: handle mine:Mine, layer layer1: " in said
    assert says.format(file=tmp_path / "mine.py") in said


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("raise ValueError('no zero')", "silent: ValueError: no zero ({file}, line 18)."),
        ("return 0", "silent returned int, expected [12, 1, 1]."),
        ("return usual * float('nan')", "silent returned values that are not finite (NaN or infinite)."),
    ],
)
def test_the_levels(capsys: pytest.CaptureFixture[str], tmp_path: Path, fault: str, says: str) -> None:
    said = refused(capsys, write(tmp_path, "[mine:Mine]", silent=fault))
    assert f"handle mine:Mine, layer layer1: {says}".format(file=tmp_path / "mine.py") in said


def test_values_that_are_not_finite(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fault = "x = x.clone(); x[5, 3] = float('nan')"
    said = refused(capsys, write(tmp_path, "[mine:Mine]", read=fault))
    assert "layer layer1.mine of handle mine:Mine, unit 3, sample 5: the activation is not finite" in said


@pytest.mark.parametrize(
    ("handle", "effects", "says"),
    [
        (
            "style",
            "",
            "layer1.style has no maps over the picture, so nothing can agree with it; ",
        ),
        ("mine:Flat", "", "and the recipe asks for none: add `effects: {}`."),
        ("style", "effects: {layers: [layer1]}", "add 'layer1.style' to `effects.layers`."),
    ],
)
def test_units_without_maps_of_which_nothing_would_be_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, handle: str, effects: str, says: str
) -> None:
    said = refused(capsys, write(tmp_path, f"[mine:Mine, {handle}]", effects))
    assert "planted.yaml:12: handles.1: " in said
    assert says in said
    assert nothing_made(tmp_path)
