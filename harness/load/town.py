"""What people do: a mail brings their link, and at their own time they answer, however often it takes."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

import orjson

from harness.load import habits, http1
from harness.load.access import Entrance
from harness.load.air import Air
from harness.load.asking import Asking
from harness.load.attaching import Attaching
from harness.load.config import LoadConfig
from harness.load.directory import Directory
from harness.load.http1 import NotSentError, UnansweredError
from harness.load.line import Line
from harness.load.network import NotAttachedError
from harness.load.residents import Errand, Purpose, Resident
from harness.load.tally import Tally
from harness.rundir.history import BY_HAND, BY_NOTICE, Opened, Operation

_LINK: Final = re.compile(r"/a/([A-Za-z0-9_-]+)")


class Town:
    """Carries out errands and plans those that follow. One greenlet an errand; none waits for another."""

    def __init__(
        self,
        config: LoadConfig,
        residents: Mapping[str, Resident],
        tally: Tally,
        record: Callable[[Operation], None],
        plan: Callable[[Errand], None],
        opened: Callable[[Opened], None] = lambda _: None,
    ) -> None:
        self._config = config
        self._residents = residents
        self.tally = tally
        self.air = Air(config.radio, self._ring) if config.radio is not None else None
        self.attaching = Attaching(config.access, config.seed, self.air, record)
        self._unheard: dict[str, tuple[str, str]] = {}
        self._asking = Asking(Directory(config.host), self.attaching, tally, record)
        self._plan = plan
        self._opened = opened
        self._jitter = Random(config.seed)
        self._visiting = Random(f"visits {config.seed}")
        self._felt = False
        self._felt_ns = 0  # when everyone knew

    def notice(self, address: str, mail: str, text: str, at_ns: int) -> None:
        """A handset shows a mail. Only the first link counts: a person has one register, of one broadcast."""
        link = _LINK.search(text)
        if link is None:
            return
        if not self._felt:
            self._feel(at_ns)
        resident = self._residents.get(address)
        if resident is not None and self.air is not None and not self.air.reaches(resident):
            self._unheard[address] = (mail, text)
            return
        if resident is not None and not resident.token:
            self._give_link(resident, link[1], mail)
            self._plan(Errand(resident, Purpose.ANSWER, at_ns + resident.answers_ns))

    def _ring(self) -> None:
        """The signal is not where it was: handsets that have one again hear what they missed."""
        for address, (mail, text) in list(self._unheard.items()):
            del self._unheard[address]
            self.notice(address, mail, text, time.monotonic_ns())

    def wanted(self, errand: Errand) -> bool:
        """Whether an errand that is due still has a reason: who has the link need not look for it."""
        if errand.purpose is Purpose.MAILBOX:
            return not errand.resident.token
        if errand.purpose is Purpose.ANSWER and errand.attempt == 1:
            self.tally.waiting += 1
        return True

    def carry_out(self, errand: Errand) -> None:
        match errand.purpose:
            case Purpose.ANSWER:
                self._answer(errand)
            case Purpose.LOOK:
                with self._line(errand.resident) as line:
                    self._open_page(line, errand)
            case Purpose.VISIT:
                self._visit(errand)
            case Purpose.MAILBOX:
                self._look_into_mailbox(errand)

    def _feel(self, at_ns: int) -> None:
        """The first notice anywhere: now everyone knows; who has none after a while looks by hand in their own time."""
        self._felt = True
        known_ns = at_ns + int(self._config.looks_after_min * 60e9 / self._config.clock)
        for resident in self._residents.values():
            self._plan(Errand(resident, Purpose.MAILBOX, known_ns + resident.answers_ns))

        if self._config.visits is not None:
            self._felt_ns = at_ns
            for resident in self._residents.values():
                self._plan_visit(resident, 0.0)

    def _plan_visit(self, resident: Resident, minute: float) -> None:
        """The next one after that drill minute since everyone knows, whatever becomes of the one before it."""
        visits = self._config.visits
        assert visits is not None
        following = visits.following(minute, resident.area, self._visiting.random())
        if following < math.inf:
            planned_ns = self._felt_ns + int(following * 60e9 / self._config.clock)
            self._plan(Errand(resident, Purpose.VISIT, planned_ns))

    def _visit(self, errand: Errand) -> None:
        """Who has no link yet has nowhere to go."""
        resident = errand.resident
        self._plan_visit(resident, (errand.planned_ns - self._felt_ns) * self._config.clock / 60e9)
        if resident.token:
            with self._line(resident) as line:
                self._open_page(line, errand)

    def _give_link(self, resident: Resident, token: str, mail: str) -> None:
        resident.token, resident.mail = token, mail
        self.tally.linked += 1

    def _open_mail(self, resident: Resident, how: str) -> None:
        """They read the mail that has their link; once, however often they come back to it."""
        if resident.mail:
            mail, resident.mail = resident.mail, ""
            carrier = resident.access.carrier
            self._opened(Opened(mail, resident.address, time.monotonic_ns(), carrier, how))

    def _line(self, resident: Resident) -> Line:
        return Line(self._config.host, secure=resident.habits.secure, try_s=self._config.try_s)

    def _answer(self, errand: Errand) -> None:
        self._open_mail(errand.resident, BY_NOTICE)
        with self._line(errand.resident) as line:
            line.form = errand.form
            if line.form is None:
                self._open_page(line, errand)
            if line.form is not None and self._send_form(line, errand, line.form):
                self._after_answer(errand)
                return
        if errand.attempt >= self._config.patience:
            self.tally.waiting -= 1
            self.tally.given_up += 1
            return
        wait_s = habits.pause_s(self._config.pause_s, errand.attempt, self._jitter.random())
        planned_ns = time.monotonic_ns() + int(wait_s * 1e9)
        self._plan(replace(errand, planned_ns=planned_ns, attempt=errand.attempt + 1, form=line.form))

    def _open_page(self, line: Line, errand: Errand) -> bool:
        resident = errand.resident
        return self._asking.ask(line, errand, "look", 0, http1.get(f"/a/{resident.token}", self._config.host))

    def _send_form(self, line: Line, errand: Errand, version: int) -> bool:
        resident = errand.resident
        value = resident.acknowledged + 1
        status, come = habits.answer_of(self._config.seed, resident.number, value)
        request = http1.answer(resident.token, self._config.host, value, status, come, version=version)
        if not self._asking.ask(line, errand, "answer", value, request):
            return False
        resident.acknowledged = value
        return True

    def _after_answer(self, errand: Errand) -> None:
        self.tally.waiting -= 1
        now_ns = time.monotonic_ns()
        resident = errand.resident
        if resident.acknowledged > 1:
            return
        if resident.habits.again_s is not None:
            self._plan(Errand(resident, Purpose.ANSWER, now_ns + int(resident.habits.again_s * 1e9)))
        if resident.habits.looks_s is not None:
            self._plan(Errand(resident, Purpose.LOOK, now_ns + int(resident.habits.looks_s * 1e9)))

    def _look_into_mailbox(self, errand: Errand) -> None:
        resident = errand.resident
        token, mail = self._link_in_mailbox(resident)
        if resident.token:
            return  # the notice came after all, while the mailbox was being opened
        if token:
            self._give_link(resident, token, mail)
            self._open_mail(resident, BY_HAND)
            self._plan(Errand(resident, Purpose.ANSWER, errand.planned_ns))
        elif errand.attempt < self._config.looks:
            apart_ns = int(self._config.looks_every_min * 60e9 / self._config.clock)
            self._plan(replace(errand, planned_ns=errand.planned_ns + apart_ns, attempt=errand.attempt + 1))

    def _link_in_mailbox(self, resident: Resident) -> tuple[str, str]:
        """The link in the newest mail that has one, and that mail; empty for none, or for no answer."""
        try:
            self.attaching.attach(resident)
        except NotAttachedError:
            return "", ""
        host, port = resident.mailbox
        mail = Entrance("mail", host, port, 0)
        with Line(host, secure=False, try_s=self._config.try_s) as line:
            try:
                reply = line.exchange(mail, http1.get(f"/mailboxes/{resident.address}", host))
            except (NotSentError, UnansweredError):
                return "", ""
        if reply.status != 200:
            return "", ""
        messages: Sequence[Mapping[str, str]] = orjson.loads(reply.body)
        links = [
            (link[1], message.get("id", ""))
            for message in messages
            if (link := _LINK.search(message.get("text", "")))
        ]
        return links[-1] if links else ("", "")
