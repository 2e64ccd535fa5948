from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.world.mail import Mail, Received

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=120)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=2000)
ids = st.from_regex(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,4}@anpi\.example", fullmatch=True)


def mail(**fields: object) -> Mail:
    row: dict[str, object] = {
        "id": "1.2.3@anpi.example",
        "to": "p2@docomo.example",
        "from": "anpi@anpi.example",
        "subject": "安否確認",
        "text": "https://anpi.example/a/x\n",
    }
    return Mail.from_json({**row, **fields}, "messages[0]")


@given(ids, lines, texts)
def test_what_is_composed_is_read_back(id_: str, subject: str, text: str) -> None:
    written = mail(id=id_, subject=subject, text=text)
    assert Received.parse(written.compose()) == Received(id_, subject, text)


@given(lines, texts.map(lambda text: text.replace("\f", "").replace("\v", "")))
def test_another_reader_reads_the_same(subject: str, text: str) -> None:
    composed = mail(subject=subject, text=text, headers={"X-Event": "20260115144640"}).compose()
    other = email.message_from_bytes(composed, policy=email.policy.default)
    content = other.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().replace("\r\n", "\n") == text + "\n"
    assert other["X-Event"] == "20260115144640"
    if subject.isprintable():
        assert other["Subject"].strip() == subject.strip()


@given(texts)
def test_no_line_is_longer_than_a_server_must_take(text: str) -> None:
    composed = mail(text=text * 20, subject=text.replace("\n", "")).compose()
    assert max(map(len, composed.split(b"\r\n"))) <= 998
    assert b"\n" not in composed.replace(b"\r\n", b"")


def test_a_mail_of_another_program_is_understood() -> None:
    other = email.message.EmailMessage()
    other["Subject"], other["Message-ID"] = "お知らせ", "<x@y>"
    other.set_content("こんにちは")
    other.add_alternative("<p>こんにちは</p>", subtype="html")
    assert Received.parse(other.as_bytes(policy=email.policy.SMTP)) == Received(
        "x@y", "お知らせ", "こんにちは"
    )


@given(st.binary(max_size=500))
def test_any_bytes_are_taken(content: bytes) -> None:
    Received.parse(content)


def test_the_sender_may_have_a_name() -> None:
    written = mail(**{"from": "安否確認 <anpi@anpi.example>"})
    assert written.return_path == "anpi@anpi.example"
    assert email.message_from_bytes(written.compose(), policy=email.policy.default)["From"] == (
        "安否確認 <anpi@anpi.example>"
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"to": None}, "messages[0].to: expected text, found NoneType"),
        ({"id": "a b"}, "messages[0].id: expected printable ASCII without spaces"),
        ({"subject": "a\r\nBcc: everyone@docomo.example"}, "messages[0].subject: expected one line"),
        ({"headers": {"X-Event": "1\nBcc: x"}}, "messages[0].headers.X-Event: expected one line of text"),
        ({"headers": {"Message-ID": "<x>"}}, "messages[0].headers: 'Message-ID' cannot be set"),
        ({"headers": [1]}, "messages[0].headers: expected an object, found list"),
        ({"from": "nobody"}, "messages[0].from: expected an address, alone or as Name <address>"),
    ],
)
def test_a_mail_that_is_not_one_is_refused_by_name(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        mail(**fields)
    assert str(error.value) == problem


@pytest.mark.parametrize(
    "to", ["", "p1", "p1@", "@docomo.example", "p 1@docomo.example", "p<1>@docomo.example", "ｐ@a.example"]
)
def test_what_is_not_an_address_has_no_domain(to: str) -> None:
    assert mail(to=to).domain is None


def test_a_domain_is_the_same_in_capitals() -> None:
    assert mail(to="P1@DOCOMO.Example").domain == "docomo.example"
