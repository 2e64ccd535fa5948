"""Handsets attach to an access network of real programs before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from harness.load.access import Access
from harness.load.config import LoadConfig
from harness.load.network import Block, Network, Steered
from harness.rundir import history
from tests import access_network
from tests.access_network import HOME, LETS_IN_AT_ONCE, NOTHING_ELSE, OTHER, Stands
from tests.harness.load.world import Running, World, until
from tests.name_programs import named
from topology.world.maps.card import proof

pytestmark = pytest.mark.takes(20)

NETWORK = Network(("10.0.0.1", 8000), (Block("b", "10.0.0.2", 8000), Block("f", "10.0.0.3", 8000)), 2, "key")


@pytest.fixture(params=[("by-itself", NOTHING_ELSE)])
def stands(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Access, Stands]]:
    reattach, blocks_have = request.param
    with (
        named(world.access, tmp_path / "names") as (access, names, _),
        access_network.standing(tmp_path, names.dns[0], blocks_have, REATTACH=reattach) as network,
    ):
        yield replace(access, network=network.network), network


@pytest.fixture
def again() -> float:
    """The share of the people who answer more than once."""
    return 0.15


@pytest.fixture
def load(
    stands: tuple[Access, Stands], tmp_path: Path, again: float, run_program: Callable[[str, Path], Running]
) -> tuple[LoadConfig, Running]:
    (tmp_path / "history").mkdir()
    config = LoadConfig(
        seed=7,
        clock=40_000.0,
        curve="everyone-2019",
        companies=3,
        people=80,
        areas=("350", "351"),
        access=(stands[0],),
        history=tmp_path / "history",
        pause_s=(0.2, 0.4),
        patience=100,
        live_every_s=0.1,
        again=again,
    )
    path = tmp_path / "load.json"
    path.write_text(config.to_json())
    return config, run_program("harness.load", path)


def mail(world: World, config: LoadConfig) -> None:
    world.mail_to({one.address: f"t{one.number:031d}" for one in config.population().people})


def answers(world: World) -> set[int]:
    """The people who have answered."""
    return {int(token[1:]) for token in world.get("/state")}


def at_home(person: int) -> str:
    return OTHER if person % 4 < 2 else HOME


def operations(config: LoadConfig) -> Any:
    return history.read(config.history).to_pandas()


def test_everyone_is_let_in_by_the_block_of_their_area(
    world: World, stands: tuple[Access, Stands], load: tuple[LoadConfig, Running]
) -> None:
    config, running = load
    mail(world, config)
    until(lambda: len(answers(world)) == 80, 20, "everyone's answer")
    running.terminate()
    assert all(stands[1].state(block)["opened"] >= 40 for block in (HOME, OTHER))
    assert (operations(config).outcome == "ok").all()


def test_users_of_a_block_without_storage_are_cut_off_until_another_one_is_widened(
    world: World, stands: tuple[Access, Stands], load: tuple[LoadConfig, Running]
) -> None:
    config, running = load
    stands[1].storage[HOME].kill()
    until(lambda: stands[1].state(HOME)["fault"] != "", 5, "the failure")
    mail(world, config)
    until(lambda: len(answers(world)) == 40, 20, "the answers of those who are not hit")
    assert {at_home(person) for person in answers(world)} == {OTHER}
    stands[1].widen(1)
    until(lambda: len(answers(world)) == 60, 20, "the answers of one area")
    assert {person % 4 for person in answers(world)} == {0, 1, 2}
    stands[1].widen(2)
    until(lambda: len(answers(world)) == 80, 20, "everyone's answer")
    running.terminate()

    rows = operations(config)
    refused = rows[rows.outcome == "fail"]
    assert set(refused.endpoint) == {HOME}
    assert set(refused.kind) == {"look"}, "nothing was sent to the service"
    assert set(refused.detail) == {"attach: http 503"}
    assert {at_home(person) for person in refused.key} == {HOME}


@pytest.mark.parametrize("stands", [("by-hand", NOTHING_ELSE)], indirect=True)
def test_a_handset_that_waits_for_its_owner_stays_with_its_block_until_it_is_started_anew(
    world: World, stands: tuple[Access, Stands], load: tuple[LoadConfig, Running]
) -> None:
    config, running = load
    stands[1].storage[HOME].kill()
    until(lambda: stands[1].state(HOME)["fault"] != "", 5, "the failure")
    mail(world, config)
    until(lambda: len(answers(world)) == 40, 20, "the answers of those who are not hit")
    stands[1].widen(2)
    until(lambda: len(answers(world)) == 80, 20, "everyone's answer")
    running.terminate()
    rows = operations(config)
    tries = rows[(rows.outcome == "fail") & (rows.endpoint == HOME)].groupby("key").size()
    assert 20 < len(tries) <= 40, "but for those who first tried after the widening"
    assert (tries % 5 == 4).all(), "the fifth, tenth, … attempt is made with a handset that was started anew"


@pytest.mark.parametrize("again", [1.0])
@pytest.mark.parametrize("stands", [("by-itself", LETS_IN_AT_ONCE)], indirect=True)
def test_whose_handset_is_taken_for_anothers_is_written_down(
    world: World, load: tuple[LoadConfig, Running]
) -> None:
    config, running = load
    mail(world, config)
    until(lambda: len(answers(world)) == 80, 20, "everyone's answer")
    until(
        lambda: len(rows := operations(config)) and (rows.kind == "attach").sum() > 10,
        20,
        "some who come again",
    )
    running.terminate()
    rows = operations(config)
    swapped = rows[rows.kind == "attach"]
    assert set(swapped.detail) == {history.MISTAKEN}
    assert set(swapped.outcome) == {"fail"}
    assert (swapped.key != swapped.value).all()
    assert (swapped.value % 4 < 2).eq(swapped.key % 4 < 2).all(), "for another of the same block's"


@pytest.mark.parametrize("told", [b"", b"[]", b"{}", b'{"subscriber": null}', b'{"subscriber": "7"}'])
def test_who_is_taken_for_nobody(told: bytes) -> None:
    assert NETWORK.taken_for(told) is None
    assert NETWORK.taken_for(b'{"subscriber": 7}') == 7


def test_what_is_known_of_a_network_is_written_and_read_back() -> None:
    assert Network.parse(asdict(NETWORK)) == NETWORK
    assert NETWORK.session(7) == {"subscriber": 7, "proof": proof("key", 7)}
    assert NETWORK.at_first().areas.serving == ("b", "b", "f", "f")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"blocks": ["b"], "each": 1, "serving": ["x"], "reattach": "by-hand"}',
        b'{"blocks": ["b"], "each": 2, "serving": ["b"], "reattach": "by-hand"}',
    ],
)
def test_what_is_no_steering(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        Steered.read(body)
