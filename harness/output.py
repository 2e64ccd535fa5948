"""Standard output and error as a command line needs them: whoever reads may go, and need not know every letter."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, Final, TextIO

LOWEST: Final = (0, 1, 2)


class _Pipe(io.FileIO):
    """A reader who has gone (`harness list | head -1`, a terminal that was closed) is no error: nobody misses what is
    not read.
    """

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EIO):
                return len(data)
            raise


def prepare() -> None:
    """Take the place of sys.stdout and sys.stderr. A closed descriptor becomes /dev/null, so that no file takes it."""
    for descriptor in LOWEST:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
    sys.stdout = _text(sys.stdout, 1)
    sys.stderr = _text(sys.stderr, 2)


def drop() -> None:
    """What standard output could not take is not tried again when this process ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _text(before: TextIO | None, descriptor: int) -> TextIO:
    """Letters that the terminal cannot show come as "?"."""
    pipe = _Pipe(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(pipe),
        encoding=before.encoding if before else "utf-8",
        errors="replace",
        line_buffering=pipe.isatty() or descriptor == 2,
    )
