"""What each toxic does to the bytes, seen from both ends. Times have a floor that is exact and a generous ceiling."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.topology.platform.proxy.stage import Connect, Pair, Proxy, Toxiproxy, is_cut, receive, receive_all

pytestmark = pytest.mark.takes(5)

#: The proxy's clock starts when it reads, this test's a little earlier or later.
EARLY_S = 0.002
#: What the proxy may add, on a machine that has the time to run it. It is tried again when that seems not to be so.
SLACK_S = 0.05
TRIES = 8
#: The ceiling where trying again is no use: far from the delay that must not be there.
AT_ONCE_S = 1.5
LONG_MS = 10_000


def takes(at_least_s: float, action: Callable[[], object]) -> None:
    """The action never takes less, and not much more either."""
    times = []
    for _ in range(TRIES):
        began = time.monotonic()
        action()
        times.append(time.monotonic() - began)
        assert times[-1] >= at_least_s - EARLY_S
        if times[-1] <= at_least_s + SLACK_S:
            return
    raise AssertionError(f"expected {at_least_s} s, took {times}")


@contextmanager
def at_once() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AT_ONCE_S


def send_up(pair: Pair, data: bytes = b"x") -> None:
    pair.client.sendall(data)
    assert receive(pair.served, len(data)) == data


def send_down(pair: Pair, data: bytes = b"x") -> None:
    pair.served.sendall(data)
    assert receive(pair.client, len(data)) == data


def assert_silent(sock: socket.socket) -> None:
    """Nothing comes for a tenth of a second."""
    patience = sock.gettimeout()
    sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    sock.settimeout(patience)


def round_trip(pair: Pair) -> None:
    send_up(pair)
    send_down(pair)


# -- latency -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_one_direction(proxy: Proxy, connect: Connect, stream: str) -> None:
    proxy.add("latency", stream, latency=100)
    pair = connect(proxy)
    slow, fast = (send_up, send_down) if stream == "upstream" else (send_down, send_up)
    takes(0.1, lambda: slow(pair))
    takes(0.0, lambda: fast(pair))


def test_latencies_add_up(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", name="one", latency=40)
    proxy.add("latency", "upstream", name="two", latency=60)
    proxy.add("latency", "downstream", name="three", latency=50)
    pair = connect(proxy)
    takes(0.15, lambda: round_trip(pair))


def test_latency_does_not_narrow_the_line(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", latency=100)
    pair = connect(proxy)
    data = os.urandom(300_000)

    def send_in_pieces() -> None:
        for start in range(0, len(data), 10_000):
            pair.client.sendall(data[start : start + 10_000])
        assert receive(pair.served, len(data)) == data

    takes(0.1, send_in_pieces)


def test_jitter_spreads_the_latency(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", latency=40, jitter=30)
    pair = connect(proxy)
    times = []
    for _ in range(16):
        began = time.monotonic()
        pair.client.sendall(b"x")
        receive(pair.served, 1)
        times.append(time.monotonic() - began)
    assert min(times) >= 0.010 - EARLY_S
    assert sorted(times)[8] <= 0.070 + SLACK_S
    assert max(times) - min(times) > 0.015


def test_latency_keeps_the_end_behind_the_bytes(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", latency=100)

    def send_and_close() -> None:
        pair = connect(proxy)
        pair.client.sendall(b"x" * 1000)
        pair.client.close()
        assert receive_all(pair.served) == b"x" * 1000

    takes(0.1, send_and_close)


def test_latency_does_not_delay_a_close_without_bytes(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", latency=LONG_MS)
    pair = connect(proxy)
    pair.client.close()
    with at_once():
        assert receive_all(pair.served) == b""


# -- bandwidth ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [20, 100, 1000])
def test_bandwidth_is_kept(proxy: Proxy, connect: Connect, rate: int) -> None:
    proxy.add("bandwidth", "downstream", rate=rate)
    pair = connect(proxy)
    takes(0.25, lambda: send_down(pair, os.urandom(rate * 250)))


def test_no_bandwidth_lets_nothing_through(proxy: Proxy, connect: Connect) -> None:
    proxy.add("bandwidth", "upstream", rate=0)
    pair = connect(proxy)
    pair.client.sendall(b"x")
    assert_silent(pair.served)


# -- slow_close --------------------------------------------------------------------------------------------------


def test_slow_close_delays_the_end_and_nothing_else(proxy: Proxy, connect: Connect) -> None:
    proxy.add("slow_close", "downstream", delay=150)

    def talk_and_close() -> None:
        pair = connect(proxy)
        takes(0.0, lambda: round_trip(pair))
        pair.served.sendall(b"bye")
        pair.served.close()
        assert receive(pair.client, 3) == b"bye"
        assert is_cut(pair.client)

    takes(0.15, talk_and_close)


# -- timeout -----------------------------------------------------------------------------------------------------


def test_timeout_drops_and_then_closes(proxy: Proxy, connect: Connect) -> None:
    proxy.add("timeout", "upstream", timeout=150)

    def send() -> None:
        pair = connect(proxy)
        pair.client.sendall(b"lost")
        assert receive_all(pair.served) == b""
        assert is_cut(pair.client)

    takes(0.15, send)


def test_every_byte_puts_a_timeout_off(proxy: Proxy, connect: Connect) -> None:
    proxy.add("timeout", "upstream", timeout=250)

    def send_thrice() -> None:
        pair = connect(proxy)
        for _ in range(3):
            pair.client.sendall(b"lost")
            assert_silent(pair.served)
        assert receive_all(pair.served) == b""

    takes(0.45, send_thrice)


def test_a_timeout_of_zero_is_silence_without_end(proxy: Proxy, connect: Connect) -> None:
    proxy.add("timeout", "downstream", timeout=0)
    pair = connect(proxy)
    pair.served.sendall(b"lost")
    assert_silent(pair.client)
    pair.client.sendall(b"the other way is open")
    assert receive(pair.served, 4) == b"the "


@pytest.mark.parametrize("acts", [1.0, 0.0])
def test_taking_a_timeout_off_cuts_even_where_the_dice_spared(
    proxy: Proxy, connect: Connect, acts: float
) -> None:
    proxy.add("timeout", "downstream", toxicity=acts, timeout=0)
    pair = connect(proxy)
    proxy.remove()
    assert is_cut(pair.client)
    assert is_cut(pair.served)


# -- slicer ------------------------------------------------------------------------------------------------------


def test_slicer_makes_small_pieces_with_pauses(proxy: Proxy, connect: Connect) -> None:
    proxy.add("slicer", "downstream", average_size=100, size_variation=20, delay=10_000)
    pair = connect(proxy)
    data = os.urandom(1000)
    pieces: list[bytes] = []
    began = time.monotonic()
    pair.served.sendall(data)
    while sum(map(len, pieces)) < len(data):
        pieces.append(pair.client.recv(65536))
    took = time.monotonic() - began
    assert b"".join(pieces) == data
    assert 6 <= len(pieces) <= 20
    assert 0.01 * (len(pieces) - 1) - EARLY_S <= took


# -- limit_data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [[300], [60, 60], [100], [1] * 120])
def test_limit_data_lets_so_much_through_and_closes(
    proxy: Proxy, connect: Connect, pieces: list[int]
) -> None:
    proxy.add("limit_data", "downstream", bytes=100)
    pair = connect(proxy)
    data = os.urandom(sum(pieces))
    sent = 0
    for size in pieces:
        try:
            pair.served.sendall(data[sent : sent + size])
        except (BrokenPipeError, ConnectionResetError):
            break
        sent += size
    assert receive_all(pair.client) == data[:100]


def test_limit_data_counts_each_connection_and_goes_on_counting_when_changed(
    proxy: Proxy, connect: Connect
) -> None:
    proxy.add("limit_data", "downstream", bytes=10)
    one, two = connect(proxy), connect(proxy)
    for pair in (one, two):
        pair.served.sendall(b"12345")
        assert receive(pair.client, 5) == b"12345"
    proxy.change(bytes=8)
    one.served.sendall(b"6789")
    assert receive_all(one.client) == b"678"
    proxy.change(bytes=20)
    two.served.sendall(b"6789")
    assert receive(two.client, 4) == b"6789"


# -- reset_peer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 100])
@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_resets_both_ends(proxy: Proxy, connect: Connect, stream: str, timeout: int) -> None:
    proxy.add("reset_peer", stream, timeout=timeout)

    def send() -> None:
        pair = connect(proxy)
        (pair.client if stream == "upstream" else pair.served).sendall(b"x")
        for end in (pair.client, pair.served):
            with pytest.raises(ConnectionResetError):
                end.recv(1)

    takes(timeout / 1000, send)


def test_reset_peer_waits_for_the_first_byte(proxy: Proxy, connect: Connect) -> None:
    proxy.add("reset_peer", "upstream", timeout=0)
    pair = connect(proxy)
    pair.served.sendall(b"hello")
    assert receive(pair.client, 5) == b"hello"


# -- toxicity ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("toxicity", "least", "most"), [(0.0, 0, 0), (1.0, 60, 60), (0.5, 12, 48)])
def test_toxicity_is_the_share_of_connections(
    proxy: Proxy, connect: Connect, toxicity: float, least: int, most: int
) -> None:
    """Of 60 fair dice, fewer than 12 or more than 48 fall once in 10 million runs."""
    proxy.add("limit_data", "downstream", toxicity=toxicity, bytes=0)
    hit = 0
    for _ in range(60):
        pair = connect(proxy)
        pair.served.sendall(b"x")
        hit += pair.client.recv(1) == b""
        pair.client.close()
    assert least <= hit <= most


# -- together, and on live connections ---------------------------------------------------------------------------


def test_toxics_act_in_the_order_they_were_added(proxy: Proxy, connect: Connect) -> None:
    proxy.add("limit_data", "downstream", name="limit", bytes=5)
    proxy.add("latency", "downstream", name="late", latency=100)

    def send() -> None:
        pair = connect(proxy)
        pair.served.sendall(b"1234567")
        assert receive_all(pair.client) == b"12345"

    takes(0.1, send)


def test_a_toxic_is_put_on_changed_and_taken_off_a_live_connection(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    round_trip(pair)
    proxy.add("latency", "downstream", latency=150)
    takes(0.15, lambda: round_trip(pair))
    proxy.change(latency=60)
    takes(0.06, lambda: round_trip(pair))
    proxy.remove()
    takes(0.0, lambda: round_trip(pair))


def test_what_a_latency_holds_goes_on_in_order_when_it_is_taken_off(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "upstream", latency=LONG_MS)
    pair = connect(proxy)
    data = os.urandom(50_000)
    for start in range(0, len(data), 1000):
        pair.client.sendall(data[start : start + 1000])
    assert_silent(pair.served)
    proxy.remove()
    pair.client.sendall(b"end")
    assert receive(pair.served, len(data) + 3) == data + b"end"


@pytest.mark.parametrize("how", ["remove", "reset", "change"])
def test_a_narrow_line_is_widened_while_bytes_wait(
    toxiproxy: Toxiproxy, proxy: Proxy, connect: Connect, how: str
) -> None:
    proxy.add("bandwidth", "downstream", rate=10)
    pair = connect(proxy)
    data = os.urandom(60_000)
    pair.served.sendall(data)
    receive_first = receive(pair.client, 100)
    if how == "remove":
        proxy.remove()
    elif how == "change":
        proxy.change(rate=100_000)
    else:
        assert toxiproxy.call("POST", "/reset").status == 204
    with at_once():
        assert receive_first + receive(pair.client, len(data) - 100) == data


def test_a_slow_close_is_hurried_by_taking_it_off(proxy: Proxy, connect: Connect) -> None:
    proxy.add("slow_close", "downstream", delay=LONG_MS)
    pair = connect(proxy)
    pair.served.sendall(b"bye")
    pair.served.close()
    assert receive(pair.client, 3) == b"bye"
    proxy.remove()
    with at_once():
        assert is_cut(pair.client)


def test_a_limit_put_on_later_counts_from_then(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    send_down(pair, b"before")
    proxy.add("limit_data", "downstream", bytes=3)
    pair.served.sendall(b"after")
    assert receive_all(pair.client) == b"aft"


def test_disabling_cuts_through_every_toxic(proxy: Proxy, connect: Connect) -> None:
    proxy.add("latency", "downstream", name="late", latency=LONG_MS)
    proxy.add("slow_close", "downstream", name="slow", delay=LONG_MS)
    proxy.add("bandwidth", "upstream", name="narrow", rate=1)
    pair = connect(proxy)
    pair.client.sendall(bytes(10_000))
    pair.served.sendall(bytes(10_000))
    with at_once():
        proxy.enable(False)
        for end in (pair.client, pair.served):
            receive_all(end)


def test_other_connections_do_not_wait(proxy: Proxy, toxiproxy: Toxiproxy, connect: Connect) -> None:
    other = toxiproxy.proxy_to(toxiproxy.call("GET", proxy.path).json["upstream"])
    proxy.add("latency", "downstream", latency=LONG_MS)
    slow, fast = connect(proxy), connect(other)
    slow.served.sendall(b"x")
    takes(0.0, lambda: round_trip(fast))
    toxiproxy.call("DELETE", other.path)
