"""The probes as a program, against entrances, a carrier's mail, a provider and a feed that are programs too."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.probes.config import Login, ProbeConfig
from harness.probes.door import Door
from harness.rundir import history
from tests.harness.load.world import Running, World, until
from tests.name_programs import TTL_S, hold, named

pytestmark = pytest.mark.takes(35)

LIVE_EVERY_S = 0.1
CAPABILITIES = ("read", "write", "login", "delivery", "feed")


@pytest.fixture
def config(world: World, tmp_path: Path) -> ProbeConfig:
    (tmp_path / "probes").mkdir()
    mail = Door("provider", *world.access.mail)
    carriers = ("docomo", "au", "softbank")
    return ProbeConfig(
        folder=tmp_path,
        access=tuple(replace(world.access, carrier=carrier) for carrier in carriers),
        people={
            carrier: tuple((100 * n + k, f"{n:02d}{k:030d}") for k in range(32))
            for n, carrier in enumerate(carriers, 1)
        },
        login=Login(1, "admin", "right"),
        feed_apis=(Door("feed-api", *world.access.mail),),
        mail_providers=(mail,),
        databases=(),
        database_password="",
        consensus=(),
        regions={},
        live_every_s=LIVE_EVERY_S,
    )


@pytest.fixture
def start(tmp_path: Path, run_program: Callable[[str, Path], Running]) -> Callable[[ProbeConfig], Running]:
    def run(config: ProbeConfig) -> Running:
        path = tmp_path / "probes.json"
        path.write_text(config.to_json())
        return run_program("harness.probes", path)

    return run


def green(probes: Running) -> bool:
    return bool(probes.lines) and all(all(row.values()) for row in probes.lines[-1]["green"].values())


def go_on(probes: Running, seconds: float = 1.0) -> None:
    """For so long by the program's own live lines."""
    enough = len(probes.lines) + seconds / LIVE_EVERY_S
    until(lambda: len(probes.lines) >= enough, 10 * seconds, f"live lines of {seconds:g} s")


def operations(config: ProbeConfig) -> Any:
    return history.read(config.folder / "probes").to_pandas()


