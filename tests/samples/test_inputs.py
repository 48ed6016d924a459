"""Inputs against slow references, and what each of them says when something is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unit59.foundation import sources
from unit59.foundation.sources import InputError
from unit59.samples.forms import load_inputs
from unit59.samples.inputs import Pairs, Preparation

RNG = np.random.default_rng(59)


def picture(height: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(pixels: np.ndarray[Any, Any], kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def levels(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """Back to uint8 [N,H,W,3]."""
    return ((tensor + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def database(folder: Path, values: dict[bytes, bytes]) -> Path:
    with lmdb.open(str(folder), map_size=2**24) as environment, environment.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)
    return folder


def test_folder_is_sorted_and_exact(tmp_path: Path) -> None:
    given = {"b.png": picture(6, 6), "a/z.bmp": picture(6, 6), "a.png": picture(6, 6)}
    for name, pixels in given.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / ".hidden.png").write_bytes(b"not read")
    (tmp_path / "notes.txt").write_text("not read")
    loaded = load_inputs({"folder": "."}, tmp_path, (6, 6))
    assert len(loaded) == 3
    found = loaded.load([0, 1, 2])
    assert found.dtype == torch.float32
    assert (levels(found) == np.stack([given["a.png"], given["a/z.bmp"], given["b.png"]])).all()
    assert found.min() >= -1
    assert found.max() <= 1
    assert torch.equal(loaded.load([2, 0]), found[[2, 0]])
    assert loaded.load([]).shape == (0, 3, 6, 6)


def test_crop_takes_the_middle_and_squash_takes_all(tmp_path: Path) -> None:
    pixels = picture(4, 10)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    cropped = load_inputs(str(tmp_path), tmp_path, (4, 4)).load([0])
    assert (levels(cropped)[0] == pixels[:, 3:7]).all()
    squashed = load_inputs({"folder": ".", "fit": "squash", "resample": "nearest"}, tmp_path, (4, 5)).load(
        [0]
    )
    assert (levels(squashed)[0] == pixels[:, 1::2]).all()
    assert load_inputs({"folder": ".", "size": 8}, tmp_path, (4, 4)).load([0]).shape == (1, 3, 8, 8)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.booleans())
def test_every_size_fits(height: int, width: int, to_height: int, to_width: int, crop: bool) -> None:
    prepare = Preparation(to_height, to_width, "crop" if crop else "squash")
    grey = Image.new("RGB", (width, height), (51, 102, 204))
    made = prepare(grey)
    assert made.shape == (3, to_height, to_width)
    assert torch.allclose(made.flatten(1).std(1, correction=0), torch.zeros(3))


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_aligned_pairs(tmp_path: Path, direction: str) -> None:
    left, right = picture(6, 6), picture(6, 6)
    Image.fromarray(np.concatenate([left, right], 1)).save(tmp_path / "1.png")
    pairs = load_inputs({"pairs": ".", "direction": direction}, tmp_path, (6, 6))
    assert isinstance(pairs, Pairs)
    given, wanted = (left, right) if direction == "AtoB" else (right, left)
    assert (levels(pairs.load([0]))[0] == given).all()
    assert (levels(pairs.wanted.load([0]))[0] == wanted).all()


def test_two_folders_are_paired_by_name(tmp_path: Path) -> None:
    names = ["a.b", "a", "a-1"]
    maps, images = {name: picture(4, 4) for name in names}, {name: picture(4, 4) for name in names}
    for folder, content, suffix in (("maps", maps, "png"), ("images", images, "bmp")):
        (tmp_path / folder).mkdir()
        for name, pixels in content.items():
            Image.fromarray(pixels).save(tmp_path / folder / f"{name}.{suffix}")
    pairs = load_inputs({"labels": "maps", "images": "images"}, tmp_path, (4, 4))
    assert isinstance(pairs, Pairs)
    order = sorted(names)
    assert (levels(pairs.load([0, 1, 2])) == np.stack([maps[name] for name in order])).all()
    assert (levels(pairs.wanted.load([0, 1, 2])) == np.stack([images[name] for name in order])).all()
    (tmp_path / "images" / "a.bmp").unlink()
    with pytest.raises(InputError, match=r"maps: 'a' has no counterpart of that name in .*images"):
        load_inputs({"labels": "maps", "images": "images"}, tmp_path, (4, 4))


def test_lsun_in_key_order_whatever_order_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "STRIDE", 4)
    pictures = {f"{number:02d}".encode(): picture(5, 5) for number in range(11)}
    shuffled = dict(sorted(pictures.items(), key=lambda item: item[0][::-1]))
    database(tmp_path / "db", {key: encoded(value, "WEBP", lossless=True) for key, value in shuffled.items()})
    expected = np.stack([pictures[key] for key in sorted(pictures)])
    for order in (range(11), range(10, -1, -1), (7, 7, 0, 10, 3, 4, 8)):
        loaded = load_inputs({"lsun": "db"}, tmp_path, (5, 5))  # beside the one before
        assert len(loaded) == 11
        assert (levels(loaded.load(list(order))) == expected[list(order)]).all()
    with pytest.raises(InputError, match="no input number 11"):
        loaded.load([11])


def test_lsun_jpeg_and_a_broken_value(tmp_path: Path) -> None:
    jpeg = encoded(picture(8, 8), "JPEG")
    database(tmp_path / "db", {b"a": jpeg, b"b": jpeg[:-40], b"c": b"no picture"})
    loaded = load_inputs({"lsun": "db"}, tmp_path, (8, 8))
    reference = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    assert (levels(loaded.load([0]))[0] == reference).all()
    for number, key in ((1, "b"), (2, "c")):
        with pytest.raises(InputError, match=rf"db key '{key}': not a readable picture"):
            loaded.load([number])


def test_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no LMDB folder .it has no data.mdb"):
        load_inputs({"lsun": "."}, tmp_path, (8, 8))
    (tmp_path / "data.mdb").write_bytes(b"\0" * 9000)
    with pytest.raises(InputError, match="not a readable LMDB database"):
        load_inputs({"lsun": "."}, tmp_path, (8, 8))
    database(tmp_path / "empty", {})
    with pytest.raises(InputError, match="an empty LMDB database"):
        load_inputs({"lsun": "empty"}, tmp_path, (8, 8))


def test_colour_modes_become_rgb() -> None:
    grey16 = (np.arange(16, dtype=np.uint16).reshape(4, 4) * 4369).astype(np.uint16)
    assert np.asarray(sources.decode(encoded(grey16), "x"))[..., 0].tolist() == (grey16 // 257).tolist()
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    stream = io.BytesIO()
    palette.save(stream, "PNG")
    assert np.asarray(sources.decode(stream.getvalue(), "x"))[0, 0].tolist() == [10, 20, 30]


def test_exif_turns_the_picture_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = sources.decode(encoded(picture(4, 8), "JPEG", exif=exif), "x")
    assert turned.size == (4, 8)


def test_hostile_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded(picture(8, 8))
    monkeypatch.setattr(sources, "MAX_PIXELS", 63)
    with pytest.raises(InputError, match=r"x\.png: 8 x 8 pixels; at most 63"):
        sources.decode(whole, "x.png")
    monkeypatch.undo()
    for bad in (b"", whole[:50], whole[:-60], b"%!PS-Adobe-3.0 EPSF-3.0\n", whole.replace(b"IHDR", b"IHDX")):
        with pytest.raises(InputError, match=r"x\.png: not a readable picture"):
            sources.decode(bad, "x.png")
    (tmp_path / "big.png").write_bytes(whole)
    monkeypatch.setattr(sources, "MAX_BYTES", 10)
    with pytest.raises(InputError, match=r"big\.png: \d+ bytes; at most 10"):
        load_inputs(str(tmp_path), tmp_path, (8, 8)).load([0])


def test_random_damage_is_always_an_input_error() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM"):
        whole = bytearray(encoded(picture(9, 9), kind))
        for _ in range(60):
            broken = bytearray(whole)
            for place in RNG.integers(0, len(broken), 3):
                broken[place] ^= 1 << int(RNG.integers(8))
            try:
                assert sources.decode(bytes(broken), "x").mode == "RGB"
            except InputError as error:
                assert str(error).startswith("x: ")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(picture(4, 4)))
    loaded = load_inputs(str(tmp_path), tmp_path, (4, 4))
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png: No such file"):
        loaded.load([0])


def test_fingerprint_covers_content_and_preparation(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(encoded(picture(4, 4)))
    first = load_inputs(str(tmp_path), tmp_path, (4, 4))
    one, both = first.fingerprint([0]), first.fingerprint([0, 1])
    assert len({one, both, load_inputs(str(tmp_path), tmp_path, (4, 5)).fingerprint([0, 1])}) == 3
    (tmp_path / "b.png").write_bytes(encoded(picture(4, 4)))
    again = load_inputs(str(tmp_path), tmp_path, (4, 4))
    assert again.fingerprint([0]) == one
    assert again.fingerprint([0, 1]) != both


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (3, "expected a mapping"),
        ({}, "expected exactly one of folder, lsun, pairs, labels"),
        ({"foldr": "x"}, "did you mean 'folder'"),
        ({"folder": "x", "lsun": "y"}, "exactly one"),
        ({"folder": "x", "siz": 3}, "no setting 'siz'; did you mean 'size'"),
        ({"folder": "x", "size": 0}, "setting size"),
        ({"labels": "x"}, "setting images: Field required"),
        ({"pairs": "x", "direction": "CtoA"}, "setting direction"),
        ({"folder": "nowhere"}, "nowhere: there is no such folder"),
        ({"folder": "."}, "holds no image files"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(tmp_path: Path, spec: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_inputs(spec, tmp_path, (4, 4))


def test_the_same_stem_twice_is_ambiguous(tmp_path: Path) -> None:
    for name in ("maps/a.png", "maps/a.bmp", "images/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encoded(picture(4, 4), "BMP" if name.endswith("bmp") else "PNG"))
    with pytest.raises(InputError, match="maps: 'a' is there with two suffixes"):
        load_inputs({"labels": "maps", "images": "images"}, tmp_path, (4, 4))
