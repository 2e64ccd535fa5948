"""What every runtime promises whose storage enclosures can fail. a1 and a2 are on one enclosure, b1 is not."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.failure import SLOWER_S, TROUBLES, Failure
from harness.faults import Stage
from harness.faults.looking import answering
from harness.faults.writing import Written
from harness.faults.writing import write as write_many
from harness.rundir import RunDir
from harness.runtime import Enclosures, NodeFailed, Runtime
from harness.runtime.enclosures import filesystems
from harness.runtime.local import LocalRuntime
from topology.map import Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(10)]

#: Writes to a volume and syncs; prints what the system says to that.
WRITE = """
import errno, os
try:
    with open('/mnt/data/written', 'w') as file:
        file.write('x'); file.flush(); os.fsync(file.fileno())
    print('written')
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def write(runtime: Runtime, small_map: Map, name: str) -> str:
    return runtime.exec(small_map.nodes[name], ["python", "-c", WRITE], 10).stdout.decode().strip()


def shell(runtime: Runtime, small_map: Map, name: str, script: str) -> bytes:
    return runtime.exec(small_map.nodes[name], ["sh", "-c", script], 10).stdout


def healthy(runtime: Runtime, small_map: Map) -> bool:
    """Whether all nodes answer b1."""
    return answering(Stage(runtime, small_map, small_map.nodes["b1"]), list(small_map), 10).proven


def enclosures(runtime: Runtime) -> Enclosures:
    assert isinstance(runtime, Enclosures)
    return runtime


#: The runtimes that can fail an enclosure; of the others a scenario with `fail` is refused, see faults/test_build.py.
able = pytest.mark.parametrize("runtime", ["local", "docker"], indirect=True)


@pytest.fixture(autouse=True)
def _up(request: pytest.FixtureRequest, small_map: Map) -> None:
    """All nodes of the runtime that a test asks for answer before it begins."""
    if "runtime" in request.fixturenames:
        assert healthy(request.getfixturevalue("runtime"), small_map)


@able
def test_each_node_sees_its_own_volume_and_nothing_else_of_the_enclosure(
    runtime: Runtime, small_map: Map
) -> None:
    shell(runtime, small_map, "a1", "echo mine > /mnt/data/file")
    assert shell(runtime, small_map, "a1", "cat /mnt/data/file") == b"mine\n"
    assert b"file" not in shell(runtime, small_map, "a2", "ls /mnt/data")
    for name, mounted in {"a1": ["/mnt/data"], "a2": ["/mnt/data"], "b1": []}.items():
        seen = shell(runtime, small_map, name, "grep /dev/loop /proc/self/mountinfo").decode()
        assert [line.split()[4] for line in seen.splitlines()] == mounted


@able
def test_a_broken_enclosure_fails_every_write_of_its_nodes_and_of_no_other(
    runtime: Runtime, small_map: Map
) -> None:
    shell(runtime, small_map, "a1", "echo kept > /mnt/data/synced; sync /mnt/data/synced")
    enclosures(runtime).fail_enclosure("storage", Failure.BROKEN)
    assert {write(runtime, small_map, name) for name in ("a1", "a2")} == {"EIO"}
    assert shell(runtime, small_map, "a1", "cat /mnt/data/synced") == b""
    assert write(runtime, small_map, "b1") == "written"
    assert healthy(runtime, small_map), "they run on, and answer what needs no disk"


@able
def test_after_a_repair_what_was_synced_is_there_and_what_was_not_is_gone(
    runtime: Runtime, small_map: Map
) -> None:
    shell(runtime, small_map, "a1", "echo kept > /mnt/data/synced; sync /mnt/data/synced /mnt/data")
    shell(runtime, small_map, "a1", "echo lost > /mnt/data/unsynced")
    enclosures(runtime).fail_enclosure("storage", Failure.BROKEN)
    enclosures(runtime).repair_enclosure("storage")
    assert healthy(runtime, small_map)
    assert shell(runtime, small_map, "a1", "cat /mnt/data/synced") == b"kept\n"
    assert shell(runtime, small_map, "a1", "cat /mnt/data/unsynced") == b""
    assert {write(runtime, small_map, name) for name in ("a1", "a2")} == {"written"}


@able
def test_a_read_only_enclosure_can_be_read(runtime: Runtime, small_map: Map) -> None:
    shell(runtime, small_map, "a1", "echo kept > /mnt/data/synced; sync /mnt/data/synced /mnt/data")
    enclosures(runtime).fail_enclosure("storage", Failure.READ_ONLY)
    assert {write(runtime, small_map, name) for name in ("a1", "a2")} == {"EROFS"}
    assert shell(runtime, small_map, "a1", "cat /mnt/data/synced") == b"kept\n"
    assert write(runtime, small_map, "b1") == "written"
    enclosures(runtime).repair_enclosure("storage")
    assert healthy(runtime, small_map)
    assert write(runtime, small_map, "a1") == "written"
    assert shell(runtime, small_map, "a1", "cat /mnt/data/synced") == b"kept\n"


