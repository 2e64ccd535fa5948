from __future__ import annotations

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from topology.platform.dns_message import read
from topology.platform.dns_zone import Zone
from topology.platform.resolver_cache import MOST, Cache, Entry, Key

KEY: Key = (dns.name.from_text("anpi.example"), dns.rdatatype.A)


def entry(at_s: float, kind: str = "A", ttl_s: int = 10) -> Entry:
    query = read(dns.message.make_query("anpi.example", kind).to_wire())
    return Entry.of(Zone("anpi.example", ttl_s, "").answer(query, ["10.0.0.1"], 1), at_s)


@pytest.fixture
def cache() -> Cache:
    made = Cache()
    made.keep(KEY, entry(100.0))
    return made


def test_an_answer_grows_old_and_ends(cache: Cache) -> None:
    held = cache.find(KEY, 100.0)
    assert held is not None
    assert [cache.left_s(held, now) for now in (100.0, 104.2, 109.9, 110.0, 200.0)] == [10, 6, 1, 0, 0]
    assert cache.find(KEY, 109.9) is held
    assert cache.find(KEY, 110.0) is None


def test_a_name_is_the_same_in_any_case(cache: Cache) -> None:
    assert cache.find((dns.name.from_text("ANPI.example"), dns.rdatatype.A), 100.0) is not None


def test_one_that_keeps_answers_keeps_also_what_it_has(cache: Cache) -> None:
    cache.keeps_s = 60.0
    held = cache.find(KEY, 159.0)
    assert held is not None
    assert cache.left_s(held, 159.0) == 1
    cache.keeps_s = 0.0
    assert cache.find(KEY, 159.0) is None


def test_a_least_time_shortens_nothing(cache: Cache) -> None:
    cache.keeps_s = 3.0
    assert cache.find(KEY, 109.0) is not None


def test_a_no_is_believed_as_long_as_its_soa_says_and_never_kept(cache: Cache) -> None:
    key = (KEY[0], dns.rdatatype.AAAA)
    cache.keep(key, entry(100.0, "AAAA"))
    cache.keeps_s = 60.0
    held = cache.find(key, 109.0)
    assert held is not None
    assert (held.rcode, held.answer) == (dns.rcode.NOERROR, ())
    assert cache.find(key, 110.0) is None


def test_an_ended_answer_is_found_only_when_asked_for(cache: Cache) -> None:
    assert cache.find(KEY, 120.0) is None
    assert cache.find(KEY, 120.0, ended_for_s=30.0) is not None
    assert cache.find(KEY, 141.0, ended_for_s=30.0) is None


def test_a_failure_is_remembered_for_a_second_and_takes_nothing_away(cache: Cache) -> None:
    cache.fail(KEY, 105.0)
    assert cache.failed(KEY, 105.9)
    assert not cache.failed(KEY, 106.0)
    assert cache.find(KEY, 105.0) is not None
    cache.fail(KEY, 107.0)
    cache.keep(KEY, entry(107.5))
    assert not cache.failed(KEY, 107.6)


def test_made_up_names_do_not_fill_the_memory(cache: Cache) -> None:
    for number in range(MOST + 50):
        cache.keep((dns.name.from_text(f"n{number}.anpi.example"), dns.rdatatype.A), entry(200.0 + number))
    assert len(list(cache)) == MOST
    assert cache.find(KEY, 100.0) is None  # it ended first
