"""What anybody may send to a name server, and what becomes of it."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.platform.dns_message import BadQuery, Query, read
from topology.platform.dns_zone import Zone

ZONE = Zone("anpi.example", 10, "10.77.130.11")
ADDRESSES = ("10.77.1.13", "10.77.2.13")
QUERY = dns.message.make_query("anpi.example", "A").to_wire()


def refused(wire: bytes) -> dns.message.Message | None:
    with pytest.raises(BadQuery) as caught:
        read(wire)
    return None if caught.value.reply is None else dns.message.from_wire(caught.value.reply)


def ask(name: str, kind: str, addresses: tuple[str, ...] = ADDRESSES) -> dns.message.Message:
    query = read(dns.message.make_query(name, kind).to_wire())
    return dns.message.from_wire(query.wire(ZONE.answer(query, addresses, 7), tcp=False))


@pytest.mark.parametrize("length", range(12))
def test_what_is_shorter_than_a_header_gets_nothing(length: int) -> None:
    assert refused(QUERY[:length]) is None


def test_a_reply_is_not_replied_to() -> None:
    query = read(QUERY)
    assert refused(query.wire(ZONE.answer(query, ADDRESSES, 1), tcp=False)) is None


@pytest.mark.parametrize("length", [12, 13, 20, len(QUERY) - 1])
def test_a_truncated_query_is_a_format_error_of_the_same_number(length: int) -> None:
    reply = refused(QUERY[:length])
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR
    assert reply.id == int.from_bytes(QUERY[:2], "big")


def test_a_name_that_points_at_itself_is_a_format_error() -> None:
    reply = refused(QUERY[:12] + b"\xc0\x0c" + b"\x00\x01\x00\x01")
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize(
    ("change", "rcode"),
    [
        ({"rdclass": "CH"}, dns.rcode.REFUSED),
        ({"rdtype": "AXFR"}, dns.rcode.REFUSED),
        ({"use_edns": 1}, dns.rcode.BADVERS),
    ],
)
def test_what_is_not_served_is_refused_by_name(change: dict[str, object], rcode: dns.rcode.Rcode) -> None:
    asked = {"qname": "anpi.example", "rdtype": "A", **change}
    reply = refused(dns.message.make_query(**asked).to_wire())  # type: ignore[arg-type]
    assert reply is not None
    assert reply.rcode() == rcode


def test_updates_and_several_questions_are_refused() -> None:
    update = dns.message.Message()
    update.set_opcode(dns.opcode.NOTIFY)
    reply = refused(update.to_wire())
    assert reply is not None
    assert reply.rcode() == dns.rcode.NOTIMP
    twice = dns.message.make_query("anpi.example", "A")
    twice.question.append(twice.question[0])
    reply = refused(twice.to_wire())
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR


@given(st.binary(max_size=600) | st.binary(max_size=100).map(lambda tail: QUERY[:12] + tail))
def test_garbage_is_refused_or_read_and_never_more(wire: bytes) -> None:
    try:
        query = read(wire)
        reply = query.wire(ZONE.answer(query, ADDRESSES, 1), tcp=False)
    except BadQuery as bad:
        reply = bad.reply or wire
    assert reply[:2] == wire[:2]


def test_the_domain_leads_to_all_addresses() -> None:
    reply = ask("anpi.example", "A")
    assert {str(record) for record in reply.answer[0]} == set(ADDRESSES)
    assert reply.answer[0].ttl == 10
    assert reply.flags & dns.flags.AA


def test_letters_keep_their_case_and_mean_the_same() -> None:
    reply = ask("aNpI.eXample", "A")
    assert str(reply.question[0].name) == "aNpI.eXample."
    assert len(reply.answer[0]) == 2


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("anpi.example", "AAAA", dns.rcode.NOERROR),
        ("anpi.example", "MX", dns.rcode.NOERROR),
        ("www.anpi.example", "A", dns.rcode.NXDOMAIN),
    ],
)
def test_what_does_not_exist_says_for_how_long(name: str, kind: str, rcode: dns.rcode.Rcode) -> None:
    reply = ask(name, kind)
    assert reply.rcode() == rcode
    assert not reply.answer
    (start,) = reply.authority
    assert (start.rdtype, start.ttl, start[0].minimum, start[0].serial) == (dns.rdatatype.SOA, 10, 10, 7)


def test_the_domain_names_its_server() -> None:
    assert str(ask("anpi.example", "NS").answer[0][0]) == "ns.anpi.example."
    assert str(ask("ns.anpi.example", "A").answer[0][0]) == "10.77.130.11"
    assert {rrset.rdtype.name for rrset in ask("anpi.example", "ANY").answer} == {"A", "NS", "SOA"}


def test_other_domains_are_refused() -> None:
    assert ask("anpi.example.org", "A").rcode() == dns.rcode.REFUSED


def test_without_an_address_the_name_is_not_denied() -> None:
    """A "no such thing" would be believed for a while; a failure is asked for again."""
    assert ask("anpi.example", "A", ()).rcode() == dns.rcode.SERVFAIL


def test_what_is_too_long_for_a_datagram_is_cut_and_says_so() -> None:
    many = tuple(f"10.1.{n}.{m}" for n in range(2) for m in range(50))
    query = read(dns.message.make_query("anpi.example", "A", use_edns=False).to_wire())
    response = ZONE.answer(query, many, 1)
    assert len(query.wire(response, tcp=False)) <= 512
    assert dns.message.from_wire(query.wire(response, tcp=False)).flags & dns.flags.TC
    assert len(dns.message.from_wire(query.wire(response, tcp=True)).answer[0]) == 100


def test_a_query_is_read() -> None:
    assert isinstance(read(QUERY), Query)
