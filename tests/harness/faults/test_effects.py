"""Every fault does what it says, proves it, and does not prove what is not so."""

from __future__ import annotations

import time

import pytest

from harness.failure import Failure
from harness.faults import Fault, Stage
from harness.faults.cut import Cut
from harness.faults.degrade import Degrade
from harness.faults.fail import Fail
from harness.faults.hang import Hang
from harness.faults.looking import answer, answering
from harness.faults.lose import Lose
from harness.faults.stale import Stale

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]


def fault(name: str, stage: Stage) -> Fault:
    a1, a2, b1 = (stage.topology.nodes[node] for node in ("a1", "a2", "b1"))
    made: dict[str, Fault] = {
        "lose": Lose([a1, b1]),
        "hang": Hang([a1, b1]),
        "cut": Cut([a1, a2], [b1]),
        "cut one way": Cut([a1, a2], [b1], oneway=True),
        "latency": degrade(stage, latency=0.15, jitter=0.02),
        "bandwidth": degrade(stage, bandwidth=20),
        "refused": degrade(stage, refused=0.5),
        "silence": degrade(stage, silence=0.4),
        "resets": degrade(stage, resets=0.6),
        "stale": stale(stage, 0.5, 60.0),
        "broken storage": Fail(["storage"], Failure.BROKEN, [a1, a2]),
        "read-only storage": Fail(["storage"], Failure.READ_ONLY, [a1, a2]),
        "slow storage": Fail(["storage"], Failure.SLOW, [a1, a2]),
        "storage that fails now and then": Fail(["storage"], Failure.INTERMITTENT, [a1, a2]),
        "storage without power": Fail(["storage"], Failure.OFFLINE, [a1, a2]),
    }
    return made[name]


NAMES = [
    "lose",
    "hang",
    "cut",
    "cut one way",
    "latency",
    "bandwidth",
    "refused",
    "silence",
    "resets",
    "stale",
    "broken storage",
    "read-only storage",
    "slow storage",
    "storage that fails now and then",
    "storage without power",
]


def degrade(stage: Stage, **effects: float) -> Degrade:
    return Degrade(stage.topology.carriers["one"], effects, stage.topology.nodes["link"])


def stale(stage: Stage, share: float, keeps_s: float) -> Stale:
    return Stale([stage.topology.nodes["resolver"]], stage.topology.nodes["dns"], share, keeps_s)


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_proven_only_while_it_lasts(name: str, stage: Stage) -> None:
    made = fault(name, stage)
    assert not made.verify(stage).proven, "nothing was injected yet"
    made.inject(stage)
    try:
        effect = made.verify(stage)
    finally:
        made.undo(stage)
    assert effect.proven, effect.proof
    undone = made.verify_undone(stage)
    assert undone.proven, undone.proof
    assert not made.verify(stage).proven, "it was undone"


@pytest.mark.parametrize("name", NAMES)
def test_what_undoes_a_fault_says_all_that_is_needed(name: str, stage: Stage) -> None:
    undoing = str(fault(name, stage).undoing)
    assert all(node.name in undoing for node in fault(name, stage).nodes)


def test_losing_only_one_of_two_is_not_proven_for_both(stage: Stage) -> None:
    a1, b1 = stage.topology.nodes["a1"], stage.topology.nodes["b1"]
    Lose([a1]).inject(stage)
    try:
        effect = Lose([a1, b1]).verify(stage)
        assert not effect.proven
        assert "b1" in effect.proof
    finally:
        Lose([a1]).undo(stage)
    assert Lose([a1]).verify_undone(stage).proven


def test_a_failed_enclosure_is_seen_by_the_nodes_that_are_up(stage: Stage) -> None:
    a1, a2 = stage.topology.nodes["a1"], stage.topology.nodes["a2"]
    lost = Lose([a1])
    lost.inject(stage)
    fail = Fail(["storage"], Failure.BROKEN, [a1, a2])
    fail.inject(stage)
    try:
        effect = fail.verify(stage)
    finally:
        fail.undo(stage)
        lost.undo(stage)
    assert effect.proven
    assert effect.proof == "a1 is down, a write on a2: EIO"
    assert fail.verify_undone(stage).proven
    assert lost.verify_undone(stage).proven


def test_a_failure_that_nobody_could_see_is_not_proven(stage: Stage) -> None:
    a1, a2 = stage.topology.nodes["a1"], stage.topology.nodes["a2"]
    lost = Lose([a1, a2])
    lost.inject(stage)
    fail = Fail(["storage"], Failure.BROKEN, [a1, a2])
    fail.inject(stage)
    try:
        effect = fail.verify(stage)
    finally:
        fail.undo(stage)
        lost.undo(stage)
    assert not effect.proven
    assert effect.proof == "no node was up that could see it: a1 is down, a2 is down"
    assert lost.verify_undone(stage).proven


def test_a_one_way_cut_still_carries_the_other_way(stage: Stage) -> None:
    """A datagram from b1 still reaches a2, though a2 can answer nothing."""
    import socket

    a2, b1 = stage.topology.nodes["a2"], stage.topology.nodes["b1"]
    cut = Cut([a2], [b1], oneway=True)
    with stage.runtime.inside(a2):
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stage.runtime.inside(b1):
        mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((str(a2.address), 9))
    ear.settimeout(2)
    cut.inject(stage)
    try:
        mouth.sendto(b"heard", (str(a2.address), 9))
        assert ear.recv(16) == b"heard"
    finally:
        cut.undo(stage)


def test_a_hang_is_over_the_moment_it_is_undone(stage: Stage) -> None:
    b1 = stage.topology.nodes["b1"]
    hang = Hang([b1])
    hang.inject(stage)
    hang.undo(stage)
    started = time.monotonic()
    assert answer(stage, stage.observer, b1) == "http 200"
    assert time.monotonic() - started < 0.5


def test_resolvers_that_know_nothing_keep_nothing(stage: Stage) -> None:
    """They say that they keep answers, but have none: users would not be held back."""
    dns, resolver = stage.topology.nodes["dns"], stage.topology.nodes["resolver"]
    lost = Lose([dns, resolver])
    lost.inject(stage)
    stage.runtime.start(resolver)
    assert answering(stage, [resolver], 30).proven
    kept = stale(stage, 0.5, 60.0)
    kept.inject(stage)
    try:
        effect = kept.verify(stage)
    finally:
        lost.undo(stage)
    assert not effect.proven
    assert "10 caches give no answer" in effect.proof
    assert lost.verify_undone(stage).proven
