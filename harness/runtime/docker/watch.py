"""Whether the engine is still the one that the run began on."""

from __future__ import annotations

import threading
from contextlib import suppress

import docker

from harness.runtime.docker.engine import SILENT


class Watch:
    """Listens to the engine's events, of which there are none that it asks for: only that they end tells something."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self.broken = ""
        self._over = False
        self._events = engine.events(filters={"type": "daemon", "event": "none"})
        threading.Thread(target=self._listen, name="engine", daemon=True).start()

    def _listen(self) -> None:
        with suppress(*SILENT, ValueError, AttributeError):  # whatever way it ends
            for _ in self._events:
                pass
        if not self._over:
            self.broken = "the container engine ended in the middle of the run"

    def end(self) -> None:
        self._over = True
        with suppress(*SILENT, AttributeError):
            self._events.close()
