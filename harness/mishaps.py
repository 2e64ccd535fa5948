"""What goes wrong while a run is conducted: recorded, and what can still be done is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.rundir import RunDir
from harness.runtime import CannotRun, NodeFailed


class Mishaps:
    """Errors that a run met and survived, in their order."""

    def __init__(self, run: RunDir, say: Callable[[str], None]) -> None:
        self._run, self._say = run, say
        self._all: list[Exception] = []

    @contextmanager
    def noted(self, part: str) -> Iterator[None]:
        """An error ends this part of the run and no other: it is recorded as `run.mishap`. Raises nothing.

        What part it is is said when it begins, as some take longer than anybody likes to hear nothing.
        """
        self._say(part)
        try:
            yield
        except Exception as error:  # whatever it is: what was recorded until now can still be judged
            self._all.append(error)
            self._run.record("run.mishap", part=part, why=why(error))
            self._say(f"{part} ended with an error; what was recorded is kept: {why(error)}")

    def tell(self) -> None:
        """Raises the first of them, if there was any."""
        if self._all:
            raise self._all[0]


def why(error: Exception) -> str:
    """An error in one line; a node's log is elsewhere, whole."""
    if isinstance(error, NodeFailed):
        return f"{error.node}: {error.what}"
    said = " ".join(str(error).split())
    return said if isinstance(error, CannotRun) else f"{type(error).__name__}: {said}"
