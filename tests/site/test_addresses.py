"""Addresses: the same for the same name, whatever else there is, in any script, and never a file's."""

from __future__ import annotations

import doctest
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.site.conftest import Builder
from tests.site.pages import broken_links
from tests.synthetic import write_model
from unit59.results import read_results
from unit59.site import addresses
from unit59.site.addresses import distinct, slug
from unit59.site.site import Site

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)

SCRIPTS = [
    ("ベッド", "object", "#c2543f"),
    ("кровать", "object", "#3f7fb5"),
    ("हिन्दी", "object", "#7a9e4e"),
    ("index.html", "object", "#d9a441"),
    ("bed", "object", "#d62728"),
    ("bed", "part", "#b0643c"),
]


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(addresses).failed == 0


@given(NAMES)
def test_a_slug_is_one_part_of_an_address(name: str) -> None:
    found = slug(name)
    assert re.fullmatch(r"[\w.\-]+", re.sub(r"[^\x00-\x7f]", "x", found))
    assert found.strip(".-") == found
    assert len(found.encode()) < 200
    assert not addresses.FILE_NAME.search(found)


@given(NAMES, NAMES)
def test_two_names_have_two_slugs(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)


@given(st.dictionaries(st.integers(), st.sampled_from("abc"), max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter(wanted: dict[int, str], draw: random.Random) -> None:
    keys = list(wanted)
    draw.shuffle(keys)
    found = distinct(wanted, ["a"])
    assert distinct({key: wanted[key] for key in keys}, ["a"]) == found
    assert len(set(found.values())) == len(found)
    assert "a" not in found.values()


def _slugs(folder: Path) -> dict[tuple[str, str], str]:
    return {(view.plane, view.label): view.slug for view in Site.of(read_results(folder)).concepts}


def test_concepts_keep_their_addresses_when_others_come(tmp_path: Path) -> None:
    write_model(tmp_path / "all", "rooms", "Rooms", SCRIPTS, {"layer1": (3, 8)}, ["layer1"])
    everything = _slugs(tmp_path / "all")
    assert everything["object", "ベッド"] == "ベッド"
    for place, concept in enumerate(SCRIPTS[:4]):
        folder = tmp_path / str(place)
        write_model(folder, "rooms", "Rooms", [concept], {"layer1": (3, 8)}, ["layer1"])
        assert _slugs(folder) == {concept[1::-1]: everything[concept[1::-1]]}


@pytest.mark.parametrize("urls", [True, False])
def test_pages_of_any_name_are_built_and_lead_everywhere(
    tmp_path: Path, build_site: Builder, urls: bool
) -> None:
    """Other scripts, a layer and a concept called like a file."""
    write_model(tmp_path, "rooms", "Rooms", SCRIPTS, {"model.json": (3, 8)}, ["model.json"])
    site = build_site(tmp_path, use_directory_urls=urls, site_url="https://example.org/")
    assert (site / "concepts/ベッド/index.html").is_file()
    assert (site / "index.html").is_file()
    assert list(broken_links(site, explicit=not urls)) == []
    assert "%E3%83%99" in (site / "sitemap.xml").read_text("utf-8")
