"""`unit59 inspect` and `unit59 convert`, as a user runs them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

from tests.published import FIXTURES, REDUCE, STYLEGAN, generator_files
from unit59.checkpoints import CheckpointError
from unit59.checkpoints.published import PUBLISHED, published
from unit59.cli import app
from unit59.commands.inspect import inspect
from unit59.commands.listing import show
from unit59.foundation.files import sha256_of
from unit59.networks import load

FILES = {path.name: path for path in generator_files()}


@pytest.mark.parametrize("name", FILES)
def test_every_generator(name: str) -> None:
    found, net = inspect(FILES[name]), load(FILES[name])
    assert found.family == net.family
    assert found.resolution == list(net.resolution)
    assert found.sha256 == sha256_of(FILES[name])
    assert [(row.name, row.units, row.height) for row in found.layers] == [
        (layer.name, layer.units, layer.height) for layer in net.layers.values()
    ]


def test_other_files_list_their_tensors(tmp_path: Path) -> None:
    found = inspect(FIXTURES / "upernet" / "upp_small_encoder_epoch_40.pth")
    assert found.family is None
    assert "encoder" in found.holds
    assert (found.tensors[0].name, found.tensors[0].shape) == ("conv1.weight", [4, 3, 3, 3])
    torch.save({"model": {"a": torch.zeros(2, 3)}, "losses": [0.5], "step": 3}, tmp_path / "other.pth")
    found = inspect(tmp_path / "other.pth")
    assert found.holds == "no network of a known family: 1 tensors"
    assert [(row.name, row.shape) for row in found.tensors] == [("model/a", [2, 3])]
    with pytest.raises(CheckpointError, match="no network of a known family"):
        load(tmp_path / "other.pth")


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "karras2019stylegan-bedrooms-256x256.pkl"
    path.write_bytes(STYLEGAN.read_bytes())
    plain = CliRunner().invoke(app, ["inspect", str(path)])
    assert plain.exit_code == 0
    assert "layer6  16     32x32  synthesis/32x32/Conv0_up" in plain.stdout
    assert "licence     CC BY-NC 4.0" in plain.stdout
    assert "https://github.com/NVlabs/stylegan" in plain.stdout
    parsed = json.loads(CliRunner().invoke(app, ["inspect", "--json", str(path)]).stdout)
    assert parsed["family"] == "stylegan"
    assert parsed["layers"][6]["units"] == 16
    out = tmp_path / "net.safetensors"
    converted = CliRunner().invoke(app, ["convert", str(path), str(out)])
    assert converted.exit_code == 0
    assert f"{out.stat().st_size:,} bytes" in converted.stdout
    assert inspect(out).licence == "CC BY-NC 4.0"
    z = torch.ones(1, 32)
    assert torch.equal(load(out).generate(z), load(path).generate(z))


def test_bad_files_say_what_is_wrong() -> None:
    result = CliRunner().invoke(app, ["inspect", str(REDUCE)])
    assert isinstance(result.exception, CheckpointError)
    assert "posix.system" in str(result.exception)


def test_missing_published_files_say_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "karras2018iclr-lsun-bedroom-256x256.pkl"
    with pytest.raises(CheckpointError) as caught:
        load(path)
    for part in (str(path), "progressive_growing_of_gans", "CC BY-NC 4.0", "ut it "):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("karras2019stylegan-cars-512x384.pkl", "StyleGAN, official"),
        ("karras2018iclr-celebahq-1024x1024.pkl", "Progressive GAN, official"),
        ("livingroom_lsun.pth", "GAN Dissection"),
        ("proggan_bedroom-d8a89ff1.pth", "GAN Dissection"),
        ("ffhq.pkl", "StyleGAN2-ADA"),
        ("stylegan3-t-ffhq-1024x1024.pkl", "StyleGAN3"),
        ("stylegan2-ffhq-256x256.pkl", "StyleGAN2"),
        ("sat2map.pth", "pix2pix"),
        ("decoder_epoch_40.pth", "Unified Parsing"),
    ],
)
def test_published_names(name: str, what: str) -> None:
    known = published(name)
    assert known is not None
    assert known.what.startswith(what) or what in known.what
    assert known.page.startswith("https://")


def test_other_names_are_not_published() -> None:
    assert published("model.pkl") is None
    assert published("x-ffhq.pkl") is None
    assert len({entry.what for entry in PUBLISHED}) == len(PUBLISHED)


def test_names_from_a_file_do_not_command_the_terminal(tmp_path: Path) -> None:
    torch.save({"\x1b[31mred[bold]": torch.zeros(1)}, tmp_path / "file.pth")
    for terminal in (True, False):
        console = Console(file=StringIO(), force_terminal=terminal, color_system=None, width=100)
        show(inspect(tmp_path / "file.pth"), console)
        assert isinstance(console.file, StringIO)
        printed = console.file.getvalue()
        assert "?[31mred[bold]" in printed
        assert "\x1b[31mred" not in printed
