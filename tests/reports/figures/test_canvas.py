"""The sheet: text that fits, files that repeat, figures that follow the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reports
from reports.figures import canvas

CSS = (Path(reports.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["short", "x" * 300, "長い名前" * 80, ""])
def test_fitted_text_fits_and_keeps_what_it_can(text: str) -> None:
    with canvas.style():
        sheet = canvas.sheet(1)
        fitted = canvas.fitted(sheet, text, 3.0, fontsize=8)
        assert canvas.width_of(sheet, fitted, fontsize=8) <= 3.0
        assert fitted == text or (fitted.endswith("…") and len(fitted) > 20)


def test_japanese_has_its_glyphs(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    with canvas.style():
        sheet = canvas.sheet(1)
        sheet.text(0.1, 0.5, "電源喪失：応答時間（件/秒）", **canvas.bold("電"))
        sheet.canvas.draw()
    assert [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)] == []
    assert "findfont" not in caplog.text


def test_a_figure_becomes_a_part_of_the_page(tmp_path: Path) -> None:
    with canvas.style():
        sheet = canvas.sheet(1)
        canvas.heading(canvas.panel(sheet, 0.3, 0.5), "<b>&")
        picture = canvas.finish(sheet, tmp_path, "small", "alt")
    assert picture.svg.startswith("<svg ")
    assert "<?xml" not in picture.svg
    assert not re.search(r'<svg[^>]*\b(width|height)="', picture.svg)
    assert "viewBox" in picture.svg
    assert all(name.startswith("small-") for name in re.findall(r'\bid="([^"]*)"', picture.svg))
    assert "var(--fig-paper, #fefefe)" in picture.svg
    assert "var(" not in (tmp_path / "small.svg").read_text()
    assert not (tmp_path / "small.png").exists()


def test_the_page_knows_every_colour_in_every_scheme() -> None:
    schemes = CSS.split(":root")[1:]
    assert len(schemes) == 3  # light, dark, print
    for scheme in schemes:
        for name in canvas.VARIABLES.values():
            assert f"--fig-{name}:" in scheme


def test_settings_of_the_machine_do_not_show() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "axes.grid": True}), canvas.style():
        assert mpl.rcParams["font.size"] == 8.5
        assert not mpl.rcParams["axes.grid"]
