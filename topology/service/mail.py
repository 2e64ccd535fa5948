"""The mail that asks people for an answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

SENDER: Final = "anpi@anpi.example"
DOMAIN: Final = "anpi.example"

#: A message as the delivery provider takes it.
Message: TypeAlias = "dict[str, str | dict[str, str]]"

_TEXT: Final = """\
{name} 様

{company} の安否確認です。下のリンクから、安否と出社の可否をお答えください。
This is a safety confirmation by {company}. Please answer at:

{link}

このリンクはあなた専用です。他の人に転送しないでください。
The link is yours alone. Please do not forward it.
"""


@dataclass(frozen=True)
class Recipient:
    """`token` names the personal link."""

    person: int
    company: int
    name: str
    company_name: str
    address: str
    token: str


def message_id(event: str, person: int, company: int) -> str:
    """Always the same for the same mail, so that a provider can tell a second try from a second mail.

    The same also from a region that takes over and had not heard yet that the mail had left: the event's part is made
    of its name, not of a number that a database gave out.
    """
    number = int.from_bytes(hashlib.sha256(event.encode()).digest()[:7])
    return f"{number}.{person}.{company}@{DOMAIN}"


def compose(event: str, to: Recipient, service_url: str) -> Message:
    link = f"{service_url}/a/{to.token}"
    return {
        "id": message_id(event, to.person, to.company),
        "to": to.address,
        "from": SENDER,
        "subject": f"安否確認 {_one_line(to.company_name)}",
        "text": _TEXT.format(name=to.name, company=to.company_name, link=link),
        "headers": {"X-Event": quote(event)},
    }


def _one_line(text: str) -> str:
    """A header has no line breaks."""
    return " ".join(text.split())
