"""The personal page: what a person says is kept, shown, and not lost by saying it again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest

from tests.topology.service.conftest import exported, settings
from tests.topology.service.node import Node, Reply
from tests.topology.service.postgres import Postgres
from topology.service import answers
from topology.service.answers import Answer, OutOfDate, Sheet
from topology.service.database import Database
from topology.service.settings import Settings

Enrol = Callable[..., tuple[int, dict[int, str]]]
SAFE = {"status": "safe", "come": "yes", "comment": "1"}
#: Pages go over a line that is nearly dead, to handsets that are ten years old.
LIGHT = 4096


@pytest.fixture
def token(company: Enrol) -> str:
    _, tokens = company()
    return next(iter(tokens.values()))


def version(reply: Reply) -> str:
    """What the form on a page says of the answer that it would replace."""
    found = re.search(r'<input type="hidden" name="version" value="(\d+)">', reply.text)
    assert found is not None, reply.text
    return found[1]


def current(reply: Reply) -> dict[str, str]:
    """The state that a page shows to programs."""
    found = re.search(r'<p id="current"([^>]*)>', reply.text)
    assert found is not None, reply.text
    return dict(re.findall(r' data-(\w+)="([^"]*)"', found[1]))


def test_an_answer_is_shown_and_can_be_changed(web: Node, token: str) -> None:
    assert current(web.ask("GET", f"/a/{token}")) == {"status": ""}

    reply = web.ask("POST", f"/a/{token}", SAFE)

    assert reply.status == 200
    assert current(reply) == SAFE
    changed = {"status": "help", "come": "no", "comment": "2"}
    assert web.ask("POST", f"/a/{token}", {**changed, "version": version(reply)}).status == 200
    assert current(web.ask("GET", f"/a/{token}")) == changed


def test_the_same_answer_again_changes_nothing_not_even_its_time(
    web: Node, company: Enrol, postgres: Postgres
) -> None:
    number, tokens = company()
    (token,) = tokens.values()
    kept = []
    for _ in range(2):
        assert web.ask("POST", f"/a/{token}", SAFE).status == 200
        kept.append([row for row in exported(postgres, "answers") if row["company"] == number])

    assert len(kept[0]) == 1
    assert kept[0] == kept[1]


def test_an_answer_that_was_stuck_does_not_undo_a_later_one(web: Node, token: str) -> None:
    """However long it was stuck, and wherever: what it was filled in on is not what is kept now."""
    blank = version(web.ask("GET", f"/a/{token}"))
    later = web.ask("POST", f"/a/{token}", {**SAFE, "version": blank})
    stuck = web.ask("POST", f"/a/{token}", {"status": "help", "come": "no", "comment": "0", "version": blank})

    assert (later.status, stuck.status) == (200, 409)
    assert current(stuck) == current(web.ask("GET", f"/a/{token}")) == SAFE
    assert "別の回答が保存されました" in stuck.text
    assert 'value="help" checked' in stuck.text


def test_who_is_told_of_a_newer_answer_can_change_that_one(web: Node, token: str) -> None:
    assert web.ask("POST", f"/a/{token}", SAFE).status == 200
    changed = {"status": "help", "come": "no", "comment": "2"}
    told = web.ask("POST", f"/a/{token}", changed)
    assert told.status == 409

    assert web.ask("POST", f"/a/{token}", {**changed, "version": version(told)}).status == 200

    assert current(web.ask("GET", f"/a/{token}")) == changed


def test_of_two_answers_at_once_on_the_same_form_one_is_kept(postgres: Postgres, token: str) -> None:
    given = [Answer("safe", "yes", str(number)) for number in range(8)]

    async def answer_at_once() -> tuple[list[Sheet | BaseException | None], Sheet | None]:
        async with Database(Settings.from_environment(settings(postgres))) as database:
            await database.wait_writable(5)
            asked = (answers.record(database, token, answer, 0) for answer in given)
            return await asyncio.gather(*asked, return_exceptions=True), await answers.find(database, token)

    told, kept = asyncio.run(answer_at_once())

    assert kept is not None
    assert [sheet for sheet in told if isinstance(sheet, Sheet)] == [kept]
    assert [type(error) for error in told if not isinstance(error, Sheet)] == [OutOfDate] * 7
    assert kept.version == 1


@pytest.mark.parametrize(
    "guess",
    ["0" * 32, "5f2b1c0e" * 4, "1", "ÿ", "../admin", "0" * 31, "0" * 33, "%00", "A" * 32, "' OR 1=1 --"],
)
def test_a_guessed_token_finds_nobody(web: Node, guess: str) -> None:
    path = "/a/" + guess.encode("latin-1").decode("latin-1").replace("ÿ", "%FF").replace(" ", "%20")

    assert web.ask("GET", path).status == 404
    assert web.ask("POST", path, SAFE).status == 404


def test_tokens_are_long_and_unlike_each_other(company: Enrol) -> None:
    _, tokens = company(people=50)

    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens.values())
    assert len({token[:6] for token in tokens.values()}) == 50


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "安否を選んでください"),
        ({"status": "fine", "come": "yes"}, "安否を選んでください"),
        ({"status": "safe"}, "出社の可否を選んでください"),
        ({"status": "safe", "come": "maybe"}, "出社の可否を選んでください"),
        ({**SAFE, "comment": "あ" * 201}, "200字まで"),
        ({**SAFE, "comment": "a\0b"}, "200字まで"),
        ({**SAFE, "version": "newest"}, "読み取れませんでした"),
        ({**SAFE, "version": "-1"}, "読み取れませんでした"),
        ({**SAFE, "version": "9" * 10}, "読み取れませんでした"),
        (b"status=%FF%FE&come=yes", "読み取れませんでした"),
        (b"\xff\xfe", "読み取れませんでした"),
        (b"a=" + b"x" * 9000, "読み取れませんでした"),
    ],
)
def test_a_bad_form_is_explained_and_not_kept(
    web: Node, token: str, form: dict[str, str] | bytes, problem: str
) -> None:
    reply = web.ask("POST", f"/a/{token}", form)

    assert reply.status == 400
    assert problem in reply.text
    assert current(web.ask("GET", f"/a/{token}")) == {"status": ""}


def test_a_bad_form_comes_back_as_it_was_filled_in(web: Node, token: str) -> None:
    reply = web.ask("POST", f"/a/{token}", {"status": "slight", "comment": "腕を打った"})

    assert re.search(r'value="slight" checked', reply.text)
    assert "腕を打った</textarea>" in reply.text


def test_what_people_write_is_shown_as_text(web: Node, token: str) -> None:
    nasty = """<script>alert("1")</script>'&</textarea>"""

    reply = web.ask("POST", f"/a/{token}", {**SAFE, "comment": nasty})

    assert reply.status == 200
    assert "<script>" not in reply.text
    assert reply.text.count("</textarea>") == 1
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_a_comment_of_200_characters_of_any_kind_is_kept(web: Node, token: str) -> None:
    comment = "𠮷野家😀" * 40

    web.ask("POST", f"/a/{token}", {**SAFE, "comment": comment})

    assert comment in web.ask("GET", f"/a/{token}").text


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("", None, "ja"),
        ("", "en-US,en;q=0.9,ja;q=0.8", "en"),
        ("", "ja,en;q=0.9", "ja"),
        ("", "fr, en;q=0.5", "en"),
        ("", "fr", "ja"),
        ("?lang=en", "ja", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=xx", "en", "en"),
        ("", "en;q=x,;;,", "ja"),
    ],
)
def test_the_page_speaks_the_language_that_is_asked_for(
    web: Node, token: str, path: str, accepted: str | None, language: str
) -> None:
    reply = web.ask("GET", f"/a/{token}{path}", headers={"Accept-Language": accepted} if accepted else None)

    assert f'<html lang="{language}">' in reply.text
    assert ("ご無事ですか" if language == "ja" else "Are you safe?") in reply.text


def test_the_page_is_light_and_needs_no_script(web: Node, token: str) -> None:
    web.ask("POST", f"/a/{token}", SAFE)
    for language in ("ja", "en"):
        reply = web.ask("GET", f"/a/{token}?lang={language}")
        assert len(reply.body) < LIGHT
        assert "<script" not in reply.text
        assert "src=" not in reply.text


def test_the_personal_address_is_told_to_no_other_site_and_kept_in_no_cache(web: Node, token: str) -> None:
    headers = web.ask("GET", f"/a/{token}").headers

    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
