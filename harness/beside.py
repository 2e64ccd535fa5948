"""Work that goes on in a thread beside the run, for as long as a context lasts."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Beside:
    """A subclass says in `_work` what it does until `_over` is set; leaving the context waits for its end."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def _work(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
