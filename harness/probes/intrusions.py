"""What an observer of one company asks to see another's data: every way there is, over and over, never quite the same.

kind        what is asked                                              with
company     the other company's pages, by its number                   the administrator's own session
broadcast   a page of a broadcast that may be anybody's                 the administrator's own session
sideways    the number hidden in forms, doubled, misspelt, in headers   the administrator's own session
nobody      all pages                                                   no session
altered     all pages                                                   a session with something changed
foreign     the other company's pages                                   a session signed with a wrong key
expired     the other company's pages                                   its own session, of yesterday
token       answer pages                                                guessed links, and one's own changed
path        exports, person pages and files that may be lying about     either
password    to sign in as the other company                             the own password, and guesses
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Final
from urllib.parse import urlencode

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from harness.load import http1

COOKIE: Final = "anpi_session"
#: As the service signs its sessions; a session lasts twelve hours.
SALT: Final = "administrator"
YESTERDAY_S: Final = 24 * 3600
PAGES: Final = ("/admin", "/admin/unconfirmed", "/admin/answers.csv")
#: How often each kind has its turn. A password takes the service tens of milliseconds on purpose: those are few.
TURNS: Final = {
    "company": 24,
    "broadcast": 24,
    "sideways": 16,
    "nobody": 12,
    "altered": 32,
    "foreign": 16,
    "expired": 16,
    "token": 32,
    "path": 26,
    "password": 2,
}
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `refusable`: only a refusal is right. `broadcast`: right also if that one is the observer's own."""

    kind: str
    request: bytes
    refusable: bool = True
    broadcast: int = 0

    @property
    def line(self) -> str:
        """Method and path."""
        return self.request.partition(b" HTTP/1.1\r\n")[0].decode(errors="replace")


@dataclass(frozen=True)
class Target:
    """Who asks (`company` and its administrator) for whose data (`other`). `key` signs the service's sessions."""

    company: int
    other: int
    user: str
    password: str
    people: tuple[int, ...]
    token: str
    key: str
    host: str


