"""Pictures and databases that were cut off, or that would take the memory."""

from __future__ import annotations

import io
from pathlib import Path

import lmdb
import pytest
from PIL import Image

from unit59.foundation.sources import Database, InputError, decode


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_database_is_refused(tmp_path: Path, kept: float) -> None:
    folder = tmp_path / "lmdb"
    with lmdb.open(str(folder), map_size=2**24) as made, made.begin(write=True) as transaction:
        for number in range(50):
            transaction.put(f"{number:03d}".encode(), bytes(20_000))
    file = folder / "data.mdb"
    whole = file.read_bytes()
    assert len(Database(folder).read(49)) == 20_000
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "data.mdb").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match=r"cut: data\.mdb has \d+ bytes, .* it was cut off"):
        Database(cut)


@pytest.mark.parametrize("size", [(40_000, 1), (1, 40_000)])
def test_a_picture_too_long_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("1", size).save(file, "PNG")
    with pytest.raises(InputError, match=r"long.png: .* pixels; .* at most 32768 on a side"):
        decode(file.getvalue(), "long.png")
