"""What a link and its stubs are joined by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from topology.platform.proxy.toxics.toxic import Chunk


class Output(Protocol):
    """What comes next: another stub, or the sink."""

    def feed(self, chunk: Chunk) -> None: ...
    def end(self) -> None:
        """Nothing will be fed any more. A sink closes once all is written."""


class Sink(Output, Protocol):
    """The socket that bytes go to."""

    @property
    def write(self) -> Callable[[bytes], None]: ...
    def reset_on_close(self) -> None:
        """Close by a TCP reset, when it comes to that."""


class Source(Protocol):
    """The socket that bytes come from."""

    def deliver(self, receive: Callable[[bytes], None]) -> None:
        """Call `receive` with whatever is read from now on."""

    def pause(self) -> None:
        """Read no more for now; the sender feels it once the kernel's buffers are full."""

    def resume(self) -> None: ...
    def reset_on_close(self) -> None:
        """Close by a TCP reset, when it comes to that."""
