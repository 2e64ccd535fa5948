"""Synthetic users of every block's areas, let in by real blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.load.access import Access
from harness.probes.config import Login, ProbeConfig
from harness.rundir import history
from tests import access_network
from tests.access_network import HOME, LETS_IN_AT_ONCE, OTHER
from tests.harness.load.world import Running, World, until
from tests.name_programs import named

pytestmark = pytest.mark.takes(12)


def config_of(folder: Path, access: Access) -> ProbeConfig:
    """Probes that attach, and do nothing else."""
    return ProbeConfig(
        folder=folder,
        access=(access,),
        people={"docomo": ((1, f"{1:032d}"),)},
        login=Login(1, "admin", "right"),
        feed_apis=(),
        mail_providers=(),
        databases=(),
        database_password="",
        consensus=(),
        regions={},
        rates={"attach": 20.0},
        live_every_s=0.1,
    )


def test_a_user_who_is_taken_for_another_is_not_served(
    world: World, tmp_path: Path, run_program: Callable[[str, Path], Running]
) -> None:
    (tmp_path / "probes").mkdir()
    with (
        named(world.access, tmp_path / "names") as (access, names, _),
        access_network.standing(tmp_path, names.dns[0], LETS_IN_AT_ONCE) as stands,
    ):
        path = tmp_path / "probes.json"
        path.write_text(config_of(tmp_path, replace(access, network=stands.network)).to_json())
        probes = run_program("harness.probes", path)
        until(lambda: len(probes.lines) > 20, 8, "some time")
        probes.terminate()
    rows = history.read(tmp_path / "probes").to_pandas()
    seen = rows[(rows.kind == "attach") & (rows.detail == history.MISTAKEN)]
    assert len(seen) > 5
    assert set(seen.outcome) == {"fail"}


def test_users_of_a_block_are_seen_cut_off_and_let_in_again_by_another(
    world: World, tmp_path: Path, run_program: Callable[[str, Path], Running]
) -> None:
    (tmp_path / "probes").mkdir()
    with (
        named(world.access, tmp_path / "names") as (access, names, _),
        access_network.standing(tmp_path, names.dns[0]) as stands,
    ):
        path = tmp_path / "probes.json"
        path.write_text(config_of(tmp_path, replace(access, network=stands.network)).to_json())
        probes = run_program("harness.probes", path)

        def lights() -> dict[str, bool]:
            return probes.lines[-1]["green"]["attach"] if probes.lines else {}

        until(lambda: lights() == {OTHER: True, HOME: True}, 5, "all green")
        stands.storage[HOME].kill()
        until(lambda: lights() == {OTHER: True, HOME: False}, 5, "a red light")
        stands.widen(1)
        seen = len(probes.lines)
        until(lambda: len(probes.lines) > seen + 15, 5, "some time")
        assert not lights()[HOME], "half of its users are still cut off"
        stands.widen(2)
        until(lambda: lights() == {OTHER: True, HOME: True}, 5, "all green again")
        probes.terminate()
    rows = history.read(tmp_path / "probes").to_pandas()
    home = rows[(rows.kind == "attach") & (rows.vantage == HOME)]
    assert set(home.endpoint) == {HOME, OTHER}
    assert set(home[home.endpoint == OTHER].outcome) == {"ok"}
    assert "http 503" in set(home[home.outcome == "fail"].detail)
    assert set(rows[rows.vantage == OTHER].outcome) == {"ok"}
