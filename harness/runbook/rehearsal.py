"""A runbook in a person's hands: any step, at any time, in any order; what they do is carried out and proven for real.

Nothing is refused. A hold point that is not proven when a later step is begun is skipped, and that is recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from harness.runbook.attempt import Attempt, Say
from harness.runbook.journal import FAILED, INTERRUPTED, PROVEN, Journal
from harness.runbook.model import Runbook, Step
from harness.runbook.scene import Scene

#: What events call the performance of a runbook that somebody rehearses.
NAME: Final = "rehearsal"


class State(StrEnum):
    """How far a step has come."""

    WAITING = "not begun"
    UNDER_WAY = "under way"
    PROVEN = "proven"
    FAILED = "failed"


class Person(Protocol):
    """Whoever has a rehearsal in their hands."""

    def by(self, step: Step) -> str:
        """What they are called who do a step."""

    def sit_down(self, rehearsal: Rehearsal, gone: Callable[[str], None]) -> None:
        """Begin, and return at once. In the end the rehearsal is ended or abandoned; then `gone` hears why."""

    def done(self) -> bool: ...

    def leave(self, why: str) -> None:
        """Abandon the rehearsal, unless it has ended; return when that is done."""


class Rehearsal:
    """`by` says who does a step. Safe from several threads; each step goes on in one of its own."""

    def __init__(self, runbook: Runbook, scene: Scene, say: Say, by: Callable[[Step], str]) -> None:
        self.runbook: Final = runbook
        self._scene, self._say, self._by = scene, say, by
        self._journal = Journal(scene.run)
        self._lock = threading.Lock()
        self._attempts: dict[str, Attempt] = {}  # the last at each step
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        scene.run.record("rehearsal.opened", performance=NAME, runbook=runbook.name)

    # -- how it stands -----------------------------------------------------------------------------------------

    def state(self, step: Step) -> State:
        attempt = self._attempts.get(step.name)
        if attempt is None:
            return State.WAITING
        if attempt.outcome is None:
            return State.UNDER_WAY
        return State.PROVEN if attempt.outcome.result == PROVEN else State.FAILED

    @property
    def now(self) -> list[str]:
        """What the steps under way are at."""
        return [attempt.now for attempt in self._under_way()]

    @property
    def busy(self) -> bool:
        return bool(self._under_way())

    def _under_way(self) -> list[Attempt]:
        return [attempt for attempt in list(self._attempts.values()) if attempt.outcome is None]

    @property
    def proven(self) -> bool:
        """Whether every step is."""
        return not self.left

    @property
    def left(self) -> tuple[Step, ...]:
        """The steps that are not proven."""
        return tuple(step for step in self.runbook.steps if self.state(step) is not State.PROVEN)

    @property
    def over(self) -> bool:
        return self._over.is_set()

    # -- what the person does ----------------------------------------------------------------------------------

    def begin(self, step: Step) -> tuple[Step, ...]:
        """Have it carried out, and return at once: the hold points before it that are not proven. One that is under way
        is left to go on.
        """
        with self._lock:
            if self.over or self.state(step) is State.UNDER_WAY:
                return ()
            if not self._threads:
                self._journal.started(NAME, self.runbook, self.runbook.steps[0].name)
            by = self._by(step)
            earlier = self.runbook.steps[: self.runbook.steps.index(step)]
            skipped = tuple(each for each in earlier if each.hold and self.state(each) is not State.PROVEN)
            for hold in skipped:
                self._journal.skipped(NAME, self.runbook, hold, self.state(hold), step.name, by)
            attempt = Attempt(NAME, self.runbook, step, self._scene, self._journal, self._say, by)
            self._attempts[step.name] = attempt
            thread = threading.Thread(target=self._make, args=(attempt,), name=step.name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return skipped

    def _make(self, attempt: Attempt) -> None:
        outcome = attempt.make()
        if outcome.result != PROVEN:
            self._say(f"  {attempt.step.name}: {outcome.result}: {outcome.why}")

    def end(self) -> None:
        """The person says that it is over. Steps under way are stopped, and that is waited for."""
        self._stop()
        left = ", ".join(step.name for step in self.left)
        self._close(FAILED if left else PROVEN, f"ended though not proven: {left}" if left else "")

    def abandon(self, why: str) -> None:
        """The person is gone."""
        self._scene.run.record("rehearsal.abandoned", performance=NAME, why=why)
        self._stop()
        self._close(INTERRUPTED, f"the rehearsal was abandoned: {why}")

    def _stop(self) -> None:
        with self._lock:
            self._over.set()
            for attempt in self._under_way():
                attempt.asked.set()
        for thread in self._threads:
            thread.join()

    def _close(self, outcome: str, why: str) -> None:
        left = self.left
        if self._threads:
            self._journal.ended(NAME, self.runbook, outcome, left[0].name if left else "", why)
        self._scene.run.record("rehearsal.ended", performance=NAME, outcome=outcome, why=why)
