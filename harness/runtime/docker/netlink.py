"""What is told to the kernel about the network in which the calling thread stands. Everything raises OSError."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from errno import ENODEV, ENOENT, ESRCH
from ipaddress import IPv4Address
from typing import Final

INTERFACE: Final = "eth0"

# <linux/netlink.h>, <linux/rtnetlink.h>, <linux/neighbour.h>, <linux/sockios.h>
NLMSG_ERROR: Final = 2
RTM_DELROUTE, RTM_NEWNEIGH, RTM_DELNEIGH = 25, 28, 29
REQUEST, ACK, REPLACE, CREATE = 0x1, 0x4, 0x100, 0x400
RT_TABLE_MAIN, RT_SCOPE_NOWHERE = 254, 255
NUD_PERMANENT: Final = 0x80
NDA_DST, NDA_LLADDR = 1, 2
HEADER: Final = struct.Struct("=IHHII")
ROUTE: Final = struct.Struct("=BBBBBBBBI")
NEIGHBOUR: Final = struct.Struct("=BBHiHBB")
SIOCSIFFLAGS, SIOCGIFADDR, SIOCGIFHWADDR, SIOCGIFINDEX = 0x8914, 0x8915, 0x8927, 0x8933


def address() -> IPv4Address:
    """The address of the interface here."""
    return IPv4Address(_control(SIOCGIFADDR, socket.AF_INET)[20:24])


def hardware() -> bytes:
    """The hardware address of the interface here."""
    return _control(SIOCGIFHWADDR)[18:24]


def down() -> None:
    """Nothing comes in and nothing goes out any more."""
    with _well_if(ENODEV):  # the engine takes the interface of a node away when it has ended
        _control(SIOCSIFFLAGS)


def write_down(table: Mapping[IPv4Address, bytes]) -> None:
    """Hardware addresses, for good and all in one step: they are not asked for any more."""
    flags = REQUEST | ACK | REPLACE | CREATE
    with _well_if(ENODEV):
        index = _index()
        _tell([(RTM_NEWNEIGH, flags, _neighbour(index, *entry)) for entry in table.items()])


def forget(known: Iterable[IPv4Address]) -> None:
    """From now on their hardware addresses are asked for again."""
    with _well_if(ENODEV):
        index = _index()
        for each in known:
            with _well_if(ENOENT):
                _tell([(RTM_DELNEIGH, REQUEST | ACK, _neighbour(index, each))])


def close_the_way_out() -> None:
    """Remove the default route, if there is one."""
    default = ROUTE.pack(socket.AF_INET, 0, 0, 0, RT_TABLE_MAIN, 0, RT_SCOPE_NOWHERE, 0, 0)
    with _well_if(ESRCH):
        _tell([(RTM_DELROUTE, REQUEST | ACK, default)])


@contextmanager
def _well_if(errno: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno:
            raise


def _control(request: int, argument: int = 0) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, request, struct.pack("16sH14x", INTERFACE.encode(), argument))


def _index() -> int:
    (index,) = struct.unpack_from("=i", _control(SIOCGIFINDEX), 16)
    return int(index)


def _neighbour(index: int, known: IPv4Address, hardware: bytes = b"") -> bytes:
    body = NEIGHBOUR.pack(socket.AF_INET, 0, 0, index, NUD_PERMANENT, 0, 0)
    for kind, value in ((NDA_DST, known.packed), (NDA_LLADDR, hardware)):
        if value:
            body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return body


def _tell(messages: list[tuple[int, int, bytes]]) -> None:
    """Send all at once, and hear an answer to each."""
    packed = [
        HEADER.pack(HEADER.size + len(body), kind, flags, number, 0) + body
        for number, (kind, flags, body) in enumerate(messages)
    ]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as routes:
        routes.bind((0, 0))
        routes.send(b"".join(packed))
        awaited = len(packed)
        while awaited:
            for errno in _answers(routes.recv(65536)):
                if errno:
                    raise OSError(errno, os.strerror(errno))
                awaited -= 1


def _answers(received: bytes) -> Iterator[int]:
    """The error numbers in it; 0 for what was done."""
    while received:
        length, kind, *_ = HEADER.unpack_from(received)
        if kind == NLMSG_ERROR:
            yield -struct.unpack_from("=i", received, HEADER.size)[0]
        received = received[-(-length // 4) * 4 :]
