"""What a proxy does to connections when nothing toxic is on it."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from tests.topology.platform.proxy.stage import (
    DEADLINE_S,
    Connect,
    Proxy,
    Toxiproxy,
    Upstream,
    free_port,
    is_cut,
    receive,
    receive_all,
)

MANY = 150
BIG = 8 * 1024 * 1024
UNBOUNDED = 64 * 1024 * 1024


def test_bytes_go_both_ways(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    pair.client.sendall(b"question")
    assert receive(pair.served, 8) == b"question"
    pair.served.sendall(b"answer")
    assert receive(pair.client, 6) == b"answer"


def test_a_server_may_speak_first(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    pair.served.sendall(b"220 ready")
    assert receive(pair.client, 9) == b"220 ready"


def test_big_transfers_arrive_whole_both_ways_at_once(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    up, down = os.urandom(BIG), os.urandom(BIG)
    senders = [
        threading.Thread(target=sock.sendall, args=(data,))
        for sock, data in ((pair.client, up), (pair.served, down))
    ]
    got: dict[str, bytes] = {}
    readers = [
        threading.Thread(target=lambda: got.update(up=receive(pair.served, BIG))),
        threading.Thread(target=lambda: got.update(down=receive(pair.client, BIG))),
    ]
    for thread in senders + readers:
        thread.start()
    for thread in senders + readers:
        thread.join(DEADLINE_S)
    assert got["up"] == up
    assert got["down"] == down


def test_many_connections_are_kept_apart(proxy: Proxy, connect: Connect) -> None:
    pairs = [connect(proxy) for _ in range(MANY)]
    for number, pair in enumerate(pairs):
        pair.client.sendall(b"%04d" % number)
    asked = [receive(pair.served, 4) for pair in pairs]
    assert sorted(asked) == [b"%04d" % number for number in range(MANY)]
    for pair, question in zip(pairs, asked, strict=True):
        pair.served.sendall(question)
    assert [receive(pair.client, 4) for pair in pairs] == [b"%04d" % number for number in range(MANY)]


def test_a_receiver_that_does_not_read_holds_up_the_sender(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    sent = send_until_held_up(pair.client)
    pair.client.close()
    assert len(receive_all(pair.served)) == sent


def test_a_narrow_line_holds_up_the_sender(proxy: Proxy, connect: Connect) -> None:
    proxy.add("bandwidth", "upstream", rate=10)
    send_until_held_up(connect(proxy).client)


def send_until_held_up(sock: socket.socket) -> int:
    """How many bytes were taken; not without bounds."""
    sock.settimeout(0.3)
    sent = 0
    while sent < UNBOUNDED:
        try:
            sent += sock.send(bytes(65536))
        except TimeoutError:
            return sent
    raise AssertionError(f"{sent} bytes were taken")


@pytest.mark.parametrize("side", ["client", "served"])
def test_what_was_sent_before_a_close_arrives(proxy: Proxy, connect: Connect, side: str) -> None:
    pair = connect(proxy)
    sender, receiver = (pair.client, pair.served) if side == "client" else (pair.served, pair.client)
    data = os.urandom(1_000_000)

    def send_and_close() -> None:
        sender.sendall(data)
        sender.close()

    threading.Thread(target=send_and_close).start()
    assert receive_all(receiver) == data


def test_a_half_closed_connection_is_closed_whole(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    pair.client.sendall(b"last words")
    pair.client.shutdown(socket.SHUT_WR)
    assert receive_all(pair.served) == b"last words"
    assert is_cut(pair.client)


def test_a_reset_ends_the_other_side(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    pair.client.sendall(b"x")
    receive(pair.served, 1)
    pair.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    pair.client.close()
    assert is_cut(pair.served)


def test_a_client_whose_server_is_not_there_is_closed(toxiproxy: Toxiproxy) -> None:
    proxy = toxiproxy.proxy_to(f"127.0.0.1:{free_port()}")
    host, port = proxy.listen.split(":")
    for _ in range(2):
        with socket.create_connection((host, int(port)), DEADLINE_S) as client:
            assert is_cut(client)
    toxiproxy.call("DELETE", proxy.path)


@pytest.mark.parametrize("upstream_address", ["no.such.host.invalid:80", "nonsense"])
def test_a_client_whose_server_has_no_address_is_closed(toxiproxy: Toxiproxy, upstream_address: str) -> None:
    proxy = toxiproxy.proxy_to(upstream_address)
    host, port = proxy.listen.split(":")
    with socket.create_connection((host, int(port)), DEADLINE_S) as client:
        assert is_cut(client)
    toxiproxy.call("DELETE", proxy.path)


def test_a_server_that_comes_up_later_is_reached(
    toxiproxy: Toxiproxy, connect: Connect, upstream: Upstream
) -> None:
    port = free_port()
    proxy = toxiproxy.proxy_to(f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", int(proxy.listen.split(":")[1])), DEADLINE_S) as early:
        assert is_cut(early)
    with socket.create_server(("127.0.0.1", port)) as late:
        late.settimeout(DEADLINE_S)
        upstream.listener.close()
        upstream.listener = late
        pair = connect(proxy)
        pair.client.sendall(b"x")
        assert receive(pair.served, 1) == b"x"
    toxiproxy.call("DELETE", proxy.path)


def test_what_a_client_sends_meanwhile_waits_for_a_slow_server(
    toxiproxy: Toxiproxy, silent: Upstream
) -> None:
    proxy = toxiproxy.proxy_to(silent.address)
    proxy.add("bandwidth", "upstream", rate=100_000)
    data = os.urandom(3_000_000)
    with socket.create_connection(("127.0.0.1", int(proxy.listen.split(":")[1])), DEADLINE_S) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        silent.accept().close()
        with silent.accept() as served:
            assert receive(served, len(data)) == data
        sender.join(DEADLINE_S)
    toxiproxy.call("DELETE", proxy.path)


def test_a_server_can_be_named(toxiproxy: Toxiproxy, upstream: Upstream, connect: Connect) -> None:
    proxy = toxiproxy.proxy_to(upstream.address.replace("127.0.0.1", "localhost"))
    pair = connect(proxy)
    pair.client.sendall(b"x")
    assert receive(pair.served, 1) == b"x"
    toxiproxy.call("DELETE", proxy.path)


def test_disabling_cuts_and_enabling_lets_in_again(proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    proxy.enable(False)
    assert is_cut(pair.client)
    assert is_cut(pair.served)
    proxy.enable(True)
    pair = connect(proxy)
    pair.client.sendall(b"x")
    assert receive(pair.served, 1) == b"x"


def test_deleting_cuts(toxiproxy: Toxiproxy, proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    toxiproxy.call("DELETE", proxy.path)
    assert is_cut(pair.client)
    assert is_cut(pair.served)


def test_moving_cuts(toxiproxy: Toxiproxy, proxy: Proxy, connect: Connect) -> None:
    pair = connect(proxy)
    assert toxiproxy.call("PATCH", proxy.path, {"upstream": "x:1"}).status == 200
    assert is_cut(pair.client)
    assert is_cut(pair.served)