@able
def test_an_enclosure_without_power_takes_its_nodes_along_until_it_is_repaired(
    runtime: Runtime, small_map: Map
) -> None:
    a1, a2, b1 = (small_map.nodes[name] for name in ("a1", "a2", "b1"))
    shell(runtime, small_map, "a1", "echo kept > /mnt/data/synced; sync /mnt/data/synced /mnt/data")
    began_ns = time.monotonic_ns()
    silent_ns = enclosures(runtime).fail_enclosure("storage", Failure.OFFLINE)
    assert silent_ns is not None
    assert began_ns < silent_ns < time.monotonic_ns()
    assert [runtime.alive(node) for node in (a1, a2, b1)] == [False, False, True]
    with pytest.raises(NodeFailed, match="a1: its storage enclosure storage is offline"):
        runtime.start(a1)
    enclosures(runtime).repair_enclosure("storage")
    assert healthy(runtime, small_map)
    assert shell(runtime, small_map, "a1", "cat /mnt/data/synced") == b"kept\n"


@able
def test_a_repair_starts_no_node_that_was_to_be_down(runtime: Runtime, small_map: Map) -> None:
    a1, a2 = small_map.nodes["a1"], small_map.nodes["a2"]
    runtime.kill(a1)
    enclosures(runtime).fail_enclosure("storage", Failure.BROKEN)
    enclosures(runtime).repair_enclosure("storage")
    assert [runtime.alive(node) for node in (a1, a2)] == [False, True]


@able
def test_an_enclosure_fails_in_one_way_at_a_time_and_again_after_a_repair(
    runtime: Runtime, small_map: Map
) -> None:
    made = enclosures(runtime)
    made.repair_enclosure("storage")  # nothing is broken
    assert runtime.alive(small_map.nodes["a1"])
    for _ in range(2):
        made.fail_enclosure("storage", Failure.BROKEN)
        made.fail_enclosure("storage", Failure.BROKEN)
        with pytest.raises(NodeFailed, match="storage: it is broken already"):
            made.fail_enclosure("storage", Failure.OFFLINE)
        made.repair_enclosure("storage")
        assert healthy(runtime, small_map)
        assert write(runtime, small_map, "a2") == "written"


@pytest.fixture
def troubled(small_map: Map, tmp_path: Path) -> Iterator[LocalRuntime]:
    """A local runtime that is told what may become of its enclosure, with every node started."""
    runtime = LocalRuntime()
    for how in TROUBLES:
        runtime.foresee_failure("storage", how)
    runtime.prepare(small_map, RunDir.create(tmp_path, "troubled", 1))
    try:
        for node in small_map:
            runtime.start(node)
        assert healthy(runtime, small_map)
        yield runtime
    finally:
        runtime.close()


def many(runtime: Runtime, small_map: Map, name: str) -> Written:
    """What fifty writes come to."""
    node = small_map.nodes[name]
    return write_many(Stage(runtime, small_map, node), [node], 50)[name]


def test_an_enclosure_that_fails_now_and_then_fails_some_writes_of_its_nodes_and_none_of_another(
    troubled: LocalRuntime, small_map: Map
) -> None:
    troubled.fail_enclosure("storage", Failure.INTERMITTENT)
    for name in ("a1", "a2"):
        seen = many(troubled, small_map, name)
        assert set(seen.words) == {"", "EIO"}, seen
        assert seen.words[""] > seen.words["EIO"] > 0
    assert many(troubled, small_map, "b1").well
    assert write(troubled, small_map, "b1") == "written"
    troubled.repair_enclosure("storage")
    assert many(troubled, small_map, "a1").well


def test_what_was_written_on_an_enclosure_that_failed_now_and_then_is_there(
    troubled: LocalRuntime, small_map: Map
) -> None:
    shell(troubled, small_map, "a1", "echo kept > /mnt/data/synced; sync /mnt/data/synced /mnt/data")
    troubled.fail_enclosure("storage", Failure.INTERMITTENT)
    pids = [troubled._life(small_map.nodes[name]).init for name in ("a1", "a2")]
    troubled.repair_enclosure("storage")
    assert shell(troubled, small_map, "a1", "cat /mnt/data/synced") == b"kept\n"
    assert [troubled._life(small_map.nodes[name]).init for name in ("a1", "a2")] == pids, "they went on"


def test_a_slow_enclosure_makes_the_programs_wait_that_run_already(
    troubled: LocalRuntime, small_map: Map
) -> None:
    program = """
import os, time
file = os.open("/mnt/data/x", os.O_CREAT | os.O_WRONLY)
os.mkdir("/mnt/tmp/ready")
while not os.path.exists("/mnt/tmp/go"):
    time.sleep(0.01)
for _ in range(3):
    began = time.monotonic()
    os.write(file, b"x")
    print(time.monotonic() - began)
os.mkdir("/mnt/tmp/done")
"""
    a1 = small_map.nodes["a1"]
    background = (
        f"python3 -uc {shlex.quote(program)} > /mnt/tmp/seen 2>&1 & until [ -e /mnt/tmp/ready ]; do :; done"
    )
    shell(troubled, small_map, "a1", background)
    troubled.fail_enclosure("storage", Failure.SLOW)
    shell(troubled, small_map, "a1", "mkdir /mnt/tmp/go; until [ -e /mnt/tmp/done ]; do :; done")
    seen = troubled.exec(a1, ["cat", "/mnt/tmp/seen"], 5).stdout.split()
    assert len(seen) == 3
    assert all(float(each) >= SLOWER_S for each in seen), seen
    with pytest.raises(NodeFailed, match="storage: it is slow already"):
        troubled.fail_enclosure("storage", Failure.BROKEN)
    troubled.repair_enclosure("storage")
    assert many(troubled, small_map, "a1").median_s < SLOWER_S


