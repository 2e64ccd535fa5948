"""A mail: as it is submitted (JSON), as it travels (RFC 5322), as a mailbox keeps it."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64, a2b_qp
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_ID = re.compile(r"[!-~]+")
_ADDRESS = re.compile(r"[^\s<>@\"(),:;\[\\\]\x00-\x1f\x7f-\U0010ffff]+@[A-Za-z0-9.-]+")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_OWN_HEADERS = frozenset(
    ["from", "to", "subject", "message-id", "mime-version", "content-type", "content-transfer-encoding"]
)
_LINE_LIMIT = 998
"""Octets of a line without its end, RFC 5322 section 2.1.1."""
_WORD_OCTETS = 39
"""Octets of text in one encoded word, so that a line with its name stays under 76 characters, RFC 2047 section 2."""
_ENCODED_WORDS = re.compile(r"(=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=)\s+(?==\?)")
_ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?=")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `id` names it everywhere, and becomes its Message-ID."""

    id: str
    to: str
    sender: str
    subject: str
    text: str
    headers: Mapping[str, str]

    @classmethod
    def from_json(cls, row: object, where: str) -> Mail:
        """Read a mail as it was submitted. Raises ValueError that says which field is wrong, and how."""
        if not isinstance(row, dict):
            raise ValueError(f"{where}: expected an object, found {type(row).__name__}")
        id_, to, sender, subject, text = (
            _text(row, name, where) for name in ("id", "to", "from", "subject", "text")
        )
        if not _ID.fullmatch(id_):
            raise ValueError(f"{where}.id: expected printable ASCII without spaces")
        headers = row.get("headers") or {}
        if not isinstance(headers, dict):
            raise ValueError(f"{where}.headers: expected an object, found {type(headers).__name__}")
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
                raise ValueError(f"{where}.headers: {name!r} cannot be set")
            if not isinstance(value, str) or "\r" in value or "\n" in value:
                raise ValueError(f"{where}.headers.{name}: expected one line of text")
        mail = cls(id_, to, sender, subject, text, headers)
        if not mail.return_path:
            raise ValueError(f"{where}.from: expected an address, alone or as Name <address>")
        return mail

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "headers": self.headers,
        }

    @property
    def domain(self) -> str | None:
        """Where it goes; None for something that is not an address."""
        return self.to.rpartition("@")[2].lower() if _ADDRESS.fullmatch(self.to) else None

    @property
    def return_path(self) -> str:
        """The bare address of the sender; empty if it has none, which `from_json` refuses."""
        address = self.sender.rpartition("<")[2].rstrip("> ")
        return address if _ADDRESS.fullmatch(address) else ""

    def compose(self) -> bytes:
        """The mail as it travels, complete, with CRLF line ends."""
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        body = (text.replace("\n", "\r\n") + "\r\n").encode("utf-8", "replace")
        encoding = "8bit"
        if max(map(len, body.split(b"\r\n"))) > _LINE_LIMIT:
            body, encoding = _base64_lines(body), "base64"
        extra = "".join(f"{name}: {_header(value)}\r\n" for name, value in self.headers.items())
        head = (
            f"From: {_sender_header(self.sender)}\r\nTo: {self.to}\r\nSubject: {_header(self.subject)}\r\n"
            f"Message-ID: <{self.id}>\r\n{extra}MIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        )
        return head.encode("ascii", "replace") + body


@dataclass(frozen=True, slots=True)
class Received:
    """What a mailbox keeps of a mail that came in. `id` is empty if it had no Message-ID."""

    id: str
    subject: str
    text: str

    @classmethod
    def parse(cls, content: bytes) -> Received:
        """Read a mail that came in. Takes anything: what cannot be read as text is kept with replacements."""
        head, _, body = content.partition(b"\r\n\r\n")
        headers = _headers(head.decode("utf-8", "replace"))
        kind = headers.get("content-type", "text/plain")
        if kind.lower().startswith("multipart/"):
            text = _first_part(content)
        else:
            text = _decode_body(body, headers.get("content-transfer-encoding", "7bit"), kind)
        return cls(
            id=headers.get("message-id", "").strip("<> "),
            subject=_unheader(headers.get("subject", "")),
            text=text.replace("\r\n", "\n").removesuffix("\n"),
        )


def sender_domain(content: bytes) -> str:
    """The domain in a mail's From header, in small letters; empty if it has none."""
    head = content.partition(b"\r\n\r\n")[0]
    sender = _headers(head.decode("utf-8", "replace")).get("from", "")
    return sender.rpartition("@")[2].rstrip("> ").lower() if "@" in sender else ""


def _text(row: Mapping[str, object], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{where}.{name}: expected text, found {type(value).__name__}")
    if name != "text" and ("\r" in value or "\n" in value):
        raise ValueError(f"{where}.{name}: expected one line")
    return value


@lru_cache(maxsize=1024)
def _header(value: str) -> str:
    """A header's value in ASCII: as it is, or as encoded words (RFC 2047)."""
    if value.isascii() and value.isprintable() and value == value.strip() and "=?" not in value:
        return value
    words, piece = [], b""
    for character in value:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _WORD_OCTETS:
            words.append(piece)
            piece = b""
        piece += octets
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in [*words, piece])


def _sender_header(sender: str) -> str:
    """`Name <address>` with the name encoded; anything else as it is."""
    name, bracket, address = sender.rpartition("<")
    return f"{_header(name.strip())} <{address}" if bracket else _header(sender)


@lru_cache(maxsize=1024)
def _unheader(value: str) -> str:
    """Undo `_header`, and what others make of RFC 2047."""
    return _ENCODED_WORD.sub(_decode_word, _ENCODED_WORDS.sub(r"\1", value))


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, word = match.groups()
    try:
        octets = a2b_base64(word) if encoding in "bB" else a2b_qp(word.replace("_", " "))
        return octets.decode(charset, "replace")
    except (ValueError, LookupError):
        return match[0]


def _headers(head: str) -> dict[str, str]:
    """Names in lower case to unfolded values; of a repeated header the last."""
    lines = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


def _base64_lines(body: bytes) -> bytes:
    coded = b64encode(body)
    return b"".join(coded[at : at + 76] + b"\r\n" for at in range(0, len(coded), 76))


def _decode_body(body: bytes, encoding: str, kind: str) -> str:
    try:
        match encoding.lower():
            case "base64":
                body = a2b_base64(body)
            case "quoted-printable":
                body = a2b_qp(body)
        charset = kind.lower().partition("charset=")[2].partition(";")[0].strip('" ')
        return body.decode(charset or "utf-8", "replace")
    except (ValueError, LookupError):
        return body.decode("utf-8", "replace")


def _first_part(content: bytes) -> str:
    """The first text of a mail of several parts. None of ours has any, so its reader is only loaded here."""
    from email import message_from_bytes
    from email.message import Message

    for part in message_from_bytes(content).walk():
        payload = part.get_payload(decode=True)
        if isinstance(part, Message) and part.get_content_maintype() == "text" and isinstance(payload, bytes):
            return payload.decode(part.get_content_charset() or "utf-8", "replace")
    return ""
