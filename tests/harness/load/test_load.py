"""The load as a program, against entrances and a carrier's mail that are programs too."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.load.access import Entrance
from harness.load.config import LoadConfig
from harness.load.population import Person
from harness.load.tally import together
from harness.rundir import history
from tests.harness.load.world import Running, World, free_ports, until
from tests.name_programs import TTL_S, hold, named

pytestmark = pytest.mark.takes(30)

#: Drill seconds to a real second: the slowest answer, after 12 hours, comes within 1.1 s.
FAST = 40_000.0


@pytest.fixture
def config(world: World, tmp_path: Path) -> LoadConfig:
    (tmp_path / "history").mkdir()
    return LoadConfig(
        seed=7,
        clock=FAST,
        curve="everyone-2019",
        companies=3,
        people=150,
        areas=("350", "351"),
        access=(world.access,),
        history=tmp_path / "history",
        opened=tmp_path / "opened.arrow",
        tls=0.2,
        try_s=5.0,
        pause_s=(0.2, 0.4),
        live_every_s=0.1,
    )


@pytest.fixture
def start(tmp_path: Path, run_program: Callable[[str, Path], Running]) -> Callable[[LoadConfig], Running]:
    def run(config: LoadConfig) -> Running:
        path = tmp_path / "load.json"
        path.write_text(config.to_json())
        return run_program("harness.load", path)

    return run


@pytest.fixture
def load(config: LoadConfig, start: Callable[[LoadConfig], Running]) -> Running:
    return start(config)


@pytest.fixture
def people(config: LoadConfig) -> tuple[Person, ...]:
    return config.population().people


def links(people: tuple[Person, ...]) -> dict[str, str]:
    return {person.address: f"t{person.number:031d}" for person in people}


def operations(config: LoadConfig) -> Any:
    return history.read(config.history).to_pandas()


def answered(load: Running) -> int:
    return int(load.lines[-1]["answered"]) if load.lines else 0


def test_everyone_answers_in_their_own_time(
    world: World, config: LoadConfig, load: Running, people: tuple[Person, ...]
) -> None:
    world.mail_to(links(people))
    until(lambda: len(world.get("/state")) == 150, 15, "everyone's answer")
    assert load.terminate() < 3

    rows = operations(config)
    answers = rows[rows.kind == "answer"]
    assert set(answers.key) == {person.number for person in people}
    assert (answers.outcome == "ok").all()
    assert (rows[rows.kind == "look"].outcome == "ok").all()
    assert set(rows.endpoint) == {"a", "b"}
    assert (rows.invoked_ns >= rows.intended_ns).all()
    final = {int(token[1:]): int(value) for token, value in world.get("/state").items()}
    assert final == answers.groupby("key").value.max().to_dict()
    opened = history.read(config.opened or Path(), history.MAIL_SCHEMA).to_pandas()
    assert set(opened.to) == set(opened.to.unique()) == {person.address for person in people}
    assert len(opened) == 150, "each opens a mail once"
    assert set(opened.result) == {"notice"}
    again = answers[answers.value == 2]
    assert 5 <= len(again) <= 45  # 15 in 100, each but the last few within the time given


@pytest.fixture
def company(
    config: LoadConfig, tmp_path: Path, run_program: Callable[[str, Path], Running]
) -> tuple[Running, tuple[Running, ...]]:
    """A master and two workers."""
    (port,) = free_ports(1)
    shares = config.shared(2, port)
    paths = [tmp_path / f"load-{share.worker}.json" for share in shares]
    for path, share in zip(paths, shares, strict=True):
        path.write_text(share.to_json())
    # Each is ready only together with the others, so none can be waited for before all have been started.
    with ThreadPoolExecutor() as pool:
        programs = [("harness.load.master", paths[0]), *(("harness.load", path) for path in paths)]
        master, *workers = pool.map(lambda program: run_program(*program), programs)
    return master, tuple(workers)


def test_several_processes_share_the_people(
    world: World,
    config: LoadConfig,
    company: tuple[Running, tuple[Running, ...]],
    people: tuple[Person, ...],
) -> None:
    master, workers = company
    world.mail_to(links(people))
    until(lambda: len(world.get("/state")) == 150, 15, "everyone's answer")
    until(lambda: bool(master.lines) and master.lines[-1]["linked"] == 150, 5, "a line of all of them")
    assert master.terminate() < 5
    for worker in workers:
        assert worker.process.wait(5) == 0, "the end of the master is theirs, and an orderly one"

    rows = operations(config)
    answers = rows[(rows.kind == "answer") & (rows.value == 1) & (rows.outcome == "ok")]
    assert sorted(answers.key) == sorted(person.number for person in people), "each was played once"
    own = [history.read(config.history / f"load-{number}.arrow").to_pandas() for number in range(2)]
    assert [set(each.key % 2) for each in own] == [{0}, {1}]
    opened = history.read(config.opened or Path(), history.MAIL_SCHEMA).to_pandas()
    assert sorted(opened.to) == sorted(person.address for person in people)


def test_workers_whose_master_is_gone_play_on_and_write_down_what_they_have(
    world: World,
    config: LoadConfig,
    company: tuple[Running, tuple[Running, ...]],
    people: tuple[Person, ...],
) -> None:
    master, workers = company
    master.close()
    world.mail_to(links(people))
    until(lambda: len(world.get("/state")) == 150, 15, "everyone's answer")
    for worker in workers:
        worker.terminate()
    rows = operations(config)
    answers = rows[(rows.kind == "answer") & (rows.value == 1) & (rows.outcome == "ok")]
    assert sorted(answers.key) == sorted(person.number for person in people)


def test_a_master_does_not_wait_for_a_worker_that_is_gone(
    config: LoadConfig, company: tuple[Running, tuple[Running, ...]]
) -> None:
    master, (first, second) = company
    first.close()
    assert master.terminate() < 10
    assert second.process.wait(5) == 0


def test_a_load_is_played_by_somebody(config: LoadConfig) -> None:
    with pytest.raises(ValueError, match="at least one process, not 0"):
        config.shared(0)
    assert [each.opened_file for each in config.shared(1)] == [config.opened]


def test_of_several_live_lines_everything_is_counted_together_and_the_worst_shown() -> None:
    one = {"answered": 3, "p95_ms": 12.5, "late_ms": 0.1}
    other = {"answered": 4, "p95_ms": 7.0, "late_ms": 0.4, "trouble": "disk full"}
    assert together([one, other]) == {"answered": 7, "p95_ms": 12.5, "late_ms": 0.4, "trouble": "disk full"}
    assert together([one, {}]) == {}, "not all have spoken yet"


def test_arrivals_do_not_wait_for_a_service_that_hangs(
    world: World, config: LoadConfig, start: Callable[[LoadConfig], Running], people: tuple[Person, ...]
) -> None:
    load = start(replace(config, try_s=1.0))
    world.entrances.send(signal.SIGSTOP)
    world.mail_to(links(people))
    until(lambda: bool(load.lines) and load.lines[-1]["failed"] >= 200, 15, "200 time-outs")
    world.entrances.send(signal.SIGCONT)
    until(lambda: len(world.get("/state")) == 150, 20, "everyone's answer after all")
    load.terminate()

    rows = operations(config)
    looks = rows[rows.kind == "look"].sort_values("invoked_ns").groupby("key").first()
    assert set(looks.detail) == {"timeout"}
    # Each set out at their own time, though nobody before them had been served: some waited for a second.
    assert (looks.invoked_ns - looks.intended_ns).max() < 0.5e9
    assert (looks.completed_ns - looks.intended_ns).min() > 0.9e9
    assert looks.intended_ns.max() - looks.intended_ns.min() > 0.5e9
    answers = rows[(rows.kind == "answer") & (rows.outcome == "ok")]
    assert set(answers.key) == {person.number for person in people}


def test_history_can_be_read_after_sigkill(
    world: World, config: LoadConfig, load: Running, people: tuple[Person, ...]
) -> None:
    world.mail_to(links(people))
    until(lambda: len(world.get("/state")) >= 30, 10, "30 answers")
    until(lambda: answered(load) > 0, 10, "a live line of them")
    shown = answered(load)
    load.send(signal.SIGKILL)
    load.process.wait()
    rows = operations(config)
    assert len(rows[(rows.kind == "answer") & (rows.outcome == "ok")]) >= shown
    assert (np.diff(np.sort(rows.completed_ns)) >= 0).all()


def test_another_entrance_is_tried_when_one_refuses(
    world: World, config: LoadConfig, start: Callable[[LoadConfig], Running], people: tuple[Person, ...]
) -> None:
    entrances = (Entrance("a", "127.0.0.1", 1, 1), world.access.entrances[1])  # nobody listens on port 1
    load = start(replace(config, access=(replace(world.access, entrances=entrances),)))
    world.mail_to(links(people))
    until(lambda: len(world.get("/state")) == 150, 15, "everyone's answer")
    load.terminate()

    rows = operations(config)
    refused = rows[rows.endpoint == "a"]
    assert len(refused) > 30
    assert set(refused.outcome) == {"fail"}
    assert set(refused.detail) == {"refused"}
    assert refused.groupby("key").size().max() == 1  # the entrance that worked is remembered


def test_people_without_a_notice_look_into_their_mailbox(
    world: World, config: LoadConfig, load: Running, people: tuple[Person, ...]
) -> None:
    everyone = links(people)
    told = dict(list(everyone.items())[:10])
    world.mail_to({to: token for to, token in everyone.items() if to not in told}, noticed=False)
    world.mail_to(told)
    until(lambda: len(world.get("/state")) == 150, 15, "everyone's answer")
    load.terminate()
    rows = operations(config)
    assert set(rows[rows.outcome == "ok"].key) == {person.number for person in people}


def test_a_refusal_of_the_service_is_tried_again_later_with_the_same_value(
    world: World, config: LoadConfig, load: Running, people: tuple[Person, ...]
) -> None:
    world.post("/doors", "closed")
    world.mail_to(links(people[:20]))
    until(lambda: bool(load.lines) and load.lines[-1]["failed"] >= 20, 10, "20 refusals")
    assert load.lines[-1]["waiting"] > 0
    world.post("/doors", "open")
    until(lambda: len(world.get("/state")) == 20, 15, "20 answers")
    load.terminate()
    rows = operations(config)
    assert set(rows[rows.outcome == "fail"].detail) == {"http 503"}
    assert set(rows[(rows.kind == "answer")].groupby("key").value.min()) == {1}


def test_people_follow_the_name(
    world: World,
    config: LoadConfig,
    start: Callable[[LoadConfig], Running],
    people: tuple[Person, ...],
    tmp_path: Path,
) -> None:
    """As long as the name leads to a dead site, nobody is served, though the other one is well."""
    dead = (replace(world.access.entrances[0], http=1, https=1), world.access.entrances[1])
    with named(replace(world.access, entrances=dead), tmp_path) as (access, names, resolver):
        assert resolver.http_ask("PUT", "/keeping", {"share": 0.5, "keeps_s": 5})[0] == 200
        load = start(replace(config, access=(access,), patience=100))
        world.mail_to(links(people))
        until(lambda: bool(load.lines) and load.lines[-1]["failed"] >= 150, 15, "nobody is served")
        assert not world.get("/state")
        moved_ns = time.monotonic_ns()
        assert names.http_ask("PUT", "/active", {"region": "tokyo"})[0] == 200
        until(lambda: len(world.get("/state")) == 150, 20, "everyone's answer")
        load.terminate()

    rows = operations(config)
    assert set(rows[rows.outcome == "ok"].endpoint) == {"b"}
    assert set(rows[rows.endpoint == "a"].detail) == {"refused"}
    served = rows[(rows.kind == "answer") & (rows.outcome == "ok")].groupby("key").completed_ns.min()
    quick = served[served.index % 10 >= 5]
    slow = served[served.index % 10 < 5]
    assert (quick.max() - moved_ns) / 1e9 < TTL_S + 1.5
    assert (slow.min() - moved_ns) / 1e9 > (quick.min() - moved_ns) / 1e9
    assert (slow.max() - moved_ns) / 1e9 < 5 + 1.5


def test_who_cannot_find_the_service_sends_nothing_and_tries_again(
    world: World,
    config: LoadConfig,
    start: Callable[[LoadConfig], Running],
    people: tuple[Person, ...],
    tmp_path: Path,
) -> None:
    with named(world.access, tmp_path) as (access, names, _):
        hold(names)
        load = start(replace(config, access=(access,)))
        world.mail_to(links(people))
        until(lambda: bool(load.lines) and load.lines[-1]["failed"] >= 150, 15, "nobody finds it")
        load.terminate()

    rows = operations(config)
    assert set(rows.outcome) == {"fail"}
    assert set(rows.kind) == {"look"}
    assert set(rows.endpoint) == {"dns"}
    assert set(rows.detail) <= {"servfail", "resolver: timeout"}
