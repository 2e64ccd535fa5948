"""A block on two real storage controllers, each a program of its own; one of them on an enclosure that really fails."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import pytest

from harness.failure import Failure
from harness.runtime.enclosures.filesystems import FileSystems
from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, until
from topology.world.maps.card import proof

pytestmark = pytest.mark.takes(30)

KEY = "the-tests'-cards"
NAME = "anpi.example"


def attach(block: Program, subscriber: int = 7, key: str = KEY) -> tuple[int, Any]:
    body = json.dumps({"subscriber": subscriber, "proof": proof(key, subscriber)}).encode()
    return block.ask("/sessions", body)


def subscribers(storage: Program) -> list[int]:
    """Whose sessions a controller has on disk, in order."""
    lines = (storage.data / "records.jsonl").read_text().splitlines()
    return [row["subscriber"] for line in lines if "subscriber" in (row := json.loads(line))]


@dataclass
class Maps:
    """A block and its storage: the first controller is on the enclosure `disk`."""

    start: Start
    disk: FileSystems
    controllers: Sequence[Program]

    def block(self, **settings: str) -> Program:
        paths = ",".join(f"127.0.0.1:{each.port}" for each in self.controllers)
        return self.start("world.maps.block", NODE="maps-msf", PATHS=paths, SIM_KEY=KEY, **settings)

    def fail(self) -> None:
        self.disk.fail("disk", Failure.BROKEN)


@pytest.fixture
def maps(start: Start, enclosure: FileSystems, tmp_path: Path) -> Iterator[Maps]:
    first = start("world.maps.storage", data=enclosure.folder("disk", "data"), NODE="maps-msf-1")
    second = start("world.maps.storage", data=tmp_path / "second", NODE="maps-msf-2")
    yield Maps(start, enclosure, (first, second))
    first.kill()  # before its disk is taken away


def test_a_session_is_on_both_paths_before_the_handset_hears_of_it(maps: Maps) -> None:
    block = maps.block()
    status, session = attach(block, 4711)
    assert (status, session["block"]) == (201, "maps-msf")
    assert [subscribers(each) for each in maps.controllers] == [[4711], [4711]]
    assert block.get("/state")["path"].endswith(str(maps.controllers[0].port))


def test_a_card_that_is_not_known_is_refused(maps: Maps) -> None:
    block = maps.block()
    assert attach(block, key="another") == (403, {"why": "unknown card"})
    assert block.ask("/sessions", b'{"subscriber": "x"}')[0] == 400
    assert block.get("/state")["refused"] == 1


def test_a_sound_detector_switches_to_the_other_path_and_handsets_come_in_again(maps: Maps) -> None:
    block = maps.block()
    assert attach(block, 1)[0] == 201
    maps.fail()
    failed_s = time.monotonic()
    until(lambda: attach(block, 2)[0] == 503, "a handset that is not let in")
    until(lambda: attach(block, 3)[0] == 201, "the other path")
    assert time.monotonic() - failed_s < 5
    state = block.get("/state")
    assert (state["switched"], state["fault"]) == (1, "")
    assert state["path"].endswith(str(maps.controllers[1].port))
    assert {1, 3} <= set(subscribers(maps.controllers[1])), (
        "what was there before the failure is there after it"
    )


def test_with_the_bug_a_controller_that_answers_is_taken_for_sound_and_nobody_comes_in(maps: Maps) -> None:
    block = maps.block(DETECTOR="answers")
    maps.fail()
    until(lambda: attach(block)[0] == 503, "a handset that is not let in")
    assert attach(block)[1] == {"why": "storage: EIO"}
    assert maps.controllers[0].get("/alive") == "ok\n"
    # For much longer than a sound detector needs.
    failed_s = time.monotonic()
    while time.monotonic() - failed_s < 2:
        assert attach(block)[0] == 503
    assert block.get("/state")["switched"] == 0
    assert block.ask("/health")[0] == 503


def test_with_the_bug_a_controller_without_power_is_noticed_all_the_same(maps: Maps) -> None:
    block = maps.block(DETECTOR="answers")
    maps.controllers[0].kill()
    until(lambda: attach(block)[0] == 201, "the other path")


def test_a_path_whose_controller_is_not_up_yet_is_waited_for(maps: Maps) -> None:
    maps.controllers[0].kill()
    block = maps.block()
    began_s = time.monotonic()
    while time.monotonic() - began_s < 1.5:  # for much longer than a detector needs
        assert attach(block)[0] == 503
    maps.controllers[0].start()
    until(lambda: attach(block)[0] == 201, "the path that it began with")
    state = block.get("/state")
    assert (state["switched"], state["path"]) == (0, f"127.0.0.1:{maps.controllers[0].port}")


def test_it_stays_where_it_is_when_both_paths_have_failed(maps: Maps) -> None:
    block = maps.block()
    for each in maps.controllers:
        each.kill()
    until(lambda: block.get("/state")["fault"] != "", "the failure")
    assert attach(block)[0] == 503
    assert block.get("/state")["switched"] == 0


def test_names_are_found_as_long_as_there_is_storage(maps: Maps, start: Start) -> None:
    server = start("platform.dns", REGIONS="here=localhost", DOMAIN=NAME)
    block = maps.block(DNS_SERVER=f"127.0.0.1:{server.dns_port}", DETECTOR="answers")
    until(lambda: look_up(block), "the name")
    maps.fail()
    until(lambda: not look_up(block), "the silence of a server without a disk")


def look_up(block: Program) -> bool:
    try:
        reply = dns.query.udp(dns.message.make_query(NAME, "A"), "127.0.0.1", 0.5, port=block.dns_port)
    except dns.exception.Timeout:
        return False
    return bool(reply.answer)


def test_so_many_sessions_are_set_up_at_a_time_and_the_others_wait(maps: Maps) -> None:
    block = maps.block(SESSIONS_AT_ONCE="2", SESSION_SETUP_MS="100", SESSION_PATIENCE_MS="10000")
    with ThreadPoolExecutor(10) as pool:
        began_s = time.monotonic()
        assert {status for status, _ in pool.map(lambda n: attach(block, n), range(10))} == {201}
        assert time.monotonic() - began_s > 5 * 0.1
    assert block.get("/state")["p95_s"] > 0.4


def test_who_waits_too_long_is_refused(maps: Maps) -> None:
    block = maps.block(SESSIONS_AT_ONCE="1", SESSION_SETUP_MS="200", SESSION_PATIENCE_MS="100")
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda n: attach(block, n), range(4)))
    assert sorted(status for status, _ in replies) == [201, 503, 503, 503]
    assert (503, {"why": "busy"}) in replies


def test_while_so_many_wait_others_are_refused_at_once(maps: Maps) -> None:
    block = maps.block(SESSIONS_AT_ONCE="1", SESSION_SETUP_MS="900", SESSIONS_WAITING="2")
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: attach(block, n), range(8)))
    assert Counter(status for status, _ in replies) == {201: 3, 503: 5}
    assert {why["why"] for status, why in replies if status == 503} == {"too many at once"}


def storm(block: Program) -> dict[int, tuple[int, Any]]:
    """Twelve handsets that had a session each, one after the other, come again at once: what each is answered."""
    for subscriber in range(12):
        assert attach(block, subscriber)[1]["subscriber"] == subscriber
    with ThreadPoolExecutor(12) as pool:
        return dict(enumerate(pool.map(lambda n: attach(block, n), range(12))))


def test_in_a_storm_everybody_who_is_let_in_is_known_for_themselves(maps: Maps) -> None:
    block = maps.block(SESSIONS_AT_ONCE="1", SESSION_SETUP_MS="50", SESSION_PATIENCE_MS="200")
    answered = storm(block)
    let_in = {subscriber: told for subscriber, (status, told) in answered.items() if status == 201}
    assert 1 <= len(let_in) < 12, "some are refused"
    assert all(told["subscriber"] == subscriber for subscriber, told in let_in.items())
    assert len({told["address"] for told in let_in.values()}) == len(let_in)
    assert block.get("/state")["unregistered"] == 0


def test_who_is_let_in_before_their_address_is_registered_is_taken_for_another(maps: Maps) -> None:
    block = maps.block(SESSIONS_AT_ONCE="1", SESSION_SETUP_MS="150", LET_IN_AFTER_MS="800")
    answered = storm(block)
    assert {status for status, _ in answered.values()} == {201}, "nobody is refused"
    swapped = {
        n: told["subscriber"] for n, (_, told) in answered.items() if told["subscriber"] not in (n, None)
    }
    assert len(swapped) >= 5
    assert set(swapped.values()) <= set(range(12)), "they are taken for each other"
    assert block.get("/state")["unregistered"] >= len(swapped)
    until(lambda: block.get("/state")["waiting"] == 0, "the end of the storm")
    # Whoever comes again now is known for themselves.
    assert all(attach(block, n)[1]["subscriber"] == n for n in range(12))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"DETECTOR": "hope"}, "DETECTOR: expected one of writes, answers, found 'hope'"),
        ({"SESSIONS_AT_ONCE": "0"}, "no capacity"),
        ({"SESSIONS_WAITING": "0"}, "nobody may wait"),
    ],
)
def test_settings_that_cannot_be(maps: Maps, settings: dict[str, str], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        maps.block(**settings)


def test_the_steering_says_which_block_serves_which_area_also_after_a_crash(start: Start) -> None:
    steering = start("world.maps.steering", BLOCKS="maps-msb,maps-msf", AREAS_EACH="2", REATTACH="by-hand")
    assert steering.get("/areas") == {
        "blocks": ["maps-msb", "maps-msf"],
        "each": 2,
        "serving": ["maps-msb", "maps-msb", "maps-msf", "maps-msf"],
        "reattach": "by-hand",
    }
    assert change(steering, widen="maps-msb", of="maps-msf", areas=1)[0] == 200
    steering.kill()
    steering.start()
    assert steering.get("/areas")["serving"] == ["maps-msb", "maps-msb", "maps-msb", "maps-msf"]
    assert change(steering, widen="maps-msb", of="maps-msf", areas=3)[0] == 409
    assert change(steering, widen="maps-msb", of="maps-msf", areas="1")[0] == 400
    assert change(steering, **{"return": "maps-msf"})[0] == 200
    assert steering.get("/areas")["serving"] == ["maps-msb"] * 2 + ["maps-msf"] * 2


def change(steering: Program, **asked: object) -> tuple[int, Any]:
    return steering.ask("/areas", json.dumps(asked).encode(), "PUT")
