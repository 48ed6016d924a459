"""A finished run that nothing disturbed, to compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tiny


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe's results; only to be read."""
    return tiny.run(tmp_path_factory.mktemp("finished"))
