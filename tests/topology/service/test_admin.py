"""The administrators' pages: one's own company, and nothing else."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest

from tests.topology.service.conftest import customers, enrolled
from tests.topology.service.node import Node, Reply
from tests.topology.service.postgres import Postgres

Enrol = Callable[..., tuple[int, dict[int, str]]]


def log_in(web: Node, company: int, password: str | None = None, user: str = "admin") -> Reply:
    form = {"company": str(company), "user": user, "password": password or f"secret-{company}"}
    return web.ask("POST", "/login", form)


def session(web: Node, company: int) -> dict[str, str]:
    """Headers of a browser that has logged in."""
    cookie = log_in(web, company).headers["set-cookie"].partition(";")[0]
    return {"Cookie": cookie}


def answer(web: Node, token: str, status: str = "safe", come: str = "yes", comment: str = "") -> None:
    assert web.ask("POST", f"/a/{token}", {"status": status, "come": come, "comment": comment}).status == 200


def test_logging_in_leads_to_the_tally(web: Node, company: Enrol) -> None:
    number, _ = company()
    reply = log_in(web, number)

    assert (reply.status, reply.headers["location"]) == (303, "/admin")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert f"Company {number}" in web.ask("GET", "/admin", headers=session(web, number)).text


def test_who_comes_to_the_front_page_is_asked_to_log_in(web: Node) -> None:
    front = web.ask("GET", "/")
    assert (front.status, front.headers["location"]) == (303, "/login")


def test_the_cookie_stays_on_tls_where_tls_was_used(web: Node, company: Enrol) -> None:
    number, _ = company()
    form = {"company": str(number), "user": "admin", "password": f"secret-{number}"}
    reply = web.ask("POST", "/login", form, {"X-Forwarded-Proto": "https"})

    assert "secure" in reply.headers["set-cookie"].lower()


def test_a_wrong_password_user_or_company_is_refused(web: Node, company: Enrol) -> None:
    number, _ = company()
    other, _ = company()

    assert log_in(web, number, f"secret-{other}").status == 401
    assert log_in(web, number, user="root").status == 401
    assert log_in(web, 999_999, "x").status == 401
    assert web.ask("POST", "/login", {"company": "x", "user": "a\0", "password": ""}).status == 401
    assert web.ask("POST", "/login", b"\xff").status == 401


@pytest.mark.parametrize("path", ["/admin", "/admin/unconfirmed", "/admin/answers.csv"])
@pytest.mark.parametrize(
    "cookie", [None, "anpi_session=", "anpi_session=MQ.aaaaaa.bbbb", "anpi_session=\xff"]
)
def test_without_a_session_there_is_only_the_login(web: Node, path: str, cookie: str | None) -> None:
    reply = web.ask("GET", path, headers={"Cookie": cookie} if cookie else None)

    assert (reply.status, reply.headers["location"]) == (303, "/login")


def test_the_tally_counts_each_status(web: Node, company: Enrol) -> None:
    number, tokens = company(people=5)
    first, second, third, *_ = tokens.values()
    answer(web, first)
    answer(web, second, "help", "no")
    answer(web, third)

    text = web.ask("GET", "/admin?lang=en", headers=session(web, number)).text

    assert re.search('data-people="5" data-answered="3"', text)
    counts = dict(re.findall(r'data-status="(\w+)">(\d+)<', text))
    assert counts == {"safe": "2", "slight": "0", "help": "1"}


def test_who_is_unconfirmed_is_listed_until_they_answer(web: Node, company: Enrol) -> None:
    number, tokens = company(people=2)
    confirmed, unconfirmed = tokens
    answer(web, tokens[confirmed])
    listed = web.ask("GET", "/admin/unconfirmed", headers=session(web, number)).text

    assert f"<td>{unconfirmed}</td>" in listed
    assert f"<td>{confirmed}</td>" not in listed

    answer(web, tokens[unconfirmed])
    assert (
        "全員の回答がそろいました" in web.ask("GET", "/admin/unconfirmed", headers=session(web, number)).text
    )


def test_one_company_never_sees_another(web: Node, company: Enrol, postgres: Postgres) -> None:
    mine, _ = company(people=2)
    theirs, tokens = company(people=2)
    answer(web, next(iter(tokens.values())), "help", "no", "only for us")
    broadcast = postgres.query("SELECT broadcast FROM broadcasts WHERE company = $1", theirs)[0]["broadcast"]
    me = session(web, mine)

    for path in ("/admin", "/admin/unconfirmed", "/admin/answers.csv"):
        own = web.ask("GET", path, headers=me)
        assert own.status == 200
        assert f"of {theirs}" not in own.text
        assert "only for us" not in own.text
        assert web.ask("GET", f"{path}?company={theirs}", headers=me).status == 403
        assert web.ask("GET", f"{path}?broadcast={broadcast}", headers=me).status == 403
        assert web.ask("GET", f"{path}?broadcast=1%20OR%201=1", headers=me).status == 403
        assert web.ask("GET", f"{path}?company={mine}", headers=me).status == 200


def test_a_spreadsheet_finds_no_formula_in_the_export(web: Node, postgres: Postgres) -> None:
    lines = customers(900_000, 3)
    names = ["=cmd|' /C calc'!A0", "@SUM(1)", 'Ms. "Quote", Ltd']
    lines[1:] = [{**line, "name": name} for line, name in zip(lines[1:], names, strict=True)]
    tokens = list(enrolled(postgres, lines).values())
    for token, comment in zip(tokens, ["+1", "=1+1", "-2\n二行目"], strict=True):
        answer(web, token, comment=comment)

    reply = web.ask("GET", "/admin/answers.csv", headers=session(web, 900_000))

    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(reply.body.decode("utf-8-sig"), newline="")))
    assert [row["氏名"] for row in rows] == ["'=cmd|' /C calc'!A0", "'@SUM(1)", 'Ms. "Quote", Ltd']
    assert [row["コメント"] for row in rows] == ["'+1", "'=1+1", "'-2\n二行目"]
    assert all("@docomo.example" not in cell for row in rows for cell in row.values())


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("", "", ["番号", "氏名", "地域", "安否", "出社できる", "コメント", "回答時刻"]),
        ("", "en", ["Number", "Name", "Area", "Status", "Can come to work", "Comment", "Answered at"]),
        (
            "?lang=en",
            "ja",
            ["Number", "Name", "Area", "Status", "Can come to work", "Comment", "Answered at"],
        ),
    ],
)
def test_the_export_speaks_the_language_of_the_page(
    web: Node, company: Enrol, query: str, accepted: str, expected: list[str]
) -> None:
    number, tokens = company(people=2)
    answer(web, next(iter(tokens.values())), "slight", "no")

    asking = {**session(web, number), "Accept-Language": accepted}
    reply = web.ask("GET", f"/admin/answers.csv{query}", headers=asking)

    headings, *rows = csv.reader(io.StringIO(reply.body.decode("utf-8-sig"), newline=""))
    assert headings == expected
    said = ("軽傷", "できない") if expected[0] == "番号" else ("Slightly hurt", "No")
    assert sorted((row[3], row[4]) for row in rows) == sorted([said, ("", "")])


def test_the_page_leads_to_an_export_in_its_own_language(web: Node, company: Enrol) -> None:
    number, _ = company(people=2)

    assert "/admin/answers.csv?lang=en" in web.ask("GET", "/admin?lang=en", headers=session(web, number)).text


def test_a_company_without_a_broadcast_is_told_so(web: Node, company: Enrol) -> None:
    number, _ = company(standing=False)

    assert "まだ配信はありません" in web.ask("GET", "/admin", headers=session(web, number)).text
