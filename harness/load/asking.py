"""One request of one person: by one of the entrances that the name leads to, then by the others.

Each try is written down as it went.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.load import http1
from harness.load.access import Entrance
from harness.load.attaching import Attaching
from harness.load.directory import Directory
from harness.load.http1 import NotSentError, Reply, UnansweredError
from harness.load.line import Line
from harness.load.names import ENDPOINT, NoAddressError
from harness.load.network import NotAttachedError
from harness.load.residents import Errand
from harness.load.tally import Tally
from harness.rundir.history import Operation


class Asking:
    """Each try is an operation of its own: one that was sent and not answered may take effect later.

    All tries of an errand share its planned time as the intended one, so that waiting for a silent entrance,
    or for the page before the form, counts as what it is to the person: waiting.
    """

    def __init__(
        self,
        directory: Directory,
        attaching: Attaching,
        tally: Tally,
        record: Callable[[Operation], None],
    ) -> None:
        self._directory = directory
        self._attaching = attaching
        self._tally = tally
        self._record = record

    def ask(self, line: Line, errand: Errand, kind: str, value: int, request: bytes) -> bool:
        """Whether it was served. The entrance that worked last is the one this person tries first."""
        resident, invoked_ns = errand.resident, time.monotonic_ns()
        try:
            if line.block is None:
                line.block = self._attaching.attach(resident, errand.attempt)
            entrances = self._directory.entrances(resident.access, resident.number, line.block)
        except NotAttachedError as error:
            self._note(errand, error.block, kind, value, invoked_ns, "fail", str(error))
            return False
        except NoAddressError as error:
            self._note(errand, ENDPOINT, kind, value, invoked_ns, "fail", str(error))
            return False
        for _ in entrances:
            entrance = entrances[resident.entrance % len(entrances)]
            outcome, detail = self._try(line, errand, entrance, kind, value, request)
            if outcome == "ok":
                return True
            resident.entrance += 1
            if detail.startswith("http"):
                return False  # an error page: nobody tries another entrance before having read it
        return False

    def _try(
        self, line: Line, errand: Errand, entrance: Entrance, kind: str, value: int, request: bytes
    ) -> tuple[str, str]:
        invoked_ns = time.monotonic_ns()
        outcome, detail = "info", "stopped"
        try:
            reply = line.exchange(entrance, request)
            value, outcome, detail = _judge(kind, value, reply)
            if (form := http1.seen_version(reply.body)) is not None:
                line.form = form
        except NotSentError as error:
            outcome, detail = "fail", str(error)
        except UnansweredError as error:
            detail = str(error)
        finally:  # also when the load is told to stop in the middle of a request
            self._note(errand, entrance.name, kind, value, invoked_ns, outcome, detail)
        return outcome, detail

    def _note(
        self,
        errand: Errand,
        endpoint: str,
        kind: str,
        value: int,
        invoked_ns: int,
        outcome: str,
        detail: str,
    ) -> None:
        completed_ns = time.monotonic_ns()
        person, planned_ns, ok = errand.resident.number, errand.planned_ns, outcome == "ok"
        carrier = errand.resident.access.carrier
        self._tally.tried(planned_ns, invoked_ns, ok)
        if ok and kind == "answer":
            self._tally.acknowledged(completed_ns, completed_ns - planned_ns)
        self._record(
            Operation(
                process=person,
                kind=kind,
                key=person,
                value=value,
                intended_ns=planned_ns,
                invoked_ns=invoked_ns,
                completed_ns=completed_ns,
                outcome=outcome,
                vantage=carrier,
                endpoint=endpoint,
                detail=None if ok else detail,
            )
        )


def _judge(kind: str, value: int, reply: Reply) -> tuple[int, str, str]:
    """What a reply makes of an operation: its value, outcome and detail."""
    if 200 <= reply.status < 300:
        if kind != "look":
            return value, "ok", ""
        seen = http1.seen_value(reply.body)
        return (0, "fail", "http 200, but not the page") if seen is None else (seen, "ok", "")
    # A balancer says 503 also when it lost the server after passing the form on: it may have been taken.
    outcome = "info" if kind == "answer" and reply.status >= 500 else "fail"
    return value, outcome, f"http {reply.status}"
