"""The guide's study of one's own is done, and says what the results say."""

from __future__ import annotations

from pathlib import Path

import torch

from tests import tiny
from tests.test_docs import follow
from unit59.results import ReportRecord, read_model


def test_the_page(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    torch.save({"netG_state_dict": tiny.tensors()}, tmp_path / "weights/generator.pth")
    follow("docs/guide/studies.md", tmp_path)
    results = read_model(tmp_path / "results/mine")
    (study,) = results.studies
    assert isinstance(study.record, ReportRecord)
    assert study.record.settings == {"quantile": "0.9"}
    values = [layer.units["maximum"].quantile(0.9) for layer in results.layers]
    assert study.tables["layers.parquet"]["value"].to_list() == values
