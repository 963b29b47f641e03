"""The worked examples in docs/algorithms are run as they stand."""

import doctest
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "algorithms").glob("*.md"))
EXAMPLES = [page for page in PAGES if page.name != "README.md"]


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_worked_example(page: Path) -> None:
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")

    assert tried > 0, f"{page.name} has no example"
    assert failed == 0


def test_every_page_is_listed() -> None:
    listed = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in EXAMPLES if f"({page.name})" not in listed] == []
    assert EXAMPLES
