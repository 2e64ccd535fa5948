"""Runbooks that are performed while something else goes on: each in a thread of its own."""

from __future__ import annotations

import threading
import time

from harness.faults import Stage
from harness.runbook.engine import Performance, Say
from harness.runbook.model import Runbook
from harness.runbook.reading import within_of
from harness.runbook.scene import Expect, Scene
from harness.rundir import RunDir

#: What the last look of a proof may take beyond its step's time.
MARGIN_S = 30.0


class Performances:
    """The performances of one run."""

    def __init__(self, stage: Stage, run: RunDir, say: Say, expect: Expect) -> None:
        self._scene, self._say = Scene(stage, run, expect), say
        self._all: list[tuple[Performance, threading.Thread, float]] = []

    def begin(self, name: str, runbook: Runbook) -> None:
        """Perform it from its first step on; returns at once."""
        performance = Performance(name, runbook, self._scene, self._say)
        thread = threading.Thread(target=performance.perform, name=name, daemon=True)
        until_s = time.monotonic() + within_of(runbook).s + MARGIN_S
        self._all.append((performance, thread, until_s))
        thread.start()

    def over(self) -> bool:
        """Whether none is under way."""
        return not any(thread.is_alive() for _, thread, _ in self._all)

    @property
    def left_s(self) -> float:
        """How long those under way can still take, by their plans."""
        now_s = time.monotonic()
        return max((until_s - now_s for _, thread, until_s in self._all if thread.is_alive()), default=0.0)

    def stop(self) -> None:
        """Stop those under way between two steps, and return when they have."""
        for performance, _, _ in self._all:
            performance.asked.set()
        for _, thread, _ in self._all:
            thread.join()
