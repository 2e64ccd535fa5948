from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.world.program import until
from topology.world.journal import Journal


def rows(path: Path) -> list[int]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_is_committed_is_in_the_file_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        journal = Journal(tmp_path / "j")
        await asyncio.gather(*(journal.commit(b"%d\n" % number) for number in range(500)))
        assert rows(tmp_path / "j") == list(range(500))
        await journal.close()

    asyncio.run(story())


@settings(max_examples=30, deadline=None)
@given(
    whole=st.lists(st.integers(0, 10**30), max_size=20),
    torn=st.binary(max_size=40).filter(lambda b: b"\n" not in b),
)
def test_a_torn_last_line_is_cut_off_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, whole: list[int], torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "j"
    path.write_bytes(b"".join(b"%d\n" % number for number in whole) + torn)

    async def story() -> list[bytes]:
        journal = Journal(path)
        found = list(journal.lines())
        await journal.commit(b"-1\n")
        await journal.close()
        return found

    found = asyncio.run(story())
    assert [int(line) for line in found] == whole
    assert rows(path) == [*whole, -1]


def test_a_file_larger_than_the_reading_block_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"".join(b'"%d%s"\n' % (n, b"x" * 900) for n in range(3000)))

    async def story() -> list[bytes]:
        journal = Journal(path)
        found = list(journal.lines())
        await journal.close()
        return found

    found = asyncio.run(story())
    assert len(found) == 3000
    assert b"\n".join([*found, b""]) == path.read_bytes()


def test_a_full_disk_refuses_a_commit_whole_and_takes_the_next_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"

    async def story() -> None:
        journal = Journal(small_disk / "j")
        await journal.commit(b"1\n")
        filler.write_bytes(b"x" * (200 << 10))
        with pytest.raises(OSError, match="No space left"):
            await journal.commit(b"%s\n" % (b"2" * (100 << 10)))
        assert journal.fault is not None
        filler.unlink()
        await journal.commit(b"3\n")
        assert journal.fault is None
        await journal.close()

    asyncio.run(story())
    assert rows(small_disk / "j") == [1, 3]


def test_a_note_waits_until_the_disk_has_room(small_disk: Path) -> None:
    filler, path = small_disk / "filler", small_disk / "j"
    large = b'"%s"\n' % (b"2" * (100 << 10))

    async def story() -> None:
        journal = Journal(path)
        filler.write_bytes(b"x" * (200 << 10))
        journal.note(large)
        await asyncio.to_thread(until, lambda: journal.fault is not None, "the refusal")
        assert path.read_bytes() == b""
        filler.unlink()
        await asyncio.to_thread(until, lambda: path.stat().st_size == len(large), "the note")
        await journal.close()

    asyncio.run(story())
    assert path.read_bytes() == large


def test_notes_are_settled_when_the_disk_has_taken_or_refused_all_of_them(small_disk: Path) -> None:
    filler, path = small_disk / "filler", small_disk / "j"

    async def story() -> None:
        journal = Journal(path)
        await journal.settled()  # nothing was noted
        for number in range(100):
            journal.note(b"%d\n" % number)
            await journal.settled()
            assert rows(path)[-1] == number
        filler.write_bytes(b"x" * (200 << 10))
        journal.note(b'"%s"\n' % (b"2" * (100 << 10)))
        await journal.settled()
        assert journal.fault is not None
        await journal.settled()  # and is not waited for again
        filler.unlink()
        await asyncio.to_thread(until, lambda: journal.fault is None, "room")
        await journal.close()

    asyncio.run(story())
