"""The colours of both themes hold WCAG AA: 4.5 for text, 3 for what one must see to use a page."""

from __future__ import annotations

import re
from functools import cache

import pytest
from django.conf import settings

THEMES = ("light", "dark")
GROUNDS = ("paper", "canvas")
TEXT = ("ink", "ink-2", "ink-3", "brand", "red-ink", "orange-ink", "good-ink")
#: Text on the tint it is shown on.
TINTED = (
    ("ink", "brand-soft"),
    ("brand", "brand-soft"),
    ("ink", "sunken"),
    ("ink-2", "sunken"),
    *((ink, f"{level}-soft") for level in ("blue", "yellow", "orange", "red", "good") for ink in ("ink",)),
    ("red-ink", "red-soft"),
    ("orange-ink", "orange-soft"),
    ("good-ink", "good-soft"),
    ("on-fill", "brand-fill"),
    ("on-fill", "brand-fill-hover"),
)


@cache
def tokens(theme: str) -> dict[str, str]:
    css = (settings.BASE_DIR / "static/css/xiaowei.css").read_text("utf-8")
    light = re.search(r":root \{(.*?)\n\}", css, re.DOTALL)
    dark = re.search(r'\[data-bs-theme="dark"\] \{(.*?)\n\}', css, re.DOTALL)
    assert light
    assert dark
    blocks = [light.group(1)] + ([dark.group(1)] if theme == "dark" else [])
    found: dict[str, str] = {}
    for block in blocks:
        found |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", TEXT)
def test_text_can_be_read(theme: str, ground: str, ink: str) -> None:
    found = tokens(theme)
    assert contrast(found[ink], found[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TINTED)
def test_text_can_be_read_on_tints(theme: str, ink: str, ground: str) -> None:
    found = tokens(theme)
    assert contrast(found[ink], found[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["control", "brand", "blue", "red", "good", "orange", "bar"])
def test_controls_and_marks_can_be_seen(theme: str, mark: str) -> None:
    found = tokens(theme)
    assert contrast(found[mark], found["paper"]) >= 3
