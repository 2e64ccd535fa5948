"""What a database cluster is made to be, by what the fence says."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from topology.platform import guard as guarding
from topology.platform.etcd import Store
from topology.platform.guard import CONFIG, READ_ONLY, Guard, Word, copy_of

REMOTES = {"singapore": ("wan:5411", "wan:5412"), "virginia": ("far:5431",)}
OF_SINGAPORE = copy_of(REMOTES["singapore"])


class Kept(Store):
    """A store of one key, in memory; `raced`: another one is always faster."""

    def __init__(self, agreed: Mapping[str, object] | None, raced: bool = False) -> None:
        self.value = None if agreed is None else json.dumps(agreed)
        self.raced = raced

    def get(self, key: str) -> str | None:
        assert key == CONFIG
        return self.value

    def swap(self, key: str, old: str, new: str) -> bool:
        assert (key, old) == (CONFIG, self.value)
        self.value = self.value if self.raced else new
        return not self.raced


def guard(store: Store) -> Guard:
    return Guard("database-t", "tokyo", "fence:8000", REMOTES, store)


@pytest.mark.parametrize(
    ("region", "present", "wanted"),
    [
        ("tokyo", OF_SINGAPORE, None),
        ("tokyo", READ_ONLY, None),
        ("tokyo", None, None),
        ("singapore", None, OF_SINGAPORE),
        ("singapore", READ_ONLY, OF_SINGAPORE),
        ("virginia", OF_SINGAPORE, copy_of(("far:5431",))),
        (None, None, READ_ONLY),  # it took writes until now
        (None, OF_SINGAPORE, OF_SINGAPORE),  # it goes on taking in what is still to come
        ("mars", None, READ_ONLY),  # somebody else may write, nobody knows where
    ],
)
def test_what_a_cluster_is_made(
    region: str | None, present: Mapping[str, object] | None, wanted: Mapping[str, object] | None
) -> None:
    assert guard(Kept(None)).setting(Word(region, 1), present) == wanted


def test_several_nodes_of_a_region_are_several_hosts() -> None:
    assert OF_SINGAPORE["host"] == "wan,wan"
    assert OF_SINGAPORE["port"] == "5411,5412"


def test_only_that_setting_changes_and_only_once() -> None:
    store = Kept({"ttl": 20, "standby_cluster": dict(OF_SINGAPORE)})
    assert guard(store).align(Word("tokyo", 2))
    assert json.loads(store.value or "") == {"ttl": 20}
    assert not guard(store).align(Word("tokyo", 2))
    assert guard(store).align(Word(None, 3))
    assert json.loads(store.value or "") == {"ttl": 20, "standby_cluster": READ_ONLY}


def test_a_cluster_that_nobody_has_made_is_left_to_who_makes_it() -> None:
    assert not guard(Kept(None)).align(Word("tokyo", 1))


def test_who_comes_second_looks_again() -> None:
    store = Kept({"ttl": 20, "standby_cluster": dict(OF_SINGAPORE)}, raced=True)
    assert not guard(store).align(Word("tokyo", 1))
    assert "standby_cluster" in json.loads(store.value or "")


def test_what_a_node_is_told_by_its_environment() -> None:
    told = {"FENCE": "fence:8000", "REMOTE_SINGAPORE": "wan:5411,wan:5412", "REMOTE_VIRGINIA": ""}
    made = guarding.from_environment("database-t", "tokyo", Kept(None), told)
    assert made is not None
    assert made.remotes == {"singapore": ("wan:5411", "wan:5412"), "virginia": ()}
    assert guarding.from_environment("database-t", "tokyo", Kept(None), {**told, "FENCE": ""}) is None
