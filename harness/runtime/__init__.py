"""Where nodes live. A runtime brings nodes up, takes them down, and lets others look from inside."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.failure import Failure
from harness.rundir import RunDir
from topology.map import Map, Node


class CannotRun(Exception):
    """This machine cannot do what was asked. The text says what is missing and what to do next; exit status 4."""


class NodeFailed(CannotRun):
    """A node would not start or would not do as told: its name, what happened, the last lines of its log."""

    def __init__(self, node: str, what: str, log: Sequence[str] = ()) -> None:
        self.node, self.what, self.log = node, what, tuple(log)
        tail = "".join(f"\n    {line}" for line in self.log)
        super().__init__(f"{node}: {what}" + (f"; the last lines of its log:{tail}" if tail else ""))


@dataclass(frozen=True)
class Completed:
    """A program that ran on a node to its end."""

    status: int
    stdout: bytes
    stderr: bytes


class Runtime(Protocol):
    """Every call is idempotent and names the node in every error (`NodeFailed`)."""

    name: str

    def prepare(self, topology: Map, run: RunDir) -> None:
        """Images, networks, volumes; nothing starts."""

    def start(self, node: Node) -> None:
        """Start it; also after a kill, on its old volumes. Returns before the node is healthy."""

    def stop(self, node: Node) -> None:
        """An orderly stop."""

    def kill(self, node: Node) -> int:
        """SIGKILL of all of it, and silence on its network: power loss says no goodbye.

        Gives the instant, in monotonic ns, since which nothing reaches it: an engine may need seconds to end many.
        """

    def alive(self, node: Node) -> bool: ...

    def exec(self, node: Node, argv: Sequence[str], timeout_s: float, stdin: bytes = b"") -> Completed:
        """Run a program to its end where the node's own programs run. Raises TimeoutError."""

    def spawn(self, node: Node, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program of the harness in the node's network: stdout is a pipe, stderr goes to `log`."""

    def inside(self, node: Node) -> AbstractContextManager[None]:
        """This thread opens its sockets in that node's network until the context ends."""

    def log(self, node: Node, lines: int = 20) -> list[str]:
        """The last lines that the node printed."""

    def volume(self, name: str) -> Path:
        """Where what a volume holds can be read on this machine."""

    def close(self) -> None:
        """Nothing of it is left."""


@runtime_checkable
class Breaks(Protocol):
    """A runtime that hangs on something that can end before the run does."""

    def broken(self) -> str:
        """What became of it, in words; empty while it is well."""


@runtime_checkable
class Attaches(Protocol):
    """A runtime whose nodes may have been there before the run, and stay when it is over."""

    def attached(self) -> str:
        """What it is attached to, in words; empty where all nodes are the run's own."""


@runtime_checkable
class Pauses(Protocol):
    """A runtime that can freeze a node: it keeps its connections and answers nothing."""

    def pause(self, node: Node) -> None: ...

    def resume(self, node: Node) -> None: ...


@runtime_checkable
class Cuts(Protocol):
    """A runtime that can cut the network between any nodes, silently, one way or both."""

    def cut(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """From now on no packet of any source reaches any target."""

    def join(self, sources: Sequence[Node], targets: Sequence[Node]) -> None:
        """Take a `cut` of the same nodes back."""


@runtime_checkable
class Enclosures(Protocol):
    """A runtime whose storage enclosures can fail, with all volumes that are on them."""

    def refuses_failure(self, how: Failure) -> str:
        """Why no enclosure can fail so here; empty where it can. Known before anything is prepared."""

    def fail_enclosure(self, enclosure: str, how: Failure) -> int | None:
        """It fails at once. Where its nodes cannot keep running without it they are killed, all at once.

        Gives the instant, in monotonic ns, since which nothing reaches those; None where none was killed.

        Records `enclosure.failed`, which says what the enclosure is made of here. An enclosure fails in one way at a
        time: raises NodeFailed, naming it, for another, and for one of `TROUBLES` that was not foreseen.
        """

    def repair_enclosure(self, enclosure: str) -> None:
        """It has all again that was durable. Its nodes are started anew on it, but for those that were to be down.

        Where it was only slow, or failed now and then, those that run go on.
        """


@runtime_checkable
class Foresees(Protocol):
    """A runtime that has to know how an enclosure may fail: something must lie under programs before they start."""

    def foresee_failure(self, enclosure: str, how: Failure) -> None:
        """It may fail so in this run. Told before `prepare`."""


CAPABILITIES: Mapping[str, type] = {"pauses": Pauses, "cuts": Cuts, "enclosures": Enclosures}