def test_every_capability_is_asked_for_ten_times_a_second_at_every_carrier(
    config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    probes = start(config)
    until(lambda: green(probes), 10, "all green")
    go_on(probes, 2.0)
    assert green(probes)
    assert set(probes.lines[-1]["green"]) == set(CAPABILITIES)
    assert probes.terminate() < 3

    rows = operations(config)
    assert (rows.outcome[rows.detail != "stopped"] == "ok").all()
    for (kind, vantage), series in rows.groupby(["kind", "vantage"], observed=True):
        intended = np.sort(series.intended_ns)
        assert (np.diff(intended) == 100_000_000).all(), (kind, vantage)
    assert rows.groupby("kind", observed=True).vantage.nunique().to_dict() == {
        "read": 3, "write": 3, "login": 3, "delivery": 3, "feed": 1
    }  # fmt: skip
    assert set(rows[rows.kind == "write"].endpoint) >= {"a", "b"}


def test_the_measured_outage_is_that_of_two_seconds(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    probes = start(config)
    until(lambda: green(probes), 10, "all green")
    began_ns, ended_ns = world.entrances.hang(2.0)
    until(lambda: not green(probes), 5, "red lights")
    until(lambda: green(probes), 10, "all green again")
    probes.terminate()

    assert (ended_ns - began_ns) / 1e9 == pytest.approx(2.0, abs=0.02)
    rows = operations(config)
    for vantage in ("docomo", "au", "softbank"):
        pages = rows[(rows.vantage == vantage) & rows.kind.isin(["read", "write", "login"])]
        hit = pages[(pages.completed_ns - pages.intended_ns > 0.5e9) | (pages.outcome != "ok")]
        hit = hit[hit.detail != "stopped"]
        assert len(hit) > 30
        first_ns = hit.intended_ns.min()
        served = pages[(pages.outcome == "ok") & (pages.completed_ns > began_ns + 0.5e9)]
        measured_s = (served.completed_ns.min() - first_ns) / 1e9
        assert measured_s == pytest.approx(2.0, abs=0.15), vantage
    # The timetable went on: nobody waited for those before them.
    assert ((rows.invoked_ns - rows.intended_ns) < 0.5e9).all()


def test_a_page_that_lost_an_acknowledged_answer_is_stale(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    config = replace(config, rates={"read": 10.0, "write": 0.2}, access=config.access[:1])
    probes = start(config)
    until(lambda: "1" in world.get("/state").values(), 10, "the first answer")
    until(lambda: green(probes), 10, "all green")
    (token,) = world.get("/state")
    world.post(f"/overwrite/{token}", "0")
    until(lambda: not green(probes), 5, "a red light")
    probes.terminate()
    reads = operations(config).query("kind == 'read'")
    assert set(reads[reads.outcome != "ok"].detail.dropna()) - {"stopped"} == {"stale"}


def test_who_is_told_of_a_newer_answer_sends_theirs_on_top_of_it(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    """One of their own, perhaps, that was kept long after nobody waited for it any more."""
    config = replace(config, rates={"read": 10.0, "write": 0.5}, access=config.access[:1])
    config = replace(config, people={"docomo": config.people["docomo"][:1]})
    probes = start(config)
    until(lambda: "1" in world.get("/state").values(), 10, "the first answer")
    (token,) = world.get("/state")
    world.post(f"/overwrite/{token}", "0")
    until(lambda: int(world.get("/state")[token]) >= 2, 10, "the next answer")
    probes.terminate()
    writes = operations(config).query("kind == 'write'")
    assert (writes.outcome[writes.detail != "stopped"] == "ok").all()


def test_one_entrance_is_enough(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    gone = replace(world.access.entrances[0], http=1)  # nobody listens on port 1
    access = replace(config.access[0], entrances=(gone, world.access.entrances[1]))
    config = replace(config, rates={"read": 10.0, "write": 10.0, "login": 10.0}, access=(access,))
    probes = start(config)
    until(lambda: green(probes), 10, "all green")
    go_on(probes)
    probes.terminate()
    rows = operations(config)
    assert set(rows[rows.outcome == "ok"].endpoint) == {"b"}


def test_what_refuses_is_failed_and_what_keeps_silent_is_unknown(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    login = replace(config.login, password="wrong")
    rates = {"read": 10.0, "write": 10.0, "login": 10.0}
    config = replace(config, rates=rates, access=config.access[:1], login=login)
    probes = start(config)
    go_on(probes)
    assert not any(probes.lines[-1]["green"]["login"].values())
    world.post("/doors", "closed")
    until(lambda: not any(probes.lines[-1]["green"]["read"].values()), 5, "a red light")
    go_on(probes)
    world.post("/doors", "open")
    probes.terminate()
    rows = operations(config)
    assert set(rows[rows.kind == "login"].outcome[rows.detail == "http 401"]) == {"fail"}
    bad = rows.query("detail == 'http 503'")
    assert set(bad[bad.kind == "read"].outcome) == {"fail"}
    assert set(bad[bad.kind == "write"].outcome) == {"info"}


def test_history_can_be_read_after_sigkill(
    config: ProbeConfig, start: Callable[[ProbeConfig], Running]
) -> None:
    probes = start(config)
    until(lambda: green(probes), 10, "all green")
    go_on(probes)
    probes.send(signal.SIGKILL)
    probes.process.wait()
    assert len(operations(config)) > 100


def test_observers_follow_the_name(
    world: World, config: ProbeConfig, start: Callable[[ProbeConfig], Running], tmp_path: Path
) -> None:
    dead = (replace(world.access.entrances[0], http=1), world.access.entrances[1])
    (tmp_path / "names").mkdir()
    with named(replace(world.access, entrances=dead), tmp_path / "names") as (access, names, resolver):
        config = replace(config, rates={"read": 10.0, "write": 10.0, "login": 10.0}, access=(access,))
        probes = start(config)
        go_on(probes)
        assert not green(probes)
        assert names.http_ask("PUT", "/active", {"region": "tokyo"})[0] == 200
        until(lambda: green(probes), TTL_S + 5, "all green")
        hold(resolver)
        until(lambda: not green(probes), TTL_S + 5, "red lights")
        go_on(probes)
        probes.terminate()

    rows = operations(config)
    assert set(rows[rows.outcome == "ok"].endpoint) == {"b"}
    lost = rows[rows.endpoint == "dns"]
    assert set(lost.outcome) == {"fail"}
    assert all(detail.startswith("resolver: ") for detail in lost.detail)
    assert len(lost) > 5
