"""Ctrl-C, twice: the first heals, records and takes down; the second only takes down."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GiveUp(BaseException):
    """The second interruption: nothing more is recorded, everything is taken down."""


class Interruption:
    """While its context lasts, the first signal sets `asked` and the second raises GiveUp in the main thread."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.why = ""
        self._given_up = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._given_up:
            return  # nothing is quicker than that
        if self.asked.is_set() and number == signal.SIGHUP:
            return  # whoever closes the terminal may be heard more than once, and insists on nothing
        if self.asked.is_set():
            self._given_up = True
            raise GiveUp
        self.ask(signal.Signals(number).name)

    def ask(self, why: str) -> None:
        """As the first signal does."""
        self.why = self.why or why
        self.asked.set()
