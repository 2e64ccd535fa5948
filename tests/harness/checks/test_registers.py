"""The vectorised judgement of registers against one that takes each rule word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.columns import Ints
from harness.checks.registers import NEVER, Reads, State, Writes, examine


@dataclass(frozen=True)
class Write:
    key: int
    value: int
    invoked: int
    completed: int
    ok: bool


@dataclass(frozen=True)
class Read:
    key: int
    value: int
    invoked: int
    completed: int


@dataclass(frozen=True)
class Said:
    """What a judgement comes to: lost (key, value), and the places of stale and phantom reads and states."""

    lost: frozenset[tuple[int, int]]
    stale: frozenset[int]
    phantom_reads: frozenset[int]
    phantom_keys: frozenset[int]


def vectorised(writes: list[Write], reads: list[Read], final: dict[int, int]) -> Said:
    keys = sorted(final)
    outcome = examine(
        Writes(
            key=column(writes, "key"),
            value=column(writes, "value"),
            invoked_ns=column(writes, "invoked"),
            completed_ns=column(writes, "completed"),
            ok=np.array([w.ok for w in writes], np.bool_),
        ),
        Reads(
            column(reads, "key"), column(reads, "value"), column(reads, "invoked"), column(reads, "completed")
        ),
        State(np.array(keys, np.int64), np.array([final[key] for key in keys], np.int64)),
    )
    sent = outcome.sent
    return Said(
        frozenset((int(sent.key[at]), int(sent.value[at])) for at in outcome.lost),
        frozenset(outcome.stale.tolist()),
        frozenset(outcome.phantom_reads.tolist()),
        frozenset(keys[at] for at in outcome.phantom_state.tolist()),
    )


def column(rows: Sequence[Write | Read], name: str) -> Ints:
    return np.array([getattr(row, name) for row in rows], np.int64)


def word_by_word(writes: list[Write], reads: list[Read], final: dict[int, int]) -> Said:
    """The definitions, read aloud, one register at a time."""
    keys = {w.key for w in writes} | {r.key for r in reads} | set(final)
    said = [_one(key, writes, reads, final.get(key, 0)) for key in sorted(keys)]
    return Said(
        frozenset(answer for one in said for answer in one.lost),
        frozenset(at for one in said for at in one.stale),
        frozenset(at for one in said for at in one.phantom_reads),
        frozenset(key for one in said for key in one.phantom_keys),
    )


def _one(key: int, writes: list[Write], reads: list[Read], final: int) -> Said:
    own = [w for w in writes if w.key == key]
    sent = {v: min(w.invoked for w in own if w.value == v) for v in {w.value for w in own}}
    acknowledged = {
        v: min(w.completed for w in own if w.ok and w.value == v) for v in {w.value for w in own if w.ok}
    }
    lost = {v for v in acknowledged if v > final}
    stale, phantom = set(), set()
    numbered = [(at, r) for at, r in enumerate(reads) if r.key == key]
    for at, read in numbered:
        if read.value and (read.value not in sent or sent[read.value] > read.completed):
            phantom.add(at)
    shown = [(r.value, r.completed) for at, r in numbered if at not in phantom]
    if final in sent:
        shown.append((final, NEVER))
    for at, read in numbered:
        newest = max((v for v, done in acknowledged.items() if done < read.invoked), default=0)
        if at in phantom or read.value >= newest:
            continue
        on_its_way = {v for v, begun in sent.items() if begun < read.completed}
        after = [v for v, seen in shown if seen > read.invoked and v in on_its_way]
        reached = max([read.value, *after])
        if reached >= newest:
            stale.add(at)
        else:
            lost |= {v for v in acknowledged if reached < v <= newest}
    return Said(
        frozenset((key, v) for v in lost),
        frozenset(stale),
        frozenset(phantom),
        frozenset({key} if final and final not in sent else ()),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Write], list[Read], dict[int, int]]:
    """A few registers, each with one sequential writer; readers and the final state show anything at all."""
    writes: list[Write] = []
    reads: list[Read] = []
    final: dict[int, int] = {}
    for key in draw(st.lists(st.integers(1, 40), unique=True, max_size=4)):
        writes += _written(draw, key)
        for _ in range(draw(st.integers(0, 5))):
            invoked = draw(st.integers(0, 40))
            completed = invoked + draw(st.integers(0, 10))
            reads.append(Read(key, draw(st.integers(0, 6)), invoked, completed))
        if draw(st.booleans()):
            final[key] = draw(st.integers(0, 6))
    return draw(st.permutations(writes)), draw(st.permutations(reads)), final


def _written(draw: st.DrawFn, key: int) -> Iterator[Write]:
    now = 0
    value = 1
    for _ in range(draw(st.integers(0, 6))):
        invoked = now + draw(st.integers(0, 6))
        now = invoked + draw(st.integers(1, 6))
        yield Write(key, value, invoked, now, ok=draw(st.booleans()))
        value += draw(st.sampled_from((0, 1, 1, 1)))  # 0: the same value is sent again


@given(histories())
def test_as_word_by_word(history: tuple[list[Write], list[Read], dict[int, int]]) -> None:
    assert vectorised(*history) == word_by_word(*history)


@given(histories())
def test_a_service_that_keeps_everything_is_never_blamed(
    history: tuple[list[Write], list[Read], dict[int, int]],
) -> None:
    writes, reads, _ = history
    kept = {w.key: max(x.value for x in writes if x.key == w.key) for w in writes}
    honest = [
        Read(r.key, max((w.value for w in writes if w.key == r.key and w.completed < r.invoked), default=0),
             r.invoked, r.completed)
        for r in reads
    ]  # fmt: skip
    assert vectorised(writes, honest, kept) == Said(frozenset(), frozenset(), frozenset(), frozenset())


def test_times_that_do_not_fit_beside_their_registers_still_do() -> None:
    """A hundred years of nanoseconds, and more registers than fit beside them in 63 bits."""
    late = 3 * 10**18
    writes = [Write(key, 1, at, at + 5, ok=True) for key, at in ((1, 0), (2, late), (3, 10))]
    reads = [Read(2, 0, late + 9, late + 10), Read(1, 1, late, late + 1), Read(3, 0, 12, 20)]
    final = {1: 1, 2: 0, 3: 1}
    assert vectorised(writes, reads, final) == word_by_word(writes, reads, final)


def test_a_key_too_large_to_tell_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="too large to tell apart"):
        vectorised([Write(2**61, 10, 0, 1, ok=True)], [], {})
