"""Where handsets have a signal, as the base stations tell, on gevent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import gevent

from harness.load import http1
from harness.load.access import Entrance
from harness.load.http1 import NotSentError, UnansweredError
from harness.load.line import Line
from harness.load.residents import Resident
from topology.world.radio.coverage import covers, place

#: How old may be what is known, and how long the base stations are waited for; real seconds.
FOLLOW_EVERY_S: Final = 0.3
TRY_S: Final = 2.0

Signal = Mapping[str, Sequence[tuple[float, float]]]


class Air:
    """`changed` is called whenever the signal is not where it was."""

    def __init__(self, radio: tuple[str, int], changed: Callable[[], None]) -> None:
        self._radio, self._changed = radio, changed
        self._signal: Signal = {}

    def reaches(self, resident: Resident) -> bool:
        """Everybody stands at one place of their area, always the same."""
        signal = self._signal.get(resident.area)
        return signal is None or covers(signal, place(resident.number))

    def follow(self) -> None:
        """Until killed. What cannot be asked stays as it was."""
        host, port = self._radio
        with Line(host, secure=False, try_s=TRY_S) as line:
            while True:
                try:
                    reply = line.exchange(Entrance("radio", host, port, 0), http1.get("/signal", host))
                    signal: Signal = json.loads(reply.body)
                except (NotSentError, UnansweredError, ValueError):
                    signal = self._signal
                if signal != self._signal:
                    self._signal = signal
                    self._changed()
                gevent.sleep(FOLLOW_EVERY_S)
