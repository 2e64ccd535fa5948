"""What the person who watches a run is shown."""

from __future__ import annotations

import io
import sys

import pytest

from harness.live import LiveShow, PlainShow, watching


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "kind", "shown"),
    [
        (Terminal(), "xterm", LiveShow),
        (Terminal(), "dumb", PlainShow),
        (io.StringIO(), "xterm", PlainShow),
    ],
)
def test_the_screen_is_for_terminals_that_can_draw_it(
    monkeypatch: pytest.MonkeyPatch, error: io.StringIO, kind: str, shown: type
) -> None:
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setenv("TERM", kind)
    assert type(watching("a run", [])) is shown
