"""One synthetic results folder and one built site for all tests of the site stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.utils.yaml import yaml_load

from tests.synthetic import write_results
from unit59.results import read_results
from unit59.site.site import Site

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("synthetic") / "results")


@pytest.fixture(scope="session")
def site(results: Path) -> Site:
    return Site.of(read_results(results))


Builder = Callable[..., Path]


@pytest.fixture(scope="session")
def build_site(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Build a site from `results`; keywords go into mkdocs.yml, `plugin` into the plugin's options."""

    def make(
        results: Path,
        *,
        docs: dict[str, str] | None = None,
        plugin: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Path:
        home = tmp_path_factory.mktemp("site")
        (home / "docs").mkdir()
        for name, text in (docs or {}).items():
            (home / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "docs" / name).write_text(text, "utf-8")
        base = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))
        # Guide pages are the project's own; a test's site has only what it says.
        base.pop("nav")
        base.pop("site_url")
        base.pop("docs_dir", None)
        base["plugins"] = ["search", {"unit59": {"results": str(results), "look": True, **(plugin or {})}}]
        (home / "mkdocs.yml").write_text(yaml.safe_dump({**base, **settings}), "utf-8")
        config = load_config(str(home / "mkdocs.yml"), strict=True)
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        return Path(config.site_dir)

    return make


@pytest.fixture(scope="session")
def built(results: Path, build_site: Builder) -> Path:
    return build_site(results, site_url="https://example.org/dissections/")
