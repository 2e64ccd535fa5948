"""The people of the drill as the load keeps them, and what they set out to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from harness.load import habits
from harness.load.access import Access
from harness.load.config import LoadConfig
from harness.load.curves import Curve
from harness.load.habits import Habits
from harness.load.population import Person


@dataclass(slots=True)
class Resident:
    """One person. Only they write to their register: the value under way is always `acknowledged` + 1."""

    number: int
    address: str
    access: Access
    habits: Habits
    answers_ns: int  # real time from the arrival of the mail to their answer
    mailbox: tuple[str, int]  # where they look into it by hand: host and port
    entrance: int  # which one they try first, modulo how many there are: the last that worked
    token: str = ""  # of their personal link; empty until a mail has brought it
    mail: str = ""  # the id of that mail; empty once it is opened
    acknowledged: int = 0  # the last value that the service has taken
    area: str = ""  # where they live
    block: str = ""  # of the access network, that their handset turned to last


class Purpose(Enum):
    ANSWER = "answer"  # open the page, send the form
    LOOK = "look"  # open the page again
    VISIT = "visit"  # see what is new, as often as people do at such a time
    MAILBOX = "mailbox"  # no notice has come: look into the mailbox by hand


@dataclass(frozen=True, slots=True)
class Errand:
    """Something a resident means to do at `planned_ns`, whatever has become of anything before it.

    `form`: the version of the answer on the form that is on their screen, None while there is none; who could not send
    the form sends the same form again.
    """

    resident: Resident
    purpose: Purpose
    planned_ns: int
    attempt: int = 1
    form: int | None = None


def settle(config: LoadConfig, curve: Curve) -> Mapping[str, Resident]:
    """Everyone whom this worker plays, by mail address."""
    by_carrier = {access.carrier: access for access in config.access}
    people = [one for one in config.population().people if one.number % config.workers == config.worker]
    drawn = [_habits(config, person) for person in people]
    minutes = curve.minutes(np.array([habit.share for habit in drawn]))
    answers_ns = (minutes * 60e9 / config.clock).astype(np.int64).tolist()
    return {
        person.address: Resident(
            person.number,
            person.address,
            by_carrier[person.carrier],
            habit,
            after_ns,
            _mailbox(config, person, by_carrier[person.carrier]),
            habit.entrance,
            area=person.area,
        )
        for person, habit, after_ns in zip(people, drawn, answers_ns, strict=True)
    }


def _mailbox(config: LoadConfig, person: Person, access: Access) -> tuple[str, int]:
    for host in config.hosted:
        if person.domain == host.domain:
            return host.mailboxes[host.mailbox(person.number)]
    return access.mail


def _habits(config: LoadConfig, person: Person) -> Habits:
    return habits.draw(
        config.seed,
        person.number,
        clock=config.clock,
        again=config.again,
        look=config.look,
        tls=config.tls,
    )
