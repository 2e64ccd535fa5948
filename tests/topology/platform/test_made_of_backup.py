"""A region in which nothing stands by: its machines and its database are made of what is kept in a third one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from harness.faults import Stage
from harness.runbook.commands import COMMANDS
from harness.runbook.proofs import PROOFS
from harness.runbook.scene import Scene
from tests.topology.platform.conftest import ROOT
from tests.topology.platform.replica_part import Part, brought_up, eventually
from tests.topology.platform.test_database import connected
from tests.topology.platform.test_region_move import PROMOTED_WITHIN_S, fence, keep, numbers, writable
from topology import map as topology_map
from topology.map import Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(20)]

UP_WITHIN_S = 60.0
COPIED_WITHIN_S = 90.0
#: The log is swept into the archive a few times a second.
ARCHIVED_WITHIN_S = 15.0


@pytest.fixture(scope="module")
def bare() -> Map:
    """The replica in which nothing stands by."""
    override = ROOT / "scenarios" / "defects" / "nothing-stands-by.yml"
    return topology_map.read(ROOT / "docker-compose.multi-region.yml", [override])


@pytest.fixture(scope="module")
def part(bare: Map, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    """Singapore and the archive in Virginia, with something to restore; Tokyo's machines are not there yet."""
    roles = ("fence", "wide-area-link", "consensus", "database", "backup", "images")
    nodes = tuple(node for role in roles for node in bare.with_role(role))
    with brought_up(bare, nodes, tmp_path_factory.mktemp("bare")) as part:
        part.await_healthy([node for node in nodes if not node.later], UP_WITHIN_S)
        with connected(part, part.node("database-a")) as connection:
            connection.execute("CREATE TABLE kept (region text, number bigint)")
        yield part


def archived(part: Part, after_ns: int) -> bool:
    """Whether all that was acknowledged before is in the archive."""
    status, body = part.get(part.node("backup-v"), 8000, "/backups")
    reached = json.loads(body)["reached"] if status == 200 else None
    return bool(reached) and reached["at_ns"] > after_ns


def test_a_region_is_made_of_a_backup(part: Part, bare: Map) -> None:
    keeper, tokyo, primary = part.node("backup-v"), part.node("database-t"), part.node("database-a")
    assert [node.name for node in part.topology if node.later and part.runtime.alive(node)] == []
    keep(part, primary, "singapore", range(100))
    written_ns = time.monotonic_ns()
    eventually(lambda: archived(part, written_ns), "all of it is archived", ARCHIVED_WITHIN_S)
    for node in part.topology:
        if node.region == "singapore":
            part.runtime.kill(node)
    fence(part, None, change=True)

    # The backup node serves what it kept, and nobody can write to it. It is not restored twice.
    scene = Scene(Stage(part.runtime, part.topology, part.here), part.run)
    archive, move = {"region": "virginia"}, {"from": "virginia", "to": "tokyo"}
    assert not PROOFS["restored"].see(scene, archive).proven
    assert "serves what it kept, up to" in COMMANDS["restore-cluster"].act(scene, {"from": "virginia"})
    assert "already" in COMMANDS["restore-cluster"].act(scene, {"from": "virginia"})
    assert len(part.run.events("cluster.restored")) == 1
    assert PROOFS["restored"].see(scene, archive).proven
    assert len(numbers(part, keeper, "singapore")) == 100
    assert not writable(part, keeper)

    # Tokyo is made of it; it takes writes when the fence names it, on the next timeline, and not before.
    assert "0 of 1 databases answer" in PROOFS["copied"].see(scene, move).proof
    for name in ("consensus-t", "database-t"):
        part.runtime.start(part.node(name))
    took_s = eventually(
        lambda: PROOFS["copied"].see(scene, move).proven, "tokyo has all of it", COPIED_WITHIN_S
    )
    assert len(numbers(part, tokyo, "singapore")) == 100
    print(f"copied after {took_s:.1f} s")
    assert not writable(part, tokyo)
    fence(part, "tokyo", change=True)
    took_s = eventually(lambda: writable(part, tokyo), "tokyo takes writes", PROMOTED_WITHIN_S)
    print(f"promoted after {took_s:.1f} s")
    keep(part, tokyo, "tokyo", range(100))
    with connected(part, tokyo) as connection:
        (name,) = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone() or ("",)
    assert str(name).startswith("00000002")
