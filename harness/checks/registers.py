"""Registers with one writer each: what was acknowledged, what was shown, and what must therefore have been lost.

A register is one person's answer; it takes the values 1, 2, 3, ... in that order, and 0 is "no answer yet". Sending
a value again is the same write. A write that failed or timed out may have happened. From that follows:

- phantom: a value shown that was never sent, or not yet sent when it was shown;
- lost: an acknowledged value v, and either the final state shows less than v; or a read that began after the
  acknowledgement showed less, and nothing that was sent before that read ended was ever shown again at v or above;
- stale: such a read, where v or something sent after it, but before the read ended, was still shown later.

Everything is sorted arrays; no step looks at one operation at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from harness.checks.columns import Flags, Ints

NEVER: Final = np.iinfo(np.int64).max
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Writes:
    """Every attempt to write. `ok`: it was acknowledged, at `completed_ns`."""

    key: Ints
    value: Ints
    invoked_ns: Ints
    completed_ns: Ints
    ok: Flags


@dataclass(frozen=True)
class Reads:
    """Every read that came back, with the value it showed; 0: none."""

    key: Ints
    value: Ints
    invoked_ns: Ints
    completed_ns: Ints


@dataclass(frozen=True)
class State:
    """The value of each register at the end; each key once, in order. A register that is not in it holds 0."""

    key: Ints
    value: Ints


@dataclass(frozen=True)
class Sent:
    """Every value that was ever sent, once, in the order of (key, value). `acknowledged_ns` may be NEVER."""

    key: Ints
    value: Ints
    invoked_ns: Ints
    acknowledged_ns: Ints
    span: int  # more than any value

    @property
    def acknowledged(self) -> Flags:
        return self.acknowledged_ns < NEVER


@dataclass(frozen=True)
class Outcome:
    """What came of all registers, as positions in the arrays that were given, and in `sent`."""

    sent: Sent
    lost: Indices  # in sent
    stale: Indices  # in reads
    phantom_reads: Indices  # in reads
    phantom_state: Indices  # in the state


def examine(writes: Writes, reads: Reads, state: State | None) -> Outcome:
    """Judge every register. Without a final state nothing is called lost: what looks so may still be there.

    Raises ValueError for keys or values so large that a pair of them does not fit into 63 bits.
    """
    sent = _sent(writes)
    # Looking things up in the order of the keys is many times faster than in the order of time.
    order = np.argsort(reads.key, kind="stable")
    reads = Reads(reads.key[order], reads.value[order], reads.invoked_ns[order], reads.completed_ns[order])
    shown, exact = _locate(sent, reads.key, reads.value)
    phantom = (reads.value != 0) & ~exact
    phantom[exact] = sent.invoked_ns[shown[exact]] > reads.completed_ns[exact]
    newest = _latest_before(sent, sent.acknowledged_ns, reads.key, reads.invoked_ns)
    short = np.flatnonzero(~phantom & (newest >= 0))
    short = short[reads.value[short] < sent.value[newest[short]]]
    phantom_reads = np.sort(order[phantom])
    if state is None:
        return Outcome(sent, _NONE, np.sort(order[short]), phantom_reads, _NONE)
    last, real = _locate(sent, state.key, state.value)
    lost = _lost_at_the_end(sent, state)
    if len(short):
        seen = _last_seen(sent, reads, np.where(exact & ~phantom, shown, -1), np.where(real, last, -1))
        reached = _highest_shown_after(sent, reads, short, seen)
        gone = reached < newest[short]
        lost |= _between(reached[gone], newest[short][gone], len(sent.key)) & sent.acknowledged
        short = short[~gone]
    phantom_state = np.flatnonzero((state.value != 0) & ~real)
    return Outcome(sent, np.flatnonzero(lost), np.sort(order[short]), phantom_reads, phantom_state)


_NONE: Final[Indices] = np.empty(0, np.intp)


def _sent(writes: Writes) -> Sent:
    """One row for each (key, value): first sent when, first acknowledged when."""
    span = int(writes.value.max(initial=0)) + 2
    if len(writes.key) and (int(writes.key.max()) + 1) * span >= 2**62:
        raise ValueError(f"key {int(writes.key.max())} with values up to {span - 2}: too large to tell apart")
    if len(writes.key) and (int(writes.key.min()) < 0 or int(writes.value.min()) < 1):
        raise ValueError("a key below 0 or a value below 1 was written")
    pairs = writes.key * span + writes.value
    order = np.argsort(pairs)
    pairs = pairs[order]
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    pairs = pairs[starts]
    acknowledged = np.where(writes.ok, writes.completed_ns, NEVER)[order]
    invoked = writes.invoked_ns[order]
    if len(starts):
        acknowledged = np.minimum.reduceat(acknowledged, starts)
        invoked = np.minimum.reduceat(invoked, starts)
    return Sent(pairs // span, pairs % span, invoked, acknowledged, span)


def _locate(sent: Sent, key: Ints, value: Ints) -> tuple[Indices, Flags]:
    """The position in `sent` of the greatest value of each key that is not above the one given, and whether it is
    that very value. Without one, the position is of some other key."""
    if not len(sent.key):
        return np.full(len(key), -1, np.intp), np.zeros(len(key), np.bool_)
    pairs = sent.key * sent.span + sent.value
    at = np.searchsorted(pairs, key * sent.span + np.clip(value, 0, sent.span - 1), side="right") - 1
    return at, (at >= 0) & (sent.key[at] == key) & (sent.value[at] == value)


def _latest_before(sent: Sent, when_ns: Ints, key: Ints, at_ns: Ints) -> Indices:
    """For each (key, at_ns) the position in `sent` of the greatest value of that key with `when_ns` before `at_ns`.

    -1 where there is none. What happened at the very same instant is not before.
    """
    happened = np.flatnonzero(when_ns < NEVER)
    if not len(key) or not len(happened):
        return np.full(len(key), -1, np.intp)
    register = np.cumsum(np.diff(sent.key, prepend=sent.key[:1]) != 0)
    asked, known = _locate_key(sent, key)
    done, due = _pack(register[happened], when_ns[happened], register[asked], at_ns)
    order = np.argsort(done, kind="stable")
    # Positions in `sent` grow with key and value, so the running maximum never mixes up two registers.
    running = np.maximum.accumulate(happened[order])
    before = np.searchsorted(done[order], due) - 1
    found = running[before]
    return np.where(known & (before >= 0) & (sent.key[found] == key), found, -1)


def _locate_key(sent: Sent, key: Ints) -> tuple[Indices, Flags]:
    """A position in `sent` that has the key, and whether there is one at all."""
    at = np.minimum(np.searchsorted(sent.key, key), len(sent.key) - 1)
    return at, sent.key[at] == key


def _pack(register: Ints, at_ns: Ints, other: Ints, other_ns: Ints) -> tuple[Ints, Ints]:
    """(register, instant) as single numbers in the same order, for two lists of them."""
    earliest = min(int(at_ns.min()), int(other_ns.min()))
    span = max(int(at_ns.max()), int(other_ns.max())) - earliest + 1
    if (int(register.max()) + 1) * span < 2**62:
        return register * span + (at_ns - earliest), other * span + (other_ns - earliest)
    instants, rank = np.unique(np.concatenate([at_ns, other_ns]), return_inverse=True)
    size = len(instants)
    return register * size + rank[: len(at_ns)], other * size + rank[len(at_ns) :]


def _lost_at_the_end(sent: Sent, state: State) -> Flags:
    """Acknowledged values above the one that their register holds in the end."""
    if not len(state.key):
        return sent.acknowledged.copy()
    at = np.minimum(np.searchsorted(state.key, sent.key), len(state.key) - 1)
    held = np.where(state.key[at] == sent.key, state.value[at], 0)
    return sent.acknowledged & (sent.value > held)


def _last_seen(sent: Sent, reads: Reads, shown: Indices, last: Indices) -> Ints:
    """When each value was shown for the last time; NEVER (the end of all times) if the final state shows it; -1 if
    nothing ever did."""
    seen = np.full(len(sent.key), -1, np.int64)
    np.maximum.at(seen, shown[shown >= 0], reads.completed_ns[shown >= 0])
    seen[last[last >= 0]] = NEVER
    return seen


def _highest_shown_after(sent: Sent, reads: Reads, short: Indices, seen: Ints) -> Indices:
    """For each read that fell short: the position of the greatest value, of those sent before the read ended, that
    was shown after the read began; at least what the read itself showed (one before the key's first for 0).

    Steps down one value at a time, for all reads at once: as many steps as a register fell back values.
    """
    key, began = reads.key[short], reads.invoked_ns[short]
    floor = (
        np.searchsorted(sent.key * sent.span + sent.value, key * sent.span + reads.value[short], side="right")
        - 1
    )
    at = _latest_before(sent, sent.invoked_ns, key, reads.completed_ns[short])
    falling = np.arange(len(short))
    while len(falling):
        here = at[falling]
        falling = falling[(here > floor[falling]) & (seen[here] <= began[falling])]
        at[falling] -= 1
    return at


def _between(low: Indices, high: Indices, size: int) -> Flags:
    """Which positions lie above some `low` and up to its `high`."""
    steps = np.zeros(size + 1, np.int64)
    np.add.at(steps, low + 1, 1)
    np.add.at(steps, high + 1, -1)
    return np.cumsum(steps[:-1]) > 0
