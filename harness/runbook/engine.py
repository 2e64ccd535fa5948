"""Performing a runbook: step after step, each carried out and proven in its time, or the end of it.

    step ── attempt ── proven ── next step
              │
           failed, unknown, asked to stop: the end of it

Asked to stop, it stops between two steps; see `attempt`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.runbook.attempt import Attempt, Outcome, Say
from harness.runbook.journal import INTERRUPTED, PROVEN, Journal
from harness.runbook.model import Runbook, Step
from harness.runbook.scene import Scene

__all__ = ["HARNESS", "Outcome", "Performance", "Say"]

#: Whoever watches hears something at least as often as this.
SPEAK_EVERY_S: Final = 4.0
#: Who does the steps where no person does.
HARNESS: Final = "harness"


@dataclass
class Performance:
    """One performance of a runbook. `name` is what events call it; set `asked` to stop it. `by`: who had it performed.

    `skipped`: hold points that it goes on behind though they were never proven.
    """

    name: str
    runbook: Runbook
    scene: Scene
    say: Say
    asked: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    by: str = HARNESS
    skipped: Sequence[Step] = ()
    _at: Attempt | None = None
    _spoken_s: float = 0.0

    def perform(self, first: str | None = None) -> Outcome:
        """From the step `first`, or from the beginning. Never raises; the outcome says it all."""
        journal = Journal(self.scene.run)
        names = [step.name for step in self.runbook.steps]
        begin = names.index(first) if first else 0
        journal.started(self.name, self.runbook, names[begin])
        for hold in self.skipped:
            journal.skipped(self.name, self.runbook, hold, "not proven", names[begin], self.by)
        over = threading.Event()
        threading.Thread(target=self._keep_speaking, args=(over,), daemon=True).start()
        outcome = Outcome(PROVEN)
        for step in self.runbook.steps[begin:]:
            if self.asked.is_set():
                outcome = Outcome(INTERRUPTED, step.name, f"asked to stop before {step.name}")
                break
            self._at = Attempt(
                self.name, self.runbook, step, self.scene, journal, self._tell, self.by, self.asked
            )
            came = self._at.make()
            if came.result != PROVEN:
                outcome = came
                break
        over.set()
        journal.ended(self.name, self.runbook, outcome.result, outcome.step, outcome.why)
        self._tell(self._last_words(outcome))
        self.outcome = outcome
        return outcome

    def _last_words(self, outcome: Outcome) -> str:
        if outcome.result == PROVEN:
            return f"{self.runbook}: every step is proven"
        return f"{self.runbook}: {outcome.result} at {outcome.step}: {outcome.why}"

    def _tell(self, text: str) -> None:
        self._spoken_s = time.monotonic()
        self.say(text)

    def _keep_speaking(self, over: threading.Event) -> None:
        while not over.wait(0.5):
            if time.monotonic() - self._spoken_s > SPEAK_EVERY_S:
                self._tell(f"  … {self._at.now if self._at else ''}")
