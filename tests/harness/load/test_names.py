"""What a handset makes of what a resolver says."""

from __future__ import annotations

from collections.abc import Sequence

import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.access import Access, Entrance
from harness.load.names import NoAddressError, Question, read

A = Entrance("a", "10.9.0.1", 8001, 8401, "10.1.0.13")
B = Entrance("b", "10.9.0.1", 8002, 8402, "10.2.0.13")
ACCESS = Access("docomo", 1.0, (A, B), ("10.9.0.2", 8000), (("10.9.0.3", 5301),))
QUESTION = Question(7, "anpi.example")


def answer(
    addresses: Sequence[str], ttl_s: int = 10, number: int = 7, rcode: int = dns.rcode.NOERROR
) -> bytes:
    query = dns.message.from_wire(Question(number, "anpi.example").wire)
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.Rcode(rcode))
    if addresses:
        response.answer = [dns.rrset.from_text("anpi.example.", ttl_s, "IN", "A", *addresses)]
    return response.to_wire()


@pytest.mark.parametrize(
    ("addresses", "entrances"),
    [
        (["10.1.0.13", "10.2.0.13"], (A, B)),
        (["10.2.0.13", "10.1.0.13"], (A, B)),
        (["10.2.0.13"], (B,)),
        (["10.2.0.13", "10.5.0.13"], (B,)),
    ],
)
def test_an_address_leads_to_the_entrance_of_the_own_carrier(
    addresses: list[str], entrances: tuple[Entrance, ...]
) -> None:
    found = read(QUESTION, answer(addresses), ACCESS, 1_000)
    assert found is not None
    assert found.entrances == entrances
    assert found.until_ns == 10_000_001_000


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (answer([], rcode=dns.rcode.SERVFAIL), "servfail"),
        (answer([], rcode=dns.rcode.NXDOMAIN), "nxdomain"),
        (answer([]), "no address"),
        (answer(["10.5.0.13"]), "no way to 10.5.0.13"),
    ],
)
def test_what_leads_nowhere_says_why(wire: bytes, why: str) -> None:
    with pytest.raises(NoAddressError, match=why):
        read(QUESTION, wire, ACCESS, 0)


def test_an_answer_to_another_question_is_not_heard() -> None:
    assert read(QUESTION, answer(["10.1.0.13"], number=8), ACCESS, 0) is None


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: answer(["10.1.0.13"])[:12] + tail))
def test_garbage_is_no_answer(wire: bytes) -> None:
    try:
        found = read(QUESTION, wire, ACCESS, 0)
    except NoAddressError:
        found = None
    assert found is None or set(found.entrances) <= {A, B}
