"""A check that was not part of the run is no pass on its page."""

from __future__ import annotations

import json

import pytest
from page import Page, written

from harness.rundir import Json, RunDir
from reports.words import LANGS, Lang

WORDS: dict[Lang, str] = {"en": "not part of this run", "ja": "この回では試していない"}


def checks(run: RunDir) -> dict[str, dict[str, Json]]:
    found = json.loads((run.path / "verdict.json").read_text(encoding="utf-8"))["checks"]
    assert isinstance(found, dict)
    return found


def change(run: RunDir, name: str, **said: Json) -> None:
    path = run.path / "verdict.json"
    verdict = json.loads(path.read_text(encoding="utf-8"))
    verdict["checks"][name] |= said
    path.write_text(json.dumps(verdict), encoding="utf-8")


def tones(page: Page) -> list[str]:
    """How each check looks, in the order of the page."""
    cards = [str(found["class"]) for tag, found in page.tags if tag == "article"]
    assert all(card.startswith("card check ") for card in cards)
    return [card.removeprefix("card check ") for card in cards]


@pytest.mark.parametrize("lang", LANGS)
def test_it_is_told_so_once_at_the_top_and_once_at_its_place(own_run: RunDir, lang: Lang) -> None:
    unasked = [name for name, found in checks(own_run).items() if found["asked"] is False]
    assert unasked
    page = written(own_run, lang)
    assert page.text.count(WORDS[lang]) == 2 * len(unasked)
    assert len(page.having("a", class_="unasked")) == len(unasked)


def test_it_comes_after_what_was_tried(own_run: RunDir) -> None:
    change(own_run, "answers", asked=False)  # the first of all where it was asked
    told = tones(written(own_run))
    many = told.count("unasked")
    assert 0 < many < len(told)
    assert told[-many:] == ["unasked"] * many


def test_what_it_expects_of_every_run_is_not_told_as_met(own_run: RunDir) -> None:
    met = len(written(own_run).having("tr", class_="pass"))
    change(own_run, "mail", asked=False)
    page = written(own_run)
    assert len(page.having("tr", class_="pass")) < met
    assert len(page.having("div", class_="tile none")) >= 2  # mails stored, and lost


@pytest.mark.parametrize("name", ["access", "broadcast", "mail", "responses", "retries", "capacity"])
def test_its_sentence_is_in_the_language_of_the_page(own_run: RunDir, name: str) -> None:
    change(own_run, name, asked=False, why="Nothing was tried.")
    page = written(own_run, "ja")
    assert "Nothing was tried." not in page.text
    assert page.unclosed == []


def test_a_verdict_of_before_there_was_a_word_of_it_is_reported(own_run: RunDir) -> None:
    path = own_run.path / "verdict.json"
    verdict = json.loads(path.read_text(encoding="utf-8"))
    for found in verdict["checks"].values():
        del found["asked"]
    path.write_text(json.dumps(verdict), encoding="utf-8")
    page = written(own_run)
    assert set(tones(page)) == {"pass"}
    assert WORDS["en"] not in page.text
