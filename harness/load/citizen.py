"""The load's user, as Locust runs it: one person on one errand, gone when it is done."""

from __future__ import annotations

import logging

from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from harness.load.residents import Errand
from harness.load.town import Town

_log = logging.getLogger(__name__)


class Citizen(User):
    """Made for one errand when that is due, so that the number of users is what the arrivals make of it."""

    def __init__(self, environment: Environment, town: Town, errand: Errand) -> None:
        super().__init__(environment)
        self._town = town
        self._errand = errand

    @task
    def carry_out(self) -> None:
        try:
            self._town.carry_out(self._errand)
        except Exception:  # an errand's error ends that errand; Locust would begin it anew
            _log.exception("person %d: %s", self._errand.resident.number, self._errand.purpose.value)
            self._town.tally.strange += 1
        raise StopUser
