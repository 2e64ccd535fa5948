"""Patroni's file of passwords for libpq, with a line for each of several hosts that have ports of their own.

Patroni writes a line for each host but all of the ports into every line, which libpq then never finds. Giving the
password otherwise would not do: Patroni compares how a standby is connected with how it should be, in every round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

#: What makes a file's content of the parameters of a connection: None where there is no password among them.
Content: TypeAlias = Callable[[Mapping[str, object]], str | None]


def install() -> None:
    """For this process, and those that it forks."""
    from patroni.postgresql.config import ConfigHandler

    ConfigHandler._pgpass_content = staticmethod(for_each_port(ConfigHandler._pgpass_content))


def for_each_port(content: Content) -> Content:
    def each(record: Mapping[str, object]) -> str | None:
        hosts, ports = (str(record.get(name) or "").split(",") for name in ("host", "port"))
        if len(ports) == 1 or len(ports) != len(hosts):
            return content(record)
        ways = dict.fromkeys(zip(hosts, ports, strict=True))
        parts = [content({**record, "host": host, "port": port}) for host, port in ways]
        return None if None in parts else "".join(part for part in parts if part)

    return each