class Intrusions:
    """Attempts without end, the same for the same seed. `session` is the observer's own cookie, "" for none."""

    def __init__(self, target: Target, seed: int) -> None:
        self._at, self._random = target, Random(f"intrusions {seed}")
        self.session = ""
        self._of_yesterday = str(_Yesterday(target.key, salt=SALT).dumps(target.other))
        self._own = str(URLSafeTimedSerializer(target.key, salt=SALT).dumps(target.company))
        kinds = [kind for kind, turns in TURNS.items() for _ in range(turns)]
        self._random.shuffle(kinds)
        self._kinds: Iterator[str] = cycle(kinds)
        self._make: dict[str, Callable[[str], Attempt]] = {kind: getattr(self, f"_{kind}") for kind in TURNS}

    def sign_in(self) -> bytes:
        """The observer's own, which is right."""
        at = self._at
        return http1.form(
            "/login", at.host, {"company": str(at.company), "user": at.user, "password": at.password}
        )

    def __next__(self) -> Attempt:
        kind = next(self._kinds)
        return self._make[kind](kind)

    def _company(self, kind: str) -> Attempt:
        return self._get(kind, f"{self._page()}?company={self._at.other}", self.session)

    def _broadcast(self, kind: str) -> Attempt:
        number = self._random.randint(1, 120)
        return self._get(kind, f"{self._page()}?broadcast={number}", self.session, broadcast=number)

    def _sideways(self, kind: str) -> Attempt:
        """Some of these name the observer's own company as well: being shown that is no leak."""
        own, other = self._at.company, self._at.other
        page = self._random.choice(PAGES[1:])
        fields = urlencode({"company": other, "broadcast": self._random.randint(1, 120)}).encode()
        queries = (
            f"company={other}&company={own}",
            f"company={own}&company={other}",
            f"company={own}%00&company={own}",
            f"company[]={other}",
            f"Company={other}",
            f"broadcast=0%20or%20company%3D{other}",
            f"company={own}%27%20or%20company%3D{other}--",
            f"broadcast=-1&company={own}",
            f"broadcast=%EF%BC%91&company={own};company={other}",
        )
        form = http1.post(page, self._at.host, fields, _FORM)
        choice = self._random.randrange(len(queries) + 2)
        if choice < len(queries):
            return self._get(kind, f"{page}?{queries[choice]}", self.session, refusable=False)
        if choice == len(queries):
            return Attempt(kind, _with(form, f"Cookie: {COOKIE}={self.session}"), refusable=False)
        told = f"X-Company: {other}\r\nX-Forwarded-User: {other}\r\nX-Original-URL: {page}?company={other}"
        return Attempt(
            kind,
            _with(
                http1.get(page, self._at.host), f"{told}\r\nCookie: company={other}; {COOKIE}={self.session}"
            ),
            refusable=False,
        )

    def _nobody(self, kind: str) -> Attempt:
        return self._get(kind, self._page() + self._random.choice(("", f"?company={self._at.other}")), "")

    def _altered(self, kind: str) -> Attempt:
        """A changed session may still be the observer's own: base64 has digits whose last bits mean nothing."""
        session = list(self.session or self._own)
        for _ in range(self._random.randint(1, 3)):
            session[self._random.randrange(len(session))] = self._random.choice("ABCDwxyz0189-_.")
        payload = self._random.choice(("", "MQ", "Mg", "OTAwMDAx", "bnVsbA", "dHJ1ZQ"))
        cookie = "".join(session) if not payload else ".".join([payload, *self._own.split(".")[1:]])
        return self._get(kind, f"{self._page()}?company={self._at.other}", cookie)

    def _foreign(self, kind: str) -> Attempt:
        key = self._random.choice(("", "secret", "change-me", self._at.host, self._random.randbytes(8).hex()))
        cookie = URLSafeTimedSerializer(key or "-", salt=SALT).dumps(self._at.other)
        return self._get(kind, self._page(), str(cookie))

    def _expired(self, kind: str) -> Attempt:
        return self._get(kind, self._page(), self._of_yesterday)

    def _path(self, kind: str) -> Attempt:
        person, other = self._random.choice(self._at.people), self._at.other
        paths = (
            f"/admin/people/{person}",
            f"/admin/{other}/unconfirmed",
            f"/admin/{other}/answers.csv",
            f"/admin/answers.csv/../../admin/{other}",
            f"/admin/..%2f..%2fexport%2fanswers?company={other}",
            f"/a/{person}",
            f"/people/{person}.json",
            f"/export/outbox?company={other}",
            f"/companies/{other}",
            f"/api/companies/{other}/people",
            "/pending",
            "/telegrams?after=0",
            "/mnt/data/people.csv",
            "/.env",
            "//admin//answers.csv",
        )
        return self._get(kind, self._random.choice(paths), self._random.choice((self.session, "")))

    def _token(self, kind: str) -> Attempt:
        """A guessed link, or the observer's own with some digits changed."""
        digits = list(self._at.token)
        if self._random.random() < 0.5:
            digits = list(self._random.randbytes(16).hex())
        else:
            for at in self._random.sample(range(len(digits)), self._random.randint(1, 4)):
                digits[at] = self._random.choice([each for each in "0123456789abcdef" if each != digits[at]])
        token = "".join(digits)
        if self._random.random() < 0.25:
            return Attempt(kind, http1.answer(token, self._at.host, 1))
        return self._get(kind, f"/a/{token}", "")

    def _password(self, kind: str) -> Attempt:
        word = self._random.choice((self._at.password, "", "admin", "' or '1'='1"))
        fields = {"company": str(self._at.other), "user": self._at.user, "password": word}
        return Attempt(kind, http1.form("/login", self._at.host, fields))

    def _page(self) -> str:
        return self._random.choice(PAGES)

    def _get(
        self, kind: str, path: str, session: str, *, refusable: bool = True, broadcast: int = 0
    ) -> Attempt:
        request = http1.get(path, self._at.host)
        if session:
            request = _with(request, f"Cookie: {COOKIE}={session}")
        return Attempt(kind, request, refusable, broadcast)


class _Yesterdays(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - YESTERDAY_S


class _Yesterday(URLSafeTimedSerializer):
    """Signs as the service did a day ago."""

    default_signer = _Yesterdays


def _with(request: bytes, header: str) -> bytes:
    """The request with another header."""
    head, _, rest = request.partition(b"\r\n")
    return head + b"\r\n" + header.encode() + b"\r\n" + rest
