"""The personal page: what a person says is kept, shown, and never lost by saying it again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.topology.service.conftest import exported
from tests.topology.service.node import Node
from tests.topology.service.postgres import Postgres

Enrol = Callable[..., tuple[int, dict[int, str]]]
SAFE = {"status": "safe", "come": "yes", "comment": "1"}


@pytest.fixture
def token(company: Enrol) -> str:
    _, tokens = company()
    return next(iter(tokens.values()))


def current(text: str) -> dict[str, str]:
    """The state that a page shows to programs."""
    found = re.search(r'<p id="current"([^>]*)>', text)
    assert found is not None, text
    return dict(re.findall(r' data-(\w+)="([^"]*)"', found[1]))


def test_an_answer_is_shown_and_can_be_changed(web: Node, token: str) -> None:
    assert current(web.ask("GET", f"/a/{token}").text) == {"status": ""}

    reply = web.ask("POST", f"/a/{token}", SAFE)

    assert reply.status == 200
    assert current(reply.text) == {"status": "safe", "come": "yes", "comment": "1"}
    assert web.ask("POST", f"/a/{token}", {"status": "help", "come": "no", "comment": "2"}).status == 200
    assert current(web.ask("GET", f"/a/{token}").text) == {"status": "help", "come": "no", "comment": "2"}


def test_the_same_answer_again_changes_nothing(web: Node, company: Enrol, postgres: Postgres) -> None:
    number, tokens = company()
    (token,) = tokens.values()
    for _ in range(2):
        assert web.ask("POST", f"/a/{token}", SAFE).status == 200
        rows = [row for row in exported(postgres, "answers") if row["company"] == number]
        first = rows if _ == 0 else first

    assert rows == first
