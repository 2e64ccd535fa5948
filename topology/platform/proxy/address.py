"""`host:port` as the API takes it, with the API's own words for what is wrong with one."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from dataclasses import dataclass

_BACKLOG = 4096


class AddressError(OSError):
    """An address that nothing can listen on. Its text is the API's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Address:
    """An IP address ("" for every one) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if _is_ipv6(self.host) else f"{self.host}:{self.port}"


def split(text: str) -> tuple[str, str]:
    """Host and port of `host:port` or `[v6]:port`. Raises AddressError."""
    colon = text.rfind(":")
    if colon < 0:
        raise AddressError(f"address {text}: missing port in address")
    host, rest = text[:colon], text
    if text.startswith("["):
        bracket = text.find("]")
        if bracket < 0:
            raise AddressError(f"address {text}: missing ']' in address")
        if bracket + 1 != colon:
            many = text[bracket + 1 : bracket + 2] == ":"
            raise AddressError(f"address {text}: {'too many colons' if many else 'missing port'} in address")
        host, rest = text[1:bracket], text[1:bracket] + text[colon:]
    elif ":" in host:
        raise AddressError(f"address {text}: too many colons in address")
    for bracket_character in "[]":
        if bracket_character in rest:
            raise AddressError(f"address {text}: unexpected '{bracket_character}' in address")
    return host, text[colon + 1 :]


async def resolve(text: str) -> Address:
    """The one address that `text` means for listening, IPv4 before IPv6. Raises AddressError."""
    if not text:
        return Address("", 0)
    host, port = split(text)
    number = port_number(port)
    if not host:
        return Address("", number)
    for found in await lookup(host, number):
        return found
    raise AddressError(f"lookup {host}: no such host")


async def lookup(host: str, port: int) -> tuple[Address, ...]:
    """Everything that `host` resolves to, IPv4 first. A literal address is not looked up. Raises AddressError."""
    if _is_literal(host):
        return (Address(host, port),)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise AddressError(f"lookup {host}: no such host") from None
    return tuple(Address(host, port) for host in sorted({str(name[0]) for *_, name in found}, key=_is_ipv6))


async def listen(text: str) -> socket.socket:
    """A socket that listens there. Raises AddressError, worded as `listen tcp ...`."""
    try:
        address = await resolve(text)
    except AddressError as error:
        raise AddressError(f"listen tcp: {error}") from None
    if address.host in ("", "0.0.0.0", "::"):
        try:
            return _bound(socket.AF_INET6, Address("::", address.port))  # takes IPv4 as well
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise AddressError(
                    f"listen tcp {Address(address.host, address.port)}: {_reason(error)}"
                ) from None
            address = Address("0.0.0.0", address.port)
    try:
        return _bound(socket.AF_INET6 if _is_ipv6(address.host) else socket.AF_INET, address)
    except OSError as error:
        raise AddressError(f"listen tcp {address}: {_reason(error)}") from None


def bound_to(listener: socket.socket) -> str:
    """Where a socket listens, as the API shows it."""
    name = listener.getsockname()
    return str(Address(name[0], name[1]))


def _bound(family: socket.AddressFamily, address: Address) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keep_alive(listener)  # the accepted sockets inherit it
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address.host != "::")
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def keep_alive(sock: socket.socket) -> None:
    """Notice within some minutes that the other side has vanished, with upstream's times (Go's default, 15 s)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)


def port_number(text: str) -> int:
    """A port's number or service name. Raises AddressError."""
    try:
        number = int(text) if text else 0
    except ValueError:
        try:
            return socket.getservbyname(text, "tcp")
        except OSError:
            raise AddressError(f"lookup tcp/{text}: unknown port") from None
    if not 0 <= number <= 65535:
        raise AddressError(f"address {text}: invalid port")
    return number


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def _is_ipv6(host: str) -> bool:
    return ":" in host


def _reason(error: OSError) -> str:
    return f"bind: {os.strerror(error.errno or 0).lower()}"
