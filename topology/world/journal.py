"""Append-only journals of JSON lines, as every program of the world keeps them.

    commit ─┐                    ┌─ write ── fdatasync ─┐
    commit ─┼─ waiting (memory) ─┤                      ├─ every future of the batch resolves
    note   ─┘                    └──── one batch ───────┘

Whatever arrives while a batch is on its way to the disk makes up the next one, so that a thousand commits at once
cost a handful of fdatasync calls (group commit).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

RETRY_S = 0.5
"""How long a note waits for a disk that refused it, in real seconds."""

_CHUNK = 1 << 20


class Journal:
    """One file of JSON lines. Not safe from several threads: it belongs to the event loop that first writes to it.

    A line that a crash tore at the end of the file is cut off when the journal is opened: nobody was told that it
    was there. `durable=False` leaves out the fdatasync, for records that could be made again from another journal.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fault: OSError | None = None
        """What the disk last refused with; None again as soon as it takes something."""
        self._durable = durable
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._size = _cut_torn_line(self._fd)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._notes: list[bytes] = []
        self._settling: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=path.stem) if durable else None

    def commit(self, lines: bytes) -> asyncio.Future[None]:
        """Append whole lines. The future is done once they are on the disk.

        It raises OSError when the disk refused them (full, or broken): then nothing of them is in the file.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((lines, future))
        self._start_writer()
        return future

    def note(self, lines: bytes) -> None:
        """Append whole lines soon. A disk that refuses them is asked again until it takes them.

        A journal is used for commits or for notes, not for both: a refused batch is refused whole.
        """
        self._notes.append(lines)
        self._start_writer()

    async def settled(self) -> None:
        """Wait until the disk has taken all that was noted before, or refuses it: `fault` tells which."""
        writing = self._writer is not None and not self._writer.done()
        if self.fault is None and writing:
            settling = asyncio.get_running_loop().create_future()
            self._settling.append(settling)
            await settling

    def read(self, start: int, end: int) -> bytes:
        """The bytes of the file from `start` up to `end`."""
        return os.pread(self._fd, end - start, start)

    def lines(self) -> Iterator[bytes]:
        """Every committed line, without its end, oldest first."""
        rest = b""
        for at in range(0, self._size, _CHUNK):
            block = rest + self.read(at, min(at + _CHUNK, self._size))
            *whole, rest = block.split(b"\n")
            yield from whole

    async def close(self) -> None:
        """Write what is waiting, as far as the disk takes it, and close the file."""
        if self._writer is not None:
            await self._writer
        if self._thread is not None:
            self._thread.shutdown()
        os.close(self._fd)
        self._fd = -1  # the number may soon stand for another file
        self._notes.clear()

    # -- the writer --------------------------------------------------------------------------------------------

    def _start_writer(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_batches())

    async def _write_batches(self) -> None:
        while self._waiting or self._notes or self._settling:
            waiting, self._waiting = self._waiting, []
            notes, self._notes = self._notes, []
            settling, self._settling = self._settling, []
            try:
                if waiting or notes:
                    await self._append(b"".join([*(lines for lines, _ in waiting), *notes]))
            except OSError as error:
                self.fault = error
                self._notes[:0] = notes
                _refuse(waiting, error)
                _settle([*settling, *self._settling])
                self._settling = []
                if self._waiting:
                    continue
                asyncio.get_running_loop().call_later(RETRY_S, self._start_writer)
                return
            self.fault = None
            _settle([*(future for _, future in waiting), *settling])

    async def _append(self, data: bytes) -> None:
        if self._thread is None:
            self._write(data)
        else:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, data)
        self._size += len(data)

    def _write(self, data: bytes) -> None:
        """Write and sync, or raise OSError with the file as it was before."""
        at, rest = self._size, memoryview(data)
        try:
            if os.fstat(self._fd).st_size != at:
                os.ftruncate(self._fd, at)
            while rest:
                written = os.pwrite(self._fd, rest, at)
                at, rest = at + written, rest[written:]
            if self._durable:
                os.fdatasync(self._fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._size)
            raise


def _settle(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _refuse(waiting: list[tuple[bytes, asyncio.Future[None]]], error: OSError) -> None:
    for _, future in waiting:
        if not future.done():
            future.set_exception(OSError(error.errno, error.strerror))


def _cut_torn_line(fd: int) -> int:
    """Cut off what follows the last line end, and give the size of the rest."""
    size = end = os.fstat(fd).st_size
    while end > 0:
        start = max(0, end - _CHUNK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(fd, end)
    return end
