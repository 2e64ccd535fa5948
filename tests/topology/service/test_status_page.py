from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.topology.world.program import Program

MODULE = "topology.service.status_page"
WORDS = {"ja": "回答は東京で受け付けています。<b>", "en": "Answers are taken in Tokyo. <b>"}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Program]:
    program = Program(MODULE, tmp_path)
    yield program
    program.kill()


def post(page: Program, notice: object) -> tuple[int, object]:
    return page.ask("/notices", json.dumps(notice).encode())


def shown(page: Program, language: str) -> str:
    return str(page.ask(f"/?lang={language}")[1])


def test_a_notice_is_shown_in_both_languages_and_escaped(page: Program) -> None:
    assert "お知らせはありません" in shown(page, "ja")
    assert post(page, WORDS) == (201, {"number": 1})
    assert "回答は東京で受け付けています。&lt;b&gt;" in shown(page, "ja")
    assert "Answers are taken in Tokyo. &lt;b&gt;" in shown(page, "en")
    assert "<script" not in shown(page, "en")


def test_the_newest_notice_stands_first(page: Program) -> None:
    for number in range(3):
        post(page, {"ja": f"第{number}報", "en": f"notice {number}"})
    text = shown(page, "en")
    assert [text.index(f"notice {number}") for number in (2, 1, 0)] == sorted(
        text.index(f"notice {number}") for number in range(3)
    )
    assert [one["number"] for one in page.get("/notices")] == [1, 2, 3]


def test_what_was_acknowledged_outlives_a_power_loss(page: Program) -> None:
    for number in range(20):
        assert post(page, {"ja": "報", "en": f"notice {number}"})[0] == 201
    page.kill()
    page.start()
    assert [one["en"] for one in page.get("/notices")] == [f"notice {number}" for number in range(20)]
    assert post(page, WORDS) == (201, {"number": 21})


@pytest.mark.parametrize(
    "notice",
    [
        {},
        {"ja": "報"},
        {"ja": "報", "en": ""},
        {"ja": "報", "en": 3},
        {"ja": "報", "en": "x" * 4001},
        [],
        "x",
    ],
)
def test_what_is_no_notice_is_refused(page: Program, notice: object) -> None:
    assert post(page, notice)[0] == 400
    assert page.get("/notices") == []


def test_what_is_no_json_is_refused(page: Program) -> None:
    assert page.ask("/notices", b"\xff{")[0] == 400


def test_the_page_is_light(page: Program) -> None:
    for _ in range(10):
        post(page, WORDS)
    with urllib.request.urlopen(f"http://127.0.0.1:{page._environment['PORT']}/") as reply:
        assert len(reply.read()) < 8000
        assert reply.headers["Content-Type"].startswith("text/html")
