"""One attempt at a step: carried out, then looked at until it is proven or its time is over.

on disk: started ── command ── on disk: done ── proof, again and again ── on disk: proven
                      │                           │
           again while nodes fail           until `within` is over: failed
           failed when it is refused
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
from harness.rundir import Json

LOOK_EVERY_S: Final = 0.1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a step or a performance ended: `result` is PROVEN, FAILED, INTERRUPTED or UNKNOWN; where, and why."""

    result: str
    step: str = ""
    why: str = ""


class _Stop(Exception):
    """A step that does not come to its proof."""

    def __init__(self, result: str, why: str) -> None:
        self.result, self.why = result, why
        super().__init__(why)


@dataclass
class Attempt:
    """At one step of a performance, by whom. Set `asked` to stop it: a command under way is carried out first, a proof
    is no longer waited for. `now` says what it is at, `outcome` what it came to; None until it is over.
    """

    performance: str
    runbook: Runbook
    step: Step
    scene: Scene
    journal: Journal
    say: Say
    by: str
    asked: threading.Event = field(default_factory=threading.Event)
    now: str = ""
    outcome: Outcome | None = None

    def make(self) -> Outcome:
        """Never raises; the outcome says it all, and so does the journal."""
        step, began_s = self.step, time.monotonic()
        until_s = began_s + step.within.s
        self.now = step.name
        number = f"{self.runbook.steps.index(step) + 1}/{len(self.runbook.steps)}"
        self.say(f"[{number}] {step.name}: {step.title.en} (within {step.within})")
        self._note(
            "started",
            command=step.command.name if step.command else "",
            arguments=dict(step.command.arguments) if step.command else {},
            proofs=[proof.name for proof in step.proofs],
            within_s=step.within.s,
            role=step.role.name if step.role else "",
            by=self.by,
        )
        try:
            said = self._carry_out(until_s)
            self._note("done", said=said)
            if said:
                self.say(f"  {said}")
            proof = self._prove(until_s)
        except _Stop as stop:
            self.outcome = Outcome(stop.result, step.name, stop.why)
            self._note("stopped" if stop.result == INTERRUPTED else "failed", why=stop.why)
            return self.outcome
        seconds = round(time.monotonic() - began_s, 3)
        self.outcome = Outcome(PROVEN, step.name)  # whoever hears of it may go on at once
        self._note("proven", proof=proof, seconds=seconds)
        self.say(f"  proven after {seconds:.1f} s: {proof}")
        return self.outcome

    def _note(self, what: str, **more: Json) -> None:
        self.journal.step(what, self.performance, self.runbook, self.step, **more)

    def _carry_out(self, until_s: float) -> str:
        """What the command has to say. It is given again while nodes fail, as long as there is time."""
        step = self.step
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

    def _prove(self, until_s: float) -> str:
        """What was seen, when all proofs are. Each is looked at until its time is over, and at least once."""
        seen: list[str] = []
        for call in self.step.proofs:
            while True:
                effect = self._look(call)
                if effect.proven:
                    seen.append(effect.proof)
                    break
                if time.monotonic() > until_s:
                    raise _Stop(FAILED, f"not proven within {self.step.within}: {effect.proof}")
                self.now = f"{self.step.name}: not proven yet, {effect.proof}"
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