def test_who_overwrites_its_environment_has_the_same_storage(troubled: LocalRuntime, small_map: Map) -> None:
    """PostgreSQL writes the titles of its processes there."""
    program = """
import ctypes, os
environment = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
at = 0
while environment[at]:
    ctypes.memset(environment[at], ord("x"), len(ctypes.string_at(environment[at])))
    at += 1
file, failed = os.open("/mnt/data/x", os.O_CREAT | os.O_WRONLY), 0
for _ in range(200):
    try:
        os.write(file, b"x")
    except OSError:
        failed += 1
print(at, failed)
"""
    troubled.fail_enclosure("storage", Failure.INTERMITTENT)
    done = troubled.exec(small_map.nodes["a1"], ["python", "-c", program], 10)
    variables, failed = (int(word) for word in done.stdout.split())
    assert variables > 3
    assert 0 < failed < 100


def test_trouble_that_nobody_foresaw_is_refused(small_map: Map, tmp_path: Path) -> None:
    runtime = LocalRuntime()
    runtime.prepare(small_map, RunDir.create(tmp_path, "unforeseen", 1))
    try:
        with pytest.raises(NodeFailed, match="storage: nobody foresaw that it would be slow"):
            runtime.fail_enclosure("storage", Failure.SLOW)
    finally:
        runtime.close()


@pytest.fixture
def without_root(
    small_map: Map, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[LocalRuntime, RunDir]]:
    """A local runtime that may not mount, with every node started, and its run."""
    monkeypatch.setattr(filesystems, "missing", lambda: "no loop devices")
    runtime, run = LocalRuntime(), RunDir.create(tmp_path, "folders", 1)
    runtime.prepare(small_map, run)
    try:
        for node in small_map:
            runtime.start(node)
        assert healthy(runtime, small_map)
        yield runtime, run
    finally:
        runtime.close()


@pytest.mark.parametrize("how", [Failure.BROKEN, Failure.OFFLINE])
def test_where_nothing_may_be_mounted_nodes_are_killed_and_their_folders_taken_away_and_the_run_says_so(
    without_root: tuple[LocalRuntime, RunDir], small_map: Map, how: Failure
) -> None:
    runtime, run = without_root
    shell(runtime, small_map, "a1", "echo kept > /mnt/data/file")
    runtime.fail_enclosure("storage", how)
    assert [runtime.alive(small_map.nodes[name]) for name in ("a1", "a2", "b1")] == [False, False, True]
    with pytest.raises(NodeFailed, match="a1: its storage enclosure storage is"):
        runtime.start(small_map.nodes["a1"])
    assert not (run.path / "local" / "volumes" / "a1").exists()
    runtime.repair_enclosure("storage")
    assert healthy(runtime, small_map)
    assert shell(runtime, small_map, "a1", "cat /mnt/data/file") == b"kept\n"
    (made,) = run.events("enclosures.made")
    assert (made.data["storage"], made.data["why"]) == ("folders", "no loop devices")
    (failed,) = run.events("enclosure.failed")
    assert (failed.data["storage"], failed.data["killed"]) == ("folders", ["a1", "a2"])


def test_what_folders_cannot_do_is_known_beforehand(without_root: tuple[LocalRuntime, RunDir]) -> None:
    runtime, _ = without_root
    assert runtime.refuses_failure(Failure.READ_ONLY) == "no loop devices"
    assert runtime.refuses_failure(Failure.BROKEN) == ""
    with pytest.raises(NodeFailed, match="storage: it cannot be made read-only here"):
        runtime.fail_enclosure("storage", Failure.READ_ONLY)


def test_nothing_is_mounted_when_a_run_is_over(small_map: Map, tmp_path: Path) -> None:
    runtime = LocalRuntime()
    runtime.prepare(small_map, RunDir.create(tmp_path, "over", 1))
    mounted = Path("/proc/self/mountinfo").read_text()
    assert str(tmp_path) in mounted
    runtime.close()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_who_keeps_a_file_system_in_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "RELEASED_WITHIN_S", 0.3)
    systems = filesystems.FileSystems(tmp_path)
    systems.make({"storage": ["volume"]})
    try:
        with (
            (systems.folder("storage", "volume") / "file").open("w"),
            pytest.raises(NodeFailed, match=r"still in use 0.3 s after it was unmounted: open by \d+ \("),
        ):
            systems.repair("storage")
    finally:
        systems.close()
