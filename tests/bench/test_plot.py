"""Curves as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bench.plot import HEIGHT, Line, Panel, draw, short, ticks

SVG = "{http://www.w3.org/2000/svg}"


def panel(*points: tuple[float, float], limit: tuple[float, str] | None = None) -> Panel:
    return Panel("a < b", "customers", "us", [Line("measured", points, 0)], log_x=True, limit=limit)


def test_a_drawing_is_well_formed_and_tells_its_title_and_labels() -> None:
    """Signs that mean something in XML are escaped."""
    text = draw("Cost & more", "it grows", [panel((10, 1.0), (100, 2.0))])
    root = ElementTree.fromstring(text)
    said = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert {"Cost & more", "a < b", "customers", "us", "measured"} <= set(said)
    assert root.findtext(f"{SVG}title") == "Cost & more"
    assert root.findtext(f"{SVG}desc") == "it grows"


def test_a_drawing_has_colours_for_light_and_for_dark() -> None:
    """Its own ground as well, so that it is readable on any page."""
    text = draw("t", "a", [panel((10, 1.0), (100, 2.0))])
    light, dark = text.split("prefers-color-scheme:dark")
    for rules in (light, dark):
        assert re.search(r"\.back\{fill:#", rules)
        assert re.search(r"text\{[^}]*fill:#", rules)


def test_larger_values_stand_higher_and_all_stand_inside() -> None:
    """Points from left to right and bottom to top; the limit's line is inside too."""
    text = draw("t", "a", [panel((10, 1.0), (100, 3.0), (1000, 700.0), limit=(5000.0, "goal"))])
    found = [(float(x), float(y)) for x, y in re.findall(r'<circle[^>]* cx="([\d.]+)" cy="([\d.]+)"', text)]
    across, down = zip(*found, strict=True)
    assert list(across) == sorted(across)
    assert list(down) == sorted(down, reverse=True)
    assert all(0 <= y <= HEIGHT for y in down)
    limit = re.search(r'class="limit" x1="0" y1="([\d.]+)"', text)
    assert limit is not None
    assert 0 <= float(limit[1]) < min(down)


@pytest.mark.parametrize("values", [(1.0, 1.0), (0.02, 0.021), (999.0, 1001.0)])
def test_a_flat_curve_has_axes_too(values: tuple[float, float]) -> None:
    """Its bounds are at least a mark apart."""
    made = panel((1, values[0]), (2, values[1]))
    assert made.bounds[0] <= min(values) <= max(values) <= made.bounds[1]
    assert len(ticks(*made.bounds)) >= 2
    assert "nan" not in draw("t", "a", [made])


def test_numbers_on_an_axis_are_short() -> None:
    """Thousands and millions have a letter."""
    assert [short(value) for value in (0.5, 128, 30_000, 1_000_000)] == ["0.5", "128", "30 k", "1 M"]
