"""Every page, read as a reader would: files written, commands typed, requests made, answers compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors_of, blocks_of, links_of
from tests.docs.reader import Reader

WITH_BLOCKS = [page for page in PAGES if page.parent.name != "atlas" and blocks_of(page)]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_what_the_page_says_happens(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with Reader(folder) as reader:
        for block in blocks_of(page):
            reader.read(block)
        reader.finish()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_its_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(target), f"{link}: there is no such heading"
