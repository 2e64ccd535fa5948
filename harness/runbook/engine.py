"""Performing a runbook: step after step, each carried out and proven in its time, or the end of it.

    step ── on disk: started ── command ── on disk: done ── proof, again and again ── on disk: proven ── next step
                                  │                           │
                       again while nodes fail           until `within` is over: failed, stop
                       stop when it is refused

Asked to stop, it stops between two steps; a command under way is carried out first, a proof is no longer waited for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.faults import Effect
from harness.runbook.commands import COMMANDS
from harness.runbook.journal import FAILED, INTERRUPTED, PROVEN, UNKNOWN, Journal
from harness.runbook.model import Call, Runbook, Step
from harness.runbook.proofs import PROOFS
from harness.runbook.scene import TROUBLE, Refused, Scene, brief

LOOK_EVERY_S: Final = 0.1
#: Whoever watches hears something at least as often as this.
SPEAK_EVERY_S: Final = 4.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a performance ended: `result` is PROVEN, FAILED, INTERRUPTED or UNKNOWN; where, and why."""

    result: str
    step: str = ""
    why: str = ""


class _Stop(Exception):
    """A step that does not come to its proof."""

    def __init__(self, result: str, why: str) -> None:
        self.result, self.why = result, why
        super().__init__(why)


@dataclass
class Performance:
    """One performance of a runbook. `name` is what events call it; set `asked` to stop it."""

    name: str
    runbook: Runbook
    scene: Scene
    say: Say
    asked: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    _now: str = ""
    _spoken_s: float = 0.0

    def perform(self, first: str | None = None) -> Outcome:
        """From the step `first`, or from the beginning. Never raises; the outcome says it all."""
        journal = Journal(self.scene.run)
        names = [step.name for step in self.runbook.steps]
        begin = names.index(first) if first else 0
        journal.started(self.name, self.runbook, names[begin])
        over = threading.Event()
        threading.Thread(target=self._keep_speaking, args=(over,), daemon=True).start()
        outcome = Outcome(PROVEN)
        for number, step in list(enumerate(self.runbook.steps, 1))[begin:]:
            if self.asked.is_set():
                outcome = Outcome(INTERRUPTED, step.name, f"asked to stop before {step.name}")
                break
            try:
                self._perform(journal, number, step)
            except _Stop as stop:
                if stop.result != INTERRUPTED:
                    journal.step("failed", self.name, self.runbook, step, why=stop.why)
                outcome = Outcome(stop.result, step.name, stop.why)
                break
        over.set()
        journal.ended(self.name, self.runbook, outcome.result, outcome.step, outcome.why)
        self._tell(self._last_words(outcome))
        self.outcome = outcome
        return outcome

    def _perform(self, journal: Journal, number: int, step: Step) -> None:
        """Raises _Stop unless the step is proven."""
        began_s = time.monotonic()
        until_s = began_s + step.within.s
        self._now = step.name
        self._tell(
            f"[{number}/{len(self.runbook.steps)}] {step.name}: {step.title.en} (within {step.within})"
        )
        journal.step(
            "started",
            self.name,
            self.runbook,
            step,
            command=step.command.name if step.command else "",
            arguments=dict(step.command.arguments) if step.command else {},
            proofs=[proof.name for proof in step.proofs],
            within_s=step.within.s,
        )
        said = self._carry_out(step, until_s)
        journal.step("done", self.name, self.runbook, step, said=said)
        if said:
            self._tell(f"  {said}")
        proof = self._prove(step, until_s)
        seconds = round(time.monotonic() - began_s, 3)
        journal.step("proven", self.name, self.runbook, step, proof=proof, seconds=seconds)
        self._tell(f"  proven after {seconds:.1f} s: {proof}")

    def _carry_out(self, step: Step, until_s: float) -> str:
        """What the command has to say. It is given again while nodes fail, as long as there is time."""
        if step.command is None:
            return ""
        command = COMMANDS[step.command.name]
        while True:
            try:
                return command.act(self.scene, step.command.arguments)
            except Refused as refused:
                raise _Stop(FAILED, f"{step.command.name} was refused: {refused}") from None
            except TROUBLE as error:
                why = f"{step.command.name} was not carried out within {step.within}: {brief(error)}"
            except Exception as error:  # whatever it is: an error of ours, which says nothing of the service
                raise _Stop(
                    UNKNOWN, f"{step.command.name} broke: {type(error).__name__}: {brief(error)}"
                ) from error
            if time.monotonic() > until_s:
                raise _Stop(FAILED, why)
            if self.asked.wait(LOOK_EVERY_S):
                raise _Stop(INTERRUPTED, f"asked to stop; {why}")

    def _prove(self, step: Step, until_s: float) -> str:
        """What was seen, when all proofs are. Each is looked at until its time is over, and at least once."""
        seen: list[str] = []
        for call in step.proofs:
            while True:
                effect = self._look(call)
                if effect.proven:
                    seen.append(effect.proof)
                    break
                if time.monotonic() > until_s:
                    raise _Stop(FAILED, f"not proven within {step.within}: {effect.proof}")
                self._now = f"{step.name}: not proven yet, {effect.proof}"
                if self.asked.wait(LOOK_EVERY_S):
                    raise _Stop(INTERRUPTED, f"asked to stop before it was proven: {effect.proof}")
        return "; ".join(seen)

    def _look(self, call: Call) -> Effect:
        """A look that breaks has seen nothing, and says so."""
        try:
            return PROOFS[call.name].see(self.scene, call.arguments)
        except TROUBLE as error:
            return Effect(False, brief(error))
        except Exception as error:
            raise _Stop(UNKNOWN, f"{call.name} broke: {type(error).__name__}: {brief(error)}") from error

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
                self._tell(f"  … {self._now}")
