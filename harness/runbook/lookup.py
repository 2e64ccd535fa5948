"""Looking the service's name up, as a handset does: one question over UDP."""

from __future__ import annotations

import socket
from typing import Final

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from harness.faults.asking import PATIENCE_S
from harness.runbook.scene import Scene
from topology.map import Node

NAME: Final = "anpi.example"
AUTHORITATIVE_PORT: Final = 53
RESOLVER: Final = "resolver"
#: The first of the caches that a carrier's resolver keeps, each on a port of its own.
RESOLVER_PORT: Final = 5301


def look_up(scene: Scene, server: Node, port: int) -> tuple[str, ...]:
    """The addresses of the service, in order. Raises OSError when there is no answer, or none with an address."""
    question = dns.message.make_query(NAME, dns.rdatatype.A)
    with scene.stage.runtime.inside(scene.stage.observer):
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear:
        ear.settimeout(PATIENCE_S)
        ear.connect((str(server.address), port))
        ear.send(question.to_wire())
        try:
            reply = dns.message.from_wire(ear.recv(4096))
        except dns.exception.DNSException as error:
            raise OSError(f"{server.name}:{port}: no answer that can be read ({error})") from None
        except OSError as error:
            raise OSError(f"{server.name}:{port}: {error}") from error
    found = [record.address for entry in reply.answer if entry.rdtype == dns.rdatatype.A for record in entry]
    if reply.id != question.id or not found:
        raise OSError(f"{server.name}:{port}: no address ({dns.rcode.to_text(reply.rcode())})")
    return tuple(sorted(found))
